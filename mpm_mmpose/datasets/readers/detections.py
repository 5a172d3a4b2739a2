"""People that a 2D detector found in the frames of a recording, and how the readers of its files check them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from ...keypoints import get_keypoint_set
from .files import read_bytes
from .person_ids import person_id

# Keypoints that detectors write a person: the set they are of, and how many of the first ones make up that set.
# 133 are COCO-WholeBody and 136 Halpe full body: the body, then feet, face and hands.
SETS_BY_NUMBER = {17: ("coco_17", 17), 25: ("body_25", 25), 26: ("halpe_26", 26)}
SETS_BY_NUMBER |= {133: ("coco_17", 17), 136: ("halpe_26", 26)}

#: Bytes that a JSON file may have; docs/data.md says how much video that is, and how much memory it takes.
JSON_LIMIT = 2 * 2**30
#: No coordinate in px and no score is as large.
LARGEST = 1e6
#: Scores are from 0 to 1, but some detectors' reach 10; beyond this they are per cent.
PER_CENT = 15.0
#: A detector may look at every second, third or fourth frame of a video; people who are further apart were not found.
MOST_SKIPPED = 4


@dataclass(frozen=True)
class Detections:
    """People in the frames of one recording: N rows, in any order.

    frames (N,) int64, numbers of the detector's frames; keypoints (N, K, 2) image px and scores (N, K), float32, in the
    order of ``keypoint_set``; a score of 0 says that the keypoint was not found. boxes (N, 4) px, x1 y1 x2 y2, NaN
    where the file has none. tracks (N,) int64 tells people apart, -1 where a row has no id, None where the file has
    none at all; track_names: of ids that are no numbers. width, height: px, and fps: frames a second, 0 where the file
    does not say. times (F,) s, increasing, of all frames of the recording, among which ``frames`` then count from 0;
    None where the file does not say. listed (F,) int64: numbers of all frames that the file has, with or without
    people; None where it has people alone. notes: what is to be known of them.
    """

    name: str
    path: Path
    keypoint_set: str
    frames: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    tracks: np.ndarray | None
    width: int = 0
    height: int = 0
    fps: float = 0.0
    times: np.ndarray | None = None
    listed: np.ndarray | None = None
    track_names: Mapping[int, str] = dataclass_field(default_factory=dict)
    notes: list[str] = dataclass_field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frames)

    @cached_property
    def step(self) -> int:
        """Numbers from a frame to the next, where the file has every second, third, ... frame of the recording."""
        numbers = self.frames if self.listed is None else self.listed
        step = gcd(*map(int, np.diff(np.unique(numbers)))) or 1
        return step if self.listed is not None or step <= MOST_SKIPPED else 1


class DetectionRows:
    """Collects the people of one recording, each checked as it comes; see :class:`Detections`.

    Raises ValueError (file, place in it, field, fix).
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.rows: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = []
        self.tracks: list[int | str | None] = []
        self.listed: list[int] = []

    def list_frame(self, number: int) -> None:
        """The file has this frame, with or without people."""
        self.listed.append(number)

    def add(self, where: str, frame: int, keypoints: Any, scores: Any, box: Any = None, track: Any = None) -> None:
        """One person: keypoints (K, 2) px, scores (K,), box x1 y1 x2 y2 px; ``where`` names the place in the file."""
        where = f"{self.path}: {where}"
        if abs(frame) > 2**62:
            raise ValueError(f"{where}: {frame} is no number of a frame; give the frames' own numbers")
        keypoints = numbers(where, "keypoints", keypoints)
        if keypoints.ndim != 2 or keypoints.shape[1] != 2:
            more = "; these are 3D, give the file of the 2D detector" if keypoints.shape[-1:] == (3,) else ""
            raise ValueError(f"{where}: field 'keypoints' has shape {keypoints.shape}, not (keypoints, 2){more}")
        scores = numbers(where, "scores", scores)
        if scores.shape != keypoints.shape[:1]:
            raise ValueError(f"{where}: {len(keypoints)} keypoints have scores of shape {scores.shape}; detect again")
        if self.rows and len(keypoints) != len(self.rows[0][1]):
            raise ValueError(
                f"{where}: has {len(keypoints)} keypoints, those before it {len(self.rows[0][1])}; "
                "give the result of one detector a file"
            )
        box = np.full(4, np.nan) if box is None else numbers(where, "box", box)
        if box.size != 4:
            raise ValueError(f"{where}: the box has {box.size} numbers, not 4; detect again")
        self.rows.append((frame, keypoints, np.maximum(scores, 0), box.reshape(4)))
        self.tracks.append(person_id(where, track))

    def finish(self, keypoint_set: str = "auto", width: int = 0, height: int = 0) -> Detections:
        """All of them; people without a single keypoint found are left out."""
        if not self.rows:
            raise ValueError(f"{self.path}: holds no people; leave it out, or detect with a lower threshold")
        frames, keypoints, scores, boxes = (np.array(column) for column in zip(*self.rows, strict=True))
        keypoint_set, number = choose_set(self.path, keypoints.shape[1], keypoint_set)
        keypoints, scores = keypoints[:, :number], scores[:, :number]
        found = scores > 0
        if not found.any():
            raise ValueError(f"{self.path}: every score is 0 or less; detect again")
        if np.abs(keypoints[found]).max() <= 3:
            raise ValueError(f"{self.path}: no value of 'keypoints' is above 3; this is normalised, px are needed")
        keep = found.any(axis=1)
        tracks, names = _numbered(self.tracks)
        scores, notes = _scores_of_one(scores)
        return Detections(
            self.name,
            self.path,
            keypoint_set,
            frames[keep].astype(np.int64),
            keypoints[keep].astype(np.float32),
            scores[keep].astype(np.float32),
            boxes[keep].astype(np.float32),
            None if tracks is None else tracks[keep],
            width,
            height,
            listed=np.unique(np.array(self.listed, np.int64)) if self.listed else None,
            track_names=names,
            notes=notes,
        )


def _numbered(tracks: Sequence[int | str | None]) -> tuple[np.ndarray | None, dict[int, str]]:
    """Ids (N,) int64, -1 for none, None where there are none at all; and what those are called that are no numbers."""
    numbers = {track for track in tracks if isinstance(track, int)}
    texts = list(dict.fromkeys(track for track in tracks if isinstance(track, str)))
    if not numbers and not texts:
        return None, {}
    after = max(numbers, default=-1) + 1
    names = {after + index: text for index, text in enumerate(texts)}
    number_of = {text: number for number, text in names.items()}
    return np.array([-1 if track is None else number_of.get(track, track) for track in tracks], np.int64), names


def _scores_of_one(scores: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Scores (N, K), where they are per cent divided by 100, and a note on those that are not from 0 to 1."""
    best = float(scores.max())
    if PER_CENT < best <= 100:
        return scores / 100, [f"scores reach {best:g}: they are taken for per cent"]
    if best > 100:
        return scores, [f"scores reach {best:g}, and --threshold is meant for scores from 0 to 1: give a higher one"]
    return scores, []


def choose_set(path: Path, number: int, keypoint_set: str) -> tuple[str, int]:
    """The set that a file of ``number`` keypoints a person is of, and how many of the first ones belong to it.

    keypoint_set: 'auto' for what detectors of so many keypoints give, else the set that it must be.
    Raises ValueError (file, fix).
    """
    if keypoint_set == "auto":
        if number not in SETS_BY_NUMBER:
            raise ValueError(
                f"{path}: has {number} keypoints a person; those read are {', '.join(map(str, SETS_BY_NUMBER))}: "
                "detect with a model of COCO, Halpe or BODY_25 keypoints"
            )
        return SETS_BY_NUMBER[number]
    if number != len(get_keypoint_set(keypoint_set)) and SETS_BY_NUMBER.get(number, ("",))[0] != keypoint_set:
        raise ValueError(
            f"{path}: has {number} keypoints a person, {keypoint_set} has {len(get_keypoint_set(keypoint_set))}; "
            "give the keypoint set of this file, or 'auto'"
        )
    return keypoint_set, len(get_keypoint_set(keypoint_set))


def numbers(where: str, field: str, value: Any) -> np.ndarray:
    """``value`` as float64; raises ValueError where it holds anything but finite numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal length
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{where}: field {field!r} is no array of numbers; detect again, or repair the file")
    if not np.isfinite(array).all():
        raise ValueError(f"{where}: field {field!r} holds NaN or infinity; repair it, or leave this person out")
    if np.abs(array).max(initial=0) > LARGEST:
        raise ValueError(f"{where}: field {field!r} holds numbers above {LARGEST:.0f}; px and scores are expected")
    return array.astype(np.float64)


def integer(where: str, field: str, value: Any) -> int:
    """``value`` as an integer, out of the list of one number that some trackers write; raises ValueError."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal length
        array = np.empty(0)
    if array.size != 1 or array.dtype.kind not in "fiu" or not abs(array.item()) < 2**62 or array.item() % 1:
        raise ValueError(f"{where}: {field} is {value!r}; give an integer")
    return int(array.item())


def field(where: str, record: Any, name: str) -> Any:
    """Field ``name`` of a JSON object; raises ValueError (place, field, what there is) where it is missing."""
    if not isinstance(record, dict):
        raise ValueError(f"{where}: is no object with fields but {type(record).__name__}; is the format right?")
    if name not in record:
        there = ", ".join(map(str, record)) or "none"
        raise ValueError(f"{where}: field {name!r} is missing; it has {there}: is the format right?")
    return record[name]


def triples(where: str, name: str, value: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (K, 2) px and scores (K,) of a flat list x1, y1, score1, x2, ...; raises ValueError."""
    array = numbers(where, name, value)
    if array.ndim != 1 or array.size % 3 or not array.size:
        raise ValueError(f"{where}: field {name!r} has shape {array.shape}, not (3 * keypoints,): x, y, score each")
    array = array.reshape(-1, 3)
    return array[:, :2], array[:, 2]


def read_json(path: str | Path) -> Any:
    """The contents of a JSON file of ``JSON_LIMIT`` bytes at most; raises ValueError or OSError (file, fix)."""
    content = read_bytes(path, JSON_LIMIT)
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError(f"{path}: its lists are nested too deep for people in frames; is it the right file?") from None
    except ValueError as error:
        raise ValueError(f"{path}: is no JSON, or is cut off ({str(error)[:200]}); write or fetch it again") from None
