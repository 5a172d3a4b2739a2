"""What is known of the CMU database (mocap.cs.cmu.edu) and its conversions to BVH, and not said by the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

#: Hz of nearly all trials; the files do not say.
CMU_FPS = 120.0
# By the database's own list. All of these subjects; of 136 some trials, which it does not say.
_AT_60 = frozenset((33, 34, 42, 60, 61, 62, 74, 75, 77, 79, 80, 87, 88, 89))
_PARTLY_AT_60 = frozenset((136,))
_TRIAL = re.compile(r"(\d{1,3})_\w+")
# Joints that only these conversions have together.
_JOINTS = {"LHipJoint", "RHipJoint", "LowerBack", "Spine1", "Neck1", "LeftShoulder", "RightShoulder"}


def cmu_subject(path: str | Path) -> int | None:
    """The subject of ``<subject>_<trial>``; None where a file is called otherwise."""
    match = _TRIAL.fullmatch(Path(path).stem)
    return int(match[1]) if match else None


def recorded_fps(path: str | Path) -> tuple[float, str]:
    """Hz at which a trial was recorded, and a note where that is not certain or not the usual."""
    subject = cmu_subject(path)
    if subject in _AT_60:
        return 60.0, f"CMU's subject {subject} was recorded at 60 Hz, not 120"
    if subject in _PARTLY_AT_60:
        return CMU_FPS, f"some trials of CMU's subject {subject} were recorded at 60 Hz; say so (--source-fps 60)"
    return CMU_FPS, ""


def is_conversion(names: Sequence[str]) -> bool:
    """Whether a skeleton is CMU's ASF one, as it is converted to BVH."""
    return set(names) >= _JOINTS


def missing_thorax_bone(names: Sequence[str], offsets: np.ndarray) -> np.ndarray | None:
    """The bone (3,) between Spine1 and what hangs on it, where a conversion leaves it out; None where it is there.

    offsets (J, 3) of the joints from their parents. Lower back, upper back and thorax are thirds of the spine in CMU's
    skeletons: the upper back's bone is put in its place, 4 and 5 mm off for subjects 01 and 02.
    """
    place = {name: index for index, name in enumerate(names)}
    hanging = [offsets[place[name]] for name in ("Neck", "LeftShoulder", "RightShoulder")]
    return offsets[place["Spine1"]] if np.abs(hanging).max() < 1e-6 else None
