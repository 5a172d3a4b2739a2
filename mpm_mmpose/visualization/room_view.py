"""People where they are relative to each other, on a floor that is level in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..pose.rotations import shortest_turn
from .upright import camera_to_upright

UP = np.array([0.0, 0.0, 1.0])


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


def find_room(poses: Sequence[np.ndarray], trajectories: Sequence[np.ndarray], up: np.ndarray) -> Room | None:
    """The room of people (N, K, 3) m at (N, 3) m, camera axes; None where nobody's place is ever known.

    up: (3,) unit vector, camera axes (:func:`~mpm_mmpose.pose.floor.scene_up`). The floor is as high as the lowest
    keypoints are in most frames.
    """
    points = np.concatenate([pose + root[:, None] for pose, root in zip(poses, trajectories, strict=True)])
    points = camera_to_upright(points.astype(np.float64))
    points = points[np.isfinite(points).all((1, 2))]
    if not len(points):
        return None
    rotation = shortest_turn(camera_to_upright(up), UP)
    points = points @ rotation.T
    places = points.mean(1)
    low, high = np.quantile(places[:, :2], [0.01, 0.99], axis=0)
    floor = np.median(points[..., 2].min(1))  # a single wild frame must not move the room
    return Room(rotation, -np.array([*(low + high) / 2, floor]), (high - low) / 2)
