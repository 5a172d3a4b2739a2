"""People that a 2D detector found in the frames of a recording, and how the readers of its files check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from ..messages import brief
from .keypoint_choice import KeypointMap, choose_keypoints
from .person_ids import person_id

#: In one frame: all are compared with all of the next.
MOST_PEOPLE = 300
#: No coordinate in px and no score is as large.
LARGEST = 1e6
#: No coordinate of a keypoint is as far from the image's, as a share of its size; no person in px is as small.
LARGEST_SHARE = 3.0
#: Scores are from 0 to 1, but some detectors' reach 10; beyond this they are per cent.
PER_CENT = 15.0
#: A detector may look at every second, third or fourth frame of a video; people who are further apart were not found.
MOST_SKIPPED = 4


@dataclass(frozen=True)
class Detections:
    """People in the frames of one recording: N rows, in any order.

    frames (N,) int64, numbers of the detector's frames; keypoints (N, K, 2) image px and scores (N, K), float32, in the
    order of ``keypoint_set``; a score of 0 says that the keypoint was not found. boxes (N, 4) px, x1 y1 x2 y2, NaN
    where the file has none. tracks (N,) int64 distinguishes people, -1 where a row has no id, None where the file has
    none at all; track_names: of ids that are no numbers. width, height: px, and fps: frames a second, 0 where the file
    does not say. times (F,) s, increasing, of all frames of the recording, among which ``frames`` then count from 0;
    None where the file does not say. listed (F,) int64: numbers of all frames that the file has, with or without
    people; None where it has people alone. notes: what is to be known of them. normalised: keypoints
    are shares of the image and not yet px, see :func:`~mpm_mmpose.readers.normalised.in_pixels`.
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
    normalised: bool = False

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

    names: of the keypoints, where the file has some. NaN and null mean that a keypoint was not found.
    Raises ValueError (file, place in it, field, fix).
    """

    def __init__(self, name: str, path: Path, names: Sequence[str] | None = None) -> None:
        self.name, self.path, self.names = name, path, names
        self.rows: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = []
        self.tracks: list[int | str | None] = []
        self.listed: list[int] = []

    def list_frame(self, number: int) -> None:
        """The file has this frame, with or without people."""
        self.listed.append(number)

    def add(self, where: str, frame: int, keypoints: Any, scores: Any, box: Any = None, track: Any = None) -> None:
        """One person: keypoints (K, 2) px, scores (K,), box x1 y1 x2 y2 px; ``where`` names the place in the file.

        Without scores keypoints may be (K, 3), x, y and score each; of (K, 2) all that are there score 1.
        """
        where = f"{self.path}: {where}"
        if abs(frame) > 2**62:
            raise ValueError(f"{where}: {brief(frame)} is no number of a frame; give the frames' own numbers")
        keypoints = numbers(where, "keypoints", keypoints, missing=True)
        if scores is None and keypoints.ndim == 2 and keypoints.shape[1] in (2, 3):
            scores = keypoints[:, 2] if keypoints.shape[1] == 3 else np.ones(len(keypoints))
            keypoints = keypoints[:, :2]
        if keypoints.ndim != 2 or keypoints.shape[1] != 2:
            more = "; these are 3D, give the file of the 2D detector" if keypoints.shape[-1:] == (3,) else ""
            raise ValueError(f"{where}: field 'keypoints' has shape {keypoints.shape}, not (keypoints, 2){more}")
        scores = numbers(where, "scores", scores, missing=True)
        if scores.shape != keypoints.shape[:1]:
            raise ValueError(f"{where}: {len(keypoints)} keypoints have scores of shape {scores.shape}; detect again")
        if self.rows and len(keypoints) != len(self.rows[0][1]):
            raise ValueError(
                f"{where}: has {len(keypoints)} keypoints, those before it {len(self.rows[0][1])}; "
                "give the result of one detector per file"
            )
        lost = np.isnan(keypoints).any(1) | np.isnan(scores)
        keypoints, scores = np.where(lost[:, None], 0, keypoints), np.where(lost, 0, scores)
        box = np.full(4, np.nan) if box is None else numbers(where, "box", box, missing=True)
        if box.size != 4:
            raise ValueError(f"{where}: the box has {box.size} numbers, not 4; detect again")
        box = np.full(4, np.nan) if np.isnan(box).any() else box
        self.rows.append((frame, keypoints, np.maximum(scores, 0), box.reshape(4)))
        self.tracks.append(person_id(where, track))

    def finish(self, keypoint_set: str | KeypointMap = "auto", width: int = 0, height: int = 0) -> Detections:
        """All of them; people without a single keypoint found are left out. keypoint_set: see ``choose_keypoints``."""
        if not self.rows:
            raise ValueError(f"{self.path}: holds no people; leave it out, or detect with a lower threshold")
        frames, keypoints, scores, boxes = (np.array(column) for column in zip(*self.rows, strict=True))
        if (most := int(np.unique(frames, return_counts=True)[1].max())) > MOST_PEOPLE:
            raise ValueError(f"{self.path}: has {most} people in a frame; up to {MOST_PEOPLE} are tracked")
        keypoint_set, columns, on_set = choose_keypoints(self.path, keypoints, scores > 0, keypoint_set, self.names)
        keypoints, scores = keypoints[:, columns], scores[:, columns]
        found = scores > 0
        if not found.any():
            raise ValueError(
                f"{self.path}: every score is 0 or less, which says that nothing was found; detect again, or write 1 "
                "where the scores were lost"
            )
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
            normalised=bool(np.abs(keypoints[found]).max() <= LARGEST_SHARE),
            listed=np.unique(np.array(self.listed, np.int64)) if self.listed else None,
            track_names=names,
            notes=[*on_set, *notes],
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


def numbers(where: str, field: str, value: Any, missing: bool = False) -> np.ndarray:
    """``value`` as float64; raises ValueError where it holds anything but finite numbers.

    missing: NaN and None are allowed too, and become NaN.
    """
    try:
        array = np.asarray(value)
        if missing and array.dtype == object and all(one is None or _is_number(one) for one in array.flat):
            array = array.astype(np.float64)
    except (ValueError, OverflowError):  # lists of unequal length, whole numbers of hundreds of digits
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{where}: field {field!r} is no array of numbers; detect again, or repair the file")
    if not (np.isfinite(array) | (np.isnan(array) & missing)).all():
        raise ValueError(f"{where}: field {field!r} holds NaN or infinity; repair it, or leave this person out")
    if np.abs(np.nan_to_num(array)).max(initial=0) > LARGEST:
        raise ValueError(f"{where}: field {field!r} holds numbers above {LARGEST:.0f}; px and scores are expected")
    return array.astype(np.float64)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer(where: str, field: str, value: Any) -> int:
    """``value`` as an integer, out of the list of one number that some trackers write; raises ValueError."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal length
        array = np.empty(0)
    if array.size != 1 or array.dtype.kind not in "fiu" or not abs(array.item()) < 2**62 or array.item() % 1:
        raise ValueError(f"{where}: {field} is {brief(value)}; give an integer")
    return int(array.item())


def field(where: str, record: Any, name: str) -> Any:
    """Field ``name`` of a JSON object; raises ValueError (place, field, what there is) where it is missing."""
    if not isinstance(record, dict):
        raise ValueError(f"{where}: is no object with fields but {type(record).__name__}; is the format right?")
    if name not in record:
        there = ", ".join(str(key)[:60] for key in list(record)[:20]) or "none"
        raise ValueError(f"{where}: field {name!r} is missing; it has {there}: is the format right?")
    return record[name]


def triples(where: str, name: str, value: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (K, 2) px and scores (K,) of a flat list x1, y1, score1, x2, ...; raises ValueError."""
    array = numbers(where, name, value, missing=True)
    if array.ndim == 2 and array.shape[1] == 3:  # some write one list per keypoint
        array = array.ravel()
    if array.ndim != 1 or array.size % 3 or not array.size:
        raise ValueError(f"{where}: field {name!r} has shape {array.shape}, not (3 * keypoints,): x, y, score each")
    array = array.reshape(-1, 3)
    return array[:, :2], array[:, 2]
