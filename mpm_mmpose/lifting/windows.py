"""Windows of frames, and what all models that take them have in common; needs no PyTorch."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..pose.keypoints import get_keypoint_set

#: Normalised 2D (B, K, 2) of the target frames, and normalised intrinsics (9,).
TargetView = tuple[np.ndarray, np.ndarray]


class WindowPredictor(ABC):
    """A model as a function from windows (B, T, K, 2 or 3) float32, NaN where masked, to root-relative metres.

    2D is as ``space`` says: 'image', normalised (:func:`mpm_mmpose.pose.geometry.normalize_screen`), or 'rays' of a
    given or guessed camera (:func:`mpm_mmpose.pose.geometry.to_rays`). 3D is root-relative m. inputs: '2d' and '3d', as
    the model takes; outputs: 'target' and 'sequence', as it gives, the better one for whole tracks first. window: T,
    num_keypoints: K of ``keypoint_set``.
    mask_tokens: whether anything may be masked; ignored: indices of keypoints that it never looks at. trained_fps: rate
    of the training data, Hz, None where it is not known;
    trained_frame_step: frames between two of a window.
    """

    space: str = "image"
    ignored: tuple[int, ...] = ()
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    window: int
    num_keypoints: int
    keypoint_set: str
    mask_tokens: bool
    trained_fps: float | None
    trained_frame_step: int

    @abstractmethod
    def targets(self, windows: np.ndarray, flip_test: bool, camera: TargetView | None = None) -> np.ndarray:
        """Poses (B, K, 3) of the target frames; with flip_test the mean of the plain and of the mirrored input's.

        camera: what a head that refines needs. Raises ValueError where that is missing.
        """

    @abstractmethod
    def sequences(self, windows: np.ndarray, flip_test: bool) -> np.ndarray:
        """Poses (B, T, K, 3) of all frames, as :meth:`targets`."""

    def mirror(self, poses: np.ndarray) -> np.ndarray:
        """Poses (..., K, 2 or 3), normalised or root-relative, as seen in a mirror."""
        mirrored = poses[..., list(get_keypoint_set(self.keypoint_set).flip_indices), :]
        mirrored[..., 0] *= -1
        return mirrored


def cut_windows(frames: np.ndarray, starts: np.ndarray, window: int, frame_step: int) -> np.ndarray:
    """Windows (B, T, K, C) of frames (M, K, C) from ``starts`` (B,) on; the ends are repeated beyond them."""
    index = starts[:, None] + np.arange(window) * frame_step
    return frames[index.clip(0, len(frames) - 1)]
