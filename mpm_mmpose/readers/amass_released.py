"""AMASS as MPM's released code reads it: one ``.npz`` of 2D and 3D by clip, whose making was not released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..pose.geometry import denormalize_screen
from ..pose.keypoints import COMMON_16, H36M_17, KeypointSet
from ..pose.pose_sequence import PoseSequence
from .archives import LIMIT, npz_fields, read_npz
from .detections import field, integer
from .h36m import check_array, check_body

#: By number of keypoints: the 16 are Human3.6M's without the nose, in its order.
KEYPOINT_SETS = {len(keypoints): keypoints for keypoints in (COMMON_16, H36M_17)}
_OF_AMASS = {"trans", "betas", "gender", "mocap_framerate", "mocap_frame_rate", "root_orient"}
# All of AMASS as float64 at the rates of its recordings stays below.
_LIMIT = 8 * LIMIT
# Longer than from the pelvis to the middle of the hips in any body, m.
_NEAR = 0.3


def is_released(path: str | Path) -> bool:
    """Whether an ``.npz`` file has the fields of this layout and none of AMASS's own; nothing of them is read.

    Raises ValueError or OSError where it is no ``.npz`` file.
    """
    names = npz_fields(path)
    return "poses" in names and not _OF_AMASS.intersection(names)


class ReleasedAmass:
    """The file: field ``poses``, a table of clips, name -> length, pose2d, pose3d; all of it is held in memory.

    pose2d (T, K, 2) normalised screen coordinates, pose3d (T, K, 3) camera space m, relative to the pelvis or not; K is
    16 (``common_16``) or 17 (``h36m_17``). The released code takes its windows from the first ``length`` frames.
    size: width and height, px, of the images that the 2D shall be of, which the file does not say; normalised again by
    them, the 2D is what was in the file. fps: frames a second, which it does not say either.
    Raises ValueError or OSError (file, field, fix).
    """

    def __init__(self, path: str | Path, size: tuple[int, int] = (1000, 1000), fps: float = 50.0) -> None:
        self.path, self.size, self.fps = Path(path), size, fps
        self.clips: Any = read_npz(path, ["poses"], limit=_LIMIT)["poses"]
        if not isinstance(self.clips, dict):
            raise ValueError(
                f"{path}: field 'poses' is no table of clips; give the released code's archive, or convert AMASS's own "
                "with --body-models"
            )
        if not self.clips:
            raise ValueError(f"{path}: field 'poses' holds no clips; give the whole file")

    def names(self) -> list[str]:
        """Names of the clips, in the order of the file."""
        return list(self.clips)

    def read(self, name: str) -> PoseSequence:
        """The clip, called as in the file, its first ``length`` frames; ValueError (file, clip, field, fix)."""
        where = f"{self.path}: clip {name!r}"
        if not isinstance(name, str) or not name:
            raise ValueError(f"{where}: is called by no text; give it a name")
        clip = self.clips[name]
        arrays = {key: field(where, clip, key) for key in ("pose2d", "pose3d")}
        length = integer(where, "length", field(where, clip, "length"))
        if length < 1:
            raise ValueError(f"{where}: length is {length}, it has no frames; leave it out")
        keypoint_set = _keypoint_set(where, arrays)
        for axes, (key, array) in enumerate(arrays.items(), start=2):
            if len(array) < length:
                raise ValueError(
                    f"{where}: {key} has {len(array)} frames, length says {length}; cut off, fetch the file again"
                )
            arrays[key] = check_array(f"{where}, {key}", array[:length], (len(keypoint_set), axes))
        _check_screen(f"{where}, pose2d", arrays["pose2d"])
        return PoseSequence(
            name=name,
            keypoints_3d=_with_pelvis(f"{where}, pose3d", arrays["pose3d"], keypoint_set),
            keypoints=denormalize_screen(arrays["pose2d"].astype(np.float64), *self.size),
            width=self.size[0],
            height=self.size[1],
            fps=self.fps,
            keypoint_set=keypoint_set.name,
            source=self.path.name,
        )


def _keypoint_set(where: str, arrays: dict[str, Any]) -> KeypointSet:
    shapes = [getattr(array, "shape", ()) for array in arrays.values()]
    numbers = {shape[1] if len(shape) == 3 else None for shape in shapes}
    number = numbers.pop()
    if numbers or number not in KEYPOINT_SETS:
        raise ValueError(
            f"{where}: pose2d has shape {shapes[0]} and pose3d {shapes[1]}, not (frames, K, 2) and (frames, K, 3) with "
            "K of 16 or 17; is this the file?"
        )
    return KEYPOINT_SETS[number]


def _check_screen(where: str, poses: np.ndarray) -> None:
    """ValueError for 2D (T, K, 2) that cannot be normalised screen coordinates."""
    largest = float(np.abs(poses).max())
    if largest > 3:
        raise ValueError(
            f"{where}: goes up to {largest:.4g}, as px do; normalised screen coordinates, x in [-1, 1], are expected"
        )
    extent = float(np.median(np.ptp(poses, axis=1).max(-1)))
    if extent < 0.02:
        raise ValueError(
            f"{where}: a person is {extent:.2g} large, a hundredth of the image is 0.02; normalised screen "
            "coordinates, x in [-1, 1], are expected, and not divided by anything more"
        )


def _with_pelvis(where: str, poses: np.ndarray, keypoint_set: KeypointSet) -> np.ndarray:
    """Poses (T, K, 3) m after checks, all relative to the same point.

    The released loader of Human3.6M leaves the pelvis where it is in camera space when it makes all others relative to
    it; its training then puts it to 0. Where that was done here, so it is put to 0.
    """
    check_body(where, poses)  # the legs are in the same places in both sets
    pelvis = keypoint_set.index("pelvis")
    hips = (poses[:, keypoint_set.index("left_hip")] + poses[:, keypoint_set.index("right_hip")]) / 2
    distance = float(np.median(np.linalg.norm(hips - poses[:, pelvis], axis=-1)))
    if distance < _NEAR:
        return poses
    if np.median(np.linalg.norm(hips, axis=-1)) > _NEAR:
        raise ValueError(
            f"{where}: the pelvis is {distance:.2g} m from the middle of the hips; the order of keypoints must be "
            f"{', '.join(keypoint_set.names)}"
        )
    poses = poses.copy()
    poses[:, pelvis] = 0
    return poses
