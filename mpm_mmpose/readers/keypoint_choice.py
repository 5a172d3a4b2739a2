"""Which keypoint of a file is which of ours: by number and anatomy, by the file's names, or by a map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..messages import brief
from ..pose.keypoint_names import our_name
from ..pose.keypoints import CUSTOM, custom_keypoint_set, get_keypoint_set, other_side
from .anatomy import CLEAR, likeliest_set
from .files import read_text

#: Keypoints that detectors write a person: the sets that have so many, the usual one first.
SETS_BY_NUMBER = {
    16: ("mpii_16",),
    17: ("coco_17", "h36m_17"),
    18: ("openpose_18",),
    25: ("body_25", "body_25b"),
    26: ("halpe_26",),
    33: ("blazepose_33",),
    # COCO-WholeBody and Halpe full body: the body, then feet, face and hands
    133: ("coco_17",),
    136: ("halpe_26",),
}
#: Without these there is nobody to lift.
NEEDED = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
# From so many rows on, anatomy may decide that 17 keypoints are not COCO's, whose order nearly all such files have.
_ENOUGH = 10

#: Our names of keypoints, and for each the file's name or its number, from 0.
KeypointMap = Mapping[str, int | str]


def read_keypoint_map(path: str | Path) -> KeypointMap:
    """The map in a JSON file ``{"left_hip": "LHip", "right_hip": 12, ...}``; raises ValueError or OSError."""
    try:
        table = json.loads(read_text(path).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: is no JSON ({error}); give {{"left_hip": "LHip", "right_hip": 12, ...}}') from None
    if not isinstance(table, dict) or not table:
        raise ValueError(f'{path}: holds no names; give {{"left_hip": "LHip", "right_hip": 12, ...}}')
    wrong = [name for name, value in table.items() if not isinstance(value, str | int) or isinstance(value, bool)]
    if wrong:
        raise ValueError(
            f"{path}: {wrong[0]!r} is {brief(table[wrong[0]])}; give the name of a keypoint, or its number"
        )
    try:
        custom_keypoint_set(tuple(table))
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]}") from None
    if missing := [name for name in NEEDED if name not in table]:
        raise ValueError(f"{path}: says nothing of {', '.join(missing)}; shoulders and hips are needed")
    return table


def set_or_map(keypoint_set: str, path: str | Path | None) -> str | KeypointMap:
    """What the options --keypoint-set and --keypoint-map name; UsageError for both, and for a map that is none."""
    if path is None:
        return keypoint_set
    if keypoint_set != "auto":
        raise UsageError("give --keypoint-map or --keypoint-set: a map says which set it is")
    try:
        return read_keypoint_map(path)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from None


def choose_keypoints(
    path: Path,
    keypoints: np.ndarray,
    found: np.ndarray,
    keypoint_set: str | KeypointMap = "auto",
    names: Sequence[str] | None = None,
) -> tuple[str, list[int], list[str]]:
    """The set that keypoints (N, K, 2) of a file are of, which of the K are those of the set, in its order, and notes.

    found (N, K) bool. keypoint_set: 'auto' for what the file's names of keypoints say, where it has ``names`` (K,),
    else what detectors of so many keypoints give, chosen by anatomy; or the set that it must be; or a map.
    Raises ValueError (file, fix), also where anatomy does not tell BODY_25 from BODY_25B.
    """
    number = keypoints.shape[1]
    if not isinstance(keypoint_set, str):
        return *_mapped(path, number, keypoint_set, names), []
    if keypoint_set != "auto":
        wanted = len(get_keypoint_set(keypoint_set))
        if number != wanted and keypoint_set not in SETS_BY_NUMBER.get(number, ()):
            raise ValueError(
                f"{path}: has {number} keypoints per person, {keypoint_set} has {wanted}; "
                "give the keypoint set of this file, or 'auto'"
            )
        return keypoint_set, list(range(wanted)), []
    if names is not None:
        return *_named(path, names), []
    candidates = SETS_BY_NUMBER.get(number)
    if candidates is None:
        raise ValueError(
            f"{path}: has {number} keypoints per person; those known are {', '.join(map(str, SETS_BY_NUMBER))}: "
            "give a map that says which is which (--keypoint-map, docs/formats_read.md)"
        )
    chosen = _by_anatomy(path, keypoints, found, candidates)
    said = f"by their proportions these keypoints are {chosen}, and not {candidates[0]} (--keypoint-set overrules it)"
    columns = list(range(len(get_keypoint_set(chosen))))
    return chosen, columns, [said] if chosen != candidates[0] else []


def _by_anatomy(path: Path, keypoints: np.ndarray, found: np.ndarray, candidates: Sequence[str]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    usual, (likeliest, times) = candidates[0], likeliest_set(keypoints, found, candidates)
    if usual == "coco_17":
        return usual if times < CLEAR or len(keypoints) < _ENOUGH else likeliest
    if times < CLEAR:
        raise ValueError(
            f"{path}: {keypoints.shape[1]} keypoints per person are {' or '.join(candidates)}, and these people do not "
            f"show which; say it (--keypoint-set, mostly {usual})"
        )
    return likeliest


def _mapped(path: Path, number: int, table: KeypointMap, names: Sequence[str] | None) -> tuple[str, list[int]]:
    columns = []
    for name, value in table.items():
        if isinstance(value, str):
            if names is None:
                raise ValueError(f"{path}: has no names of keypoints; give numbers from 0 to {number - 1} in the map")
            if value not in names:
                raise ValueError(f"{path}: has no keypoint {value!r} (for {name}); it has {', '.join(names)}")
            columns.append(list(names).index(value))
        elif not 0 <= value < number:
            raise ValueError(f"{path}: has no keypoint {value} (for {name}); it has those from 0 to {number - 1}")
        else:
            columns.append(value)
    return CUSTOM + ",".join(table), columns


def _named(path: Path, names: Sequence[str]) -> tuple[str, list[int]]:
    ours = [our_name(name) for name in names]
    for candidate in (*(name for candidates in SETS_BY_NUMBER.values() for name in candidates), "posetrack_17"):
        if tuple(ours) == get_keypoint_set(candidate).names:
            return candidate, list(range(len(ours)))
    columns = {name: index for index, name in reversed(list(enumerate(ours))) if name is not None}
    kept = sorted((name for name in columns if other_side(name) in columns), key=columns.get)
    if missing := [name for name in NEEDED if name not in kept]:
        raise ValueError(
            f"{path}: none of its keypoints is called {', '.join(missing)} in a way that is known; it has "
            f"{', '.join(names[:40])}: give a map that says which is which (--keypoint-map, docs/formats_read.md)"
        )
    return CUSTOM + ",".join(kept), [columns[name] for name in kept]
