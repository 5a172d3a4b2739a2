"""One recording seen by one camera: what converters write into a store and a store gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..limits import FARTHEST, LARGEST_IMAGE, LARGEST_SCORE, check_fps, farthest_pixel
from .keypoints import get_keypoint_set


@dataclass
class PoseSequence:
    """One continuous recording seen by one camera; all arrays float32.

    keypoints (T, K, 2) image px; keypoints_3d (T, K, 3) camera space m; one of the two may be None.
    keypoint_scores (T, K); intrinsics (9,) px as in :mod:`mpm_mmpose.pose.geometry`; rotation (3, 3) and translation
    (3,) m, world (z up) to camera; width, height px. Raises ValueError (sequence, field, fix) when shapes or values
    do not fit.
    """

    name: str
    keypoints_3d: np.ndarray | None
    keypoints: np.ndarray | None
    keypoint_scores: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    rotation: np.ndarray | None = None
    translation: np.ndarray | None = None
    width: int = 0
    height: int = 0
    fps: float = 0.0
    subject: str = ""
    action: str = ""
    camera: str = ""
    keypoint_set: str = "h36m_17"
    source: str = ""

    def __post_init__(self) -> None:
        frames = next((len(poses) for poses in (self.keypoints_3d, self.keypoints) if poses is not None), None)
        if frames is None:
            raise ValueError(f"sequence {self.name!r}: keypoints and keypoints_3d are both missing; give at least one")
        if frames == 0:
            raise ValueError(f"sequence {self.name!r}: there are no frames; leave it out")
        number = len(get_keypoint_set(self.keypoint_set))
        shapes = {
            "keypoints_3d": (frames, number, 3),
            "keypoints": (frames, number, 2),
            "keypoint_scores": (frames, number),
            "intrinsics": (9,),
            "rotation": (3, 3),
            "translation": (3,),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None:
                continue
            value = np.ascontiguousarray(value, dtype=np.float32)
            if value.shape != shape:
                raise ValueError(f"sequence {self.name!r}: {name} has shape {value.shape}; give {shape}")
            if not np.isfinite(value).all():
                raise ValueError(f"sequence {self.name!r}: {name} holds NaN or infinity; repair or leave it out")
            setattr(self, name, value)
        if not (0 <= self.width <= LARGEST_IMAGE and 0 <= self.height <= LARGEST_IMAGE):
            raise ValueError(f"sequence {self.name!r}: no image is {self.width} x {self.height} px; give its size")
        if self.keypoints is not None and not (self.width > 0 and self.height > 0):
            raise ValueError(
                f"sequence {self.name!r}: width {self.width}, height {self.height}; 2D needs the image size in px"
            )
        check_fps(f"sequence {self.name!r}", self.fps)
        limits = dict(
            keypoints_3d=(FARTHEST, "m"),
            keypoints=(farthest_pixel(self.width, self.height), "px"),
            keypoint_scores=(LARGEST_SCORE, "at most"),
            translation=(FARTHEST, "m"),
        )
        for name, (limit, unit) in limits.items():
            value = getattr(self, name)
            if value is not None and np.abs(value).max() > limit:
                frame = int(np.argmax(np.abs(value).reshape(len(value), -1).max(1) > limit))
                where = f"in frame {frame}, " if len(value) == frames else ""
                raise ValueError(
                    f"sequence {self.name!r}: {name} goes up to {np.abs(value).max():.4g} {where}{limit:g} {unit} are "
                    "the most that is recorded; repair or leave it out"
                )

    def __len__(self) -> int:
        return len(self.keypoints if self.keypoints is not None else self.keypoints_3d)
