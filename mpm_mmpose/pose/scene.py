"""People in 3D as every output format takes them; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..version import __version__
from .keypoints import BY_DEFINITION, get_keypoint_set, remap

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class LiftedPerson:
    """One person, one row per frame in which they were seen: N rows, K keypoints.

    frames: (N,) int, rising, counted from 0 in the scene. keypoints_3d: (N, K, 3) m, relative to the pelvis, camera
    axes (x right, y down, z away); NaN where there is no pose. trajectory: (N, 3) m, the pelvis in the camera's axes,
    where it is known. masked: (N, K) bool, True = the model was not shown it. spread: (N, K) m, how far several
    predictions lie apart. keypoints_2d: (N, K', 2) px and scores_2d: (N, K'), with keypoint_set_2d. ground_truth:
    (N, K, 3) m, where it is known, as keypoints_3d. misfit: (N,) how far each frame's 3D is from its 2D, 0 to 1.
    trajectory_spread: (N,) m, one standard deviation of the trajectory's depth. ignored: indices of the keypoints that
    the model never looks at.
    """

    name: str
    keypoint_set: str
    frames: np.ndarray
    keypoints_3d: np.ndarray
    trajectory: np.ndarray | None = None
    masked: np.ndarray | None = None
    spread: np.ndarray | None = None
    keypoints_2d: np.ndarray | None = None
    scores_2d: np.ndarray | None = None
    keypoint_set_2d: str | None = None
    ground_truth: np.ndarray | None = None
    misfit: np.ndarray | None = None
    trajectory_spread: np.ndarray | None = None
    ignored: tuple[int, ...] = ()

    @property
    def never_seen(self) -> tuple[str, ...]:
        """Names of the keypoints that the model was shown in no frame that has a pose; all they have is its guess.

        Those that the 2D detector does not have, or the model never looks at, are not among them: nobody can change
        that.
        """
        known = np.isfinite(self.keypoints_3d).all((1, 2))
        if self.masked is None or not known.any():
            return ()
        never = self.masked[known].all(0)
        never[list(self.ignored)] = False
        detected = self.keypoint_set_2d
        of_nobody = remap(detected, self.keypoint_set, BY_DEFINITION).missing if detected else ()
        names = get_keypoint_set(self.keypoint_set).names
        return tuple(name for name, unseen in zip(names, never, strict=True) if unseen and name not in of_nobody)


@dataclass(frozen=True)
class Scene:
    """The people of one recording; times: (F,) s of all frames; width, height: of the images, px, 0 where unknown.

    up: (3,) unit vector in camera axes and up_source, what it is from, in words, where that is known. character: a .glb
    whose skeleton moves as the people do, in formats of characters. leave_out_unseen: formats that cannot mark what is
    a guess are without keypoints that were never seen.
    """

    name: str
    people: list[LiftedPerson]
    times: np.ndarray
    fps: float
    width: int = 0
    height: int = 0
    made_by: str = f"mpm_mmpose {__version__}"
    notes: list[str] = field(default_factory=list)
    up: np.ndarray | None = None
    up_source: str = ""
    character: Path | None = None
    leave_out_unseen: bool = False

    def __post_init__(self) -> None:
        # Names come from files of anybody's. Here they become text that every format can hold, and each another one.
        people, taken = [], set()
        for person in self.people:
            name = wanted = plain_text(person.name)
            number = 1
            while name in taken:
                number += 1
                name = f"{wanted}_{number}"
            taken.add(name)
            people.append(person if name == person.name else replace(person, name=name))
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "name", plain_text(self.name))
        object.__setattr__(self, "notes", [plain_text(note) for note in self.notes])


def plain_text(text: str) -> str:
    """A text without what some format ends a cell, a line or itself with, or cannot write: one line of Unicode."""
    return _UNFIT.sub(" ", text.encode("utf-8", "replace").decode())
