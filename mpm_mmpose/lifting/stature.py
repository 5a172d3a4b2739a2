"""How tall a person is in 3D, and 3D of a person whose height is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import UsageError
from ..pose.keypoints import get_keypoint_set
from .tracks import Track3D

#: Of a person's height, how high the ankles are above the floor. Source: Winter, "Biomechanics and Motor Control of
#: Human Movement", body segment lengths (foot, 0.039 H).
ANKLES = 0.039
#: m; nobody is shorter or taller.
SHORTEST, TALLEST = 0.4, 2.8
_CHAINS = (
    ("left_ankle", "left_knee", "left_hip"),
    ("right_ankle", "right_knee", "right_hip"),
    ("pelvis", "spine", "thorax"),
    ("thorax", "head_top"),
)


def stature(lifted: Track3D) -> float:
    """m, how tall the person would stand: legs, trunk and head, median over frames, and the ankles above the floor.

    Raises ValueError where the keypoint set lacks any of them.
    """
    keypoints = get_keypoint_set(lifted.keypoint_set)
    if missing := sorted({name for chain in _CHAINS for name in chain} - set(keypoints.names)):
        raise ValueError(f"keypoint set {lifted.keypoint_set} has no {', '.join(missing)}, so it has no height")
    poses = lifted.keypoints_3d[np.isfinite(lifted.keypoints_3d).all((1, 2))]
    lengths = []
    for chain in _CHAINS:
        points = poses[:, [keypoints.index(name) for name in chain]]
        lengths.append(np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(1))
    left, right, trunk, head = lengths
    return float(np.median((left + right) / 2 + trunk + head) / (1 - ANKLES))


def check_height(height: float) -> None:
    """UsageError for a height, m, that nobody has."""
    if not SHORTEST <= height <= TALLEST:
        raise UsageError(f"the person's height is {height:g} m; give {SHORTEST} to {TALLEST} m (--person-height)")


def scale_to(lifted: Track3D, height: float, notes: list[str]) -> Track3D:
    """The same 3D of a person who is ``height`` m tall; notes get the factor. Raises UsageError for no one's height."""
    check_height(height)
    found = stature(lifted)
    factor = height / found
    notes.append(
        f"person {lifted.track.person}: the model makes them {found:.2f} m tall, all is scaled by {factor:.3f} to "
        f"{height:g} m"
    )
    scaled = replace(lifted, keypoints_3d=lifted.keypoints_3d * np.float32(factor))
    return scaled if lifted.spread is None else replace(scaled, spread=lifted.spread * np.float32(factor))
