"""What MPI-INF-3DHP's published layouts share: subjects, rates, image sizes, checks, and how a camera is made out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..pose.geometry import project
from ..pose.keypoints import MPI_INF_3DHP_17, MPI_INF_3DHP_28
from ..pose.pose_sequence import PoseSequence
from .h36m import LARGEST, check_array, check_pixels
from .legs import is_adult_leg, leg_length

TRAIN_SUBJECTS = tuple(f"S{i}" for i in range(1, 9))
TEST_SUBJECTS = tuple(f"TS{i}" for i in range(1, 7))
#: The two ground truths: the person as tall as they are, or scaled to the height of one "universal" skeleton.
ANNOTATIONS = ("annot3", "univ_annot3")
#: At the height of the chest; those that VNect, P-STMO, MMPose and MPM train on, of 14.
CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
#: The 17 keypoints of the test set among the 28 of the training set.
KEPT = MPI_INF_3DHP_17.indices_in(MPI_INF_3DHP_28)
#: The videos' frames (the annotations go on after them) and rates, from the data set's ``mpii_get_sequence_info.m``.
VIDEOS = {
    **{"S1_Seq1": (6416, 25), "S1_Seq2": (12430, 50), "S2_Seq1": (6502, 25), "S2_Seq2": (6081, 25)},
    **{"S3_Seq1": (12488, 50), "S3_Seq2": (12283, 50), "S4_Seq1": (6171, 25), "S4_Seq2": (6675, 25)},
    **{"S5_Seq1": (12820, 50), "S5_Seq2": (12312, 50), "S6_Seq1": (6188, 25), "S6_Seq2": (6145, 25)},
    **{"S7_Seq1": (6239, 25), "S7_Seq2": (6320, 25), "S8_Seq1": (6468, 25), "S8_Seq2": (6054, 25)},
}
#: The files of the test set do not say its rate.
TEST_FPS = 25.0
_MILLIMETRE = 0.001
#: The data set's world has y up, a store's has z up: points of a store's world in the data set's.
STORE_TO_3DHP_WORLD = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
# Median distance of 2D and projected 3D, px, below which the one is taken for the image of the other.
_FITS = 10.0


@dataclass(frozen=True)
class MPIInf3DHPRecording:
    """One recording: subject S1 with take Seq1 and ``cameras`` cameras, or subject TS1 of the test set without take."""

    subject: str
    take: str = ""
    cameras: int = 1

    @property
    def name(self) -> str:
        """S1_Seq1, or TS1."""
        return f"{self.subject}_{self.take}" if self.take else self.subject

    def check(self, where: str) -> None:
        """ValueError (``where``, fix) for a recording that MPI-INF-3DHP does not have."""
        if self.subject not in TEST_SUBJECTS if not self.take else self.name not in VIDEOS:
            raise ValueError(
                f"{where}: {self.name!r} is none of S1_Seq1 to S8_Seq2 and TS1 to TS6 of MPI-INF-3DHP; leave it out"
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images, px."""
        return (1920, 1080) if self.subject in ("TS5", "TS6") else (2048, 2048)

    @property
    def fps(self) -> float:
        """Frames a second; an assumption for the test set."""
        return float(VIDEOS[self.name][1]) if self.take else TEST_FPS


class Source(Protocol):
    """What a layout's reader offers."""

    files: tuple[Path, ...]

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """All recordings, in the order of the files."""

    def read(self, recording: MPIInf3DHPRecording) -> list[PoseSequence]:
        """The recording as its cameras see it; ValueError (file, field, fix) where that cannot be."""

    def activities(self, recording: MPIInf3DHPRecording) -> list[tuple[int, int]]:
        """(first frame, activity 1 to 7) of each stretch of one activity; empty where the files do not say."""


@dataclass(frozen=True)
class MPIInf3DHPCamera:
    """One camera: intrinsics (9,) px, rotation (3, 3) and translation (3,) m from the data set's world."""

    width: int
    height: int
    intrinsics: np.ndarray | None
    rotation: np.ndarray | None = None
    translation: np.ndarray | None = None


def make_sequence(
    recording: MPIInf3DHPRecording,
    where: str,
    keypoints: Any,
    keypoints_3d: Any,
    *,
    camera: str = "",
    calibration: MPIInf3DHPCamera | None = None,
    valid: np.ndarray | None = None,
    unit: float = _MILLIMETRE,
    source: str = "",
) -> PoseSequence:
    """The sequence of one camera, after checks of all that can be wrong with it.

    keypoints (T, 17, 2) px; keypoints_3d (T, 17, 3) camera space in ``unit`` metres. valid (T,) of bool: frames that
    count in the test, which become scores of 1 (the others 0, and what is no number there becomes 0).
    Without calibration the intrinsics are those that best project the 3D to the 2D, None where none do.
    Raises ValueError (``where``, fix).
    """
    recording.check(where)
    valid = np.ones(len(keypoints), bool) if valid is None else valid
    if not len(keypoints) == len(keypoints_3d) == len(valid):
        counts = f"{len(keypoints)} frames of 2D, {len(keypoints_3d)} of 3D, {len(valid)} of what is valid"
        raise ValueError(f"{where}: has {counts}; these do not belong together, or the file is cut off")
    if len(valid) and not valid.any():
        raise ValueError(f"{where}: no frame is valid; leave it out")
    for array, number in ((keypoints, 2), (keypoints_3d, 3)):
        check_array(f"{where}, {number}D", array[valid] if len(valid) else array, (len(MPI_INF_3DHP_17), number))
    check_pixels(where, keypoints[valid])
    _check_body(where, keypoints_3d[valid].astype(np.float64) * (unit / _MILLIMETRE), unit)
    if keypoints_3d[valid][..., 2].min() <= 0:
        raise ValueError(f"{where}: is partly behind the camera; camera space is expected, or the file is damaged")
    points, image = (
        np.where(valid[:, None, None] | (np.abs(array) <= LARGEST), array, 0) for array in (keypoints_3d, keypoints)
    )
    points = points * unit
    if calibration is None:
        calibration = MPIInf3DHPCamera(*recording.size, _fit_intrinsics(image[valid], points[valid]))
    return PoseSequence(
        name=f"{recording.name}.{camera}" if camera else recording.name,
        keypoints_3d=points,
        keypoints=image,
        keypoint_scores=None if recording.take else np.repeat(valid[:, None], len(MPI_INF_3DHP_17), 1),
        intrinsics=calibration.intrinsics,
        rotation=None if calibration.rotation is None else calibration.rotation @ STORE_TO_3DHP_WORLD,
        translation=calibration.translation,
        width=calibration.width,
        height=calibration.height,
        fps=recording.fps,
        subject=recording.subject,
        action=recording.take,
        camera=camera,
        keypoint_set=MPI_INF_3DHP_17.name,
        source=source,
    )


def projects_to(keypoints: np.ndarray, keypoints_3d: np.ndarray, intrinsics: np.ndarray) -> bool:
    """Whether the 3D (T, 17, 3) m, projected, is the 2D (T, 17, 2) px but for the errors of a calibration."""
    distance = np.linalg.norm(project(keypoints_3d, intrinsics) - keypoints, axis=-1)
    return bool(np.median(distance) < _FITS)


def _fit_intrinsics(keypoints: np.ndarray, keypoints_3d: np.ndarray) -> np.ndarray | None:
    """fx, fy, cx, cy of the pinhole that takes the 3D nearest to the 2D, without distortion; None where none does."""
    keypoints, keypoints_3d = keypoints.astype(np.float64), keypoints_3d.astype(np.float64)
    found = []
    depth = keypoints_3d[..., 2].ravel()
    for axis in range(2):
        ratio = keypoints_3d[..., axis].ravel() / depth
        table = np.stack((ratio, np.ones_like(ratio)), -1)
        found.append(np.linalg.lstsq(table, keypoints[..., axis].ravel(), rcond=None)[0])
    (fx, cx), (fy, cy) = found
    intrinsics = np.array([fx, fy, cx, cy, 0, 0, 0, 0, 0])
    return intrinsics if min(fx, fy) > 0 and projects_to(keypoints, keypoints_3d, intrinsics) else None


def _check_body(where: str, poses: np.ndarray, unit: float) -> None:
    leg = leg_length(poses, MPI_INF_3DHP_17)
    if not is_adult_leg(leg / 1000):
        here, there = ("millimetres", "metres") if unit == _MILLIMETRE else ("metres", "millimetres")
        factor = 1000 if unit == _MILLIMETRE else 0.001
        wrong_unit = is_adult_leg(leg * factor / 1000)
        guess = f"these are {there}: multiply by {factor}" if wrong_unit else f"{here} are expected"
        raise ValueError(f"{where}: a leg is {leg:.4g} mm long, a person's is about 900 mm; {guess}")
