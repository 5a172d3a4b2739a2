"""Clips of noise for tests that ask whether two trainings are the same, not what is learned."""

import numpy as np

from mpm_mmpose.data import PoseSequence


def noise_clip(name: str, frames: int, rng: np.random.Generator, action: str = "") -> PoseSequence:
    """Frames of 17 keypoints some 4 m before a camera of 1000 x 1000 px at 50 Hz, no two alike."""
    poses = (rng.normal(0, 0.3, (frames, 17, 3)) + [0, 0, 4]).astype(np.float32)
    return PoseSequence(
        name=name,
        keypoints_3d=poses,
        keypoints=1000 * poses[..., :2] / poses[..., 2:] + 500,
        intrinsics=np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0], np.float32),
        width=1000,
        height=1000,
        fps=50,
        action=action,
    )
