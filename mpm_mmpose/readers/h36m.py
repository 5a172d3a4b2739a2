"""What Human3.6M's published layouts share: subjects, actions, cameras, and checks of what is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..pose.pose_sequence import PoseSequence
from .legs import is_adult_leg, leg_length

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases", "Sitting"),
    *("SittingDown", "Smoking", "Waiting", "WalkDog", "WalkTogether", "Walking"),
)
#: The original recordings' names for two of the actions.
_OTHER_NAMES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
#: Recordings to leave out, by the name of the list. 'mmpose': S9's 3D is shifted in parts of them; MotionBERT and
#: MMPose's configs of it leave them out of the test (``skip_list``), VideoPose3D and MPM do not.
SKIP_LISTS = {"none": (), "mmpose": ("S9_Greeting", "S9_SittingDown", "S9_Waiting_1")}
FPS = 50.0
#: px, metres or millimetres: nothing is seen from so far away.
LARGEST = 1e6


@dataclass(frozen=True)
class H36MCamera:
    """One camera of a subject's recordings: px, world-to-camera rotation (3, 3) and translation (3,) m."""

    name: str
    width: int
    height: int
    intrinsics: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray


@cache
def cameras(subject: str) -> tuple[H36MCamera, ...]:
    """The four cameras as a subject was recorded, in the order of the files; ValueError for an unknown subject."""
    table = json.loads(Path(__file__).with_name("h36m_cameras.json").read_text(encoding="utf-8"))
    if subject not in table["subjects"]:
        raise ValueError(f"subject {subject!r} is none of Human3.6M's {', '.join(table['subjects'])}; leave it out")
    result = []
    for name, place in table["subjects"][subject].items():
        lens, rotation = table["cameras"][name], np.array(place["rotation"])
        translation = -rotation @ np.array(place["position"])
        intrinsics = np.array(lens["intrinsics"])
        result.append(H36MCamera(name, lens["width"], lens["height"], intrinsics, rotation, translation))
    return tuple(result)


@dataclass(frozen=True)
class H36MRecording:
    """One subject doing one action, ``take`` as the files name it ('Walking 1'), seen by ``cameras`` cameras."""

    subject: str
    take: str
    cameras: int = 4

    @property
    def name(self) -> str:
        """Name as in Human3.6M's image files: S9_Walking_1."""
        return f"{self.subject}_{self.take.replace(' ', '_')}"

    @property
    def action(self) -> str:
        """One of ACTIONS, whatever number the take has; ValueError for another."""
        action = self.take.replace("_", " ").split(" ")[0]
        action = _OTHER_NAMES.get(action, action)
        if action not in ACTIONS:
            raise ValueError(f"action {self.take!r} is none of {', '.join(ACTIONS)}; leave it out")
        return action


class Source(Protocol):
    """What a layout's reader offers."""

    files: tuple[Path, ...]

    def recordings(self) -> list[H36MRecording]:
        """All recordings, in the order of the file."""

    def read(self, recording: H36MRecording) -> list[PoseSequence]:
        """The recording as its cameras see it; ValueError (file, field, fix) where that cannot be."""


def check_array(where: str, array: Any, row: tuple[int, int]) -> np.ndarray:
    """The array if it is (T > 0, *row) of floating-point numbers as px, metres or millimetres are, else ValueError."""
    shape, dtype = getattr(array, "shape", ()), getattr(array, "dtype", type(array).__name__)
    if shape[1:] != row or getattr(dtype, "kind", "") != "f":
        expected = ", ".join(map(str, row))
        raise ValueError(f"{where}: is {dtype} of shape {shape}, not (frames, {expected}) of floats; is this the file?")
    if not len(array):
        raise ValueError(f"{where}: has no frames; leave it out")
    if not np.isfinite(array).all():
        frame = int(np.argmin(np.isfinite(array).all(axis=(1, 2))))
        raise ValueError(f"{where}: holds NaN or infinity, first in frame {frame}; repair or leave it out")
    if (largest := float(np.abs(array).max())) > LARGEST:
        raise ValueError(f"{where}: holds a value of {largest:.4g}; it is damaged, fetch it again or leave it out")
    return array


def check_body(where: str, poses: np.ndarray) -> None:
    """ValueError unless thigh and shin, hip to ankle, are as long as a person's in metres: poses (T, 17, 3)."""
    leg = leg_length(poses)
    if not is_adult_leg(leg):
        guess = "these are millimetres: divide by 1000" if is_adult_leg(leg / 1000) else "metres are expected"
        raise ValueError(f"{where}: a leg is {leg:.4g} long, a person's is about 0.9 m; {guess}")


def check_pixels(where: str, keypoints: np.ndarray) -> None:
    """ValueError for 2D (T, 17, 2) that is normalised already: a person fills more than 3 px."""
    if np.abs(keypoints).max() <= 3:
        raise ValueError(f"{where}: no value is above 3; this is normalised, image px are expected")
