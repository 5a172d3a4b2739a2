"""People where they are relative to each other, on a floor that is level in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .upright import camera_to_upright

#: m; how far people have to walk before the floor's slope is read off their feet rather than taken to be none.
WALKED = 0.2


@dataclass(frozen=True)
class Room:
    """rotation (3, 3) and shift (3,) m from the camera, (x right, y away, z up), to the room: floor at z = 0.

    half: (2,) m, how far people are from x = y = 0 at most.
    """

    rotation: np.ndarray
    shift: np.ndarray
    half: np.ndarray

    def place(self, poses: np.ndarray, trajectory: np.ndarray) -> np.ndarray:
        """Poses (N, K, 3) m, relative to roots at trajectory (N, 3) m, both in camera axes, in the room."""
        return camera_to_upright(poses + trajectory[:, None]) @ self.rotation.T + self.shift


def find_room(poses: Sequence[np.ndarray], trajectories: Sequence[np.ndarray]) -> Room | None:
    """The room of people (N, K, 3) m at (N, 3) m, camera axes; None where nobody's place is ever known.

    Its floor is the plane that fits everybody's lowest keypoints of all frames best, in height; cameras mostly look
    down a little, so that it slopes in their axes. A person who stays in one place says little about it.
    """
    points = np.concatenate(
        [camera_to_upright(pose + root[:, None]) for pose, root in zip(poses, trajectories, strict=True)]
    ).astype(np.float64)
    points = points[np.isfinite(points).all((1, 2))]
    if not len(points):
        return None
    feet = points[np.arange(len(points)), points[..., 2].argmin(1)]
    # A single wild frame must not move the room.
    middle = np.median(feet, axis=0)
    away = feet - middle
    along = np.c_[away[:, :2], np.ones(len(away))]
    keep_level = len(away) * np.diag([WALKED**2, WALKED**2, 0.0])
    slope_x, slope_y, height = np.linalg.solve(along.T @ along + keep_level, along.T @ away[:, 2])
    up = np.array([-slope_x, -slope_y, 1.0]) / np.linalg.norm([slope_x, slope_y, 1.0])
    right = np.array([1.0, 0.0, 0.0]) - up[0] * up
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(up, right), up])
    shift = -rotation @ (middle + (0.0, 0.0, height))
    places = points.mean(1) @ rotation.T + shift
    low, high = np.quantile(places[:, :2], [0.01, 0.99], axis=0)
    shift[:2] -= (low + high) / 2
    return Room(rotation, shift, (high - low) / 2)
