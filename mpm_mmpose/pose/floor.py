"""Which way is up for the people of a scene: what it says, or the floor that they walk on; pure."""

from __future__ import annotations

import numpy as np

from .rotations import unit
from .scene import Scene

#: Up where nothing says otherwise: the camera's own.
CAMERA_UP = np.array([0.0, -1.0, 0.0])
STEP = 0.5  # s, in which a foot of somebody who walks is once on the floor
FEWEST_STEPS = 4
#: m, how far steps have to spread for half of the slope that they show to be believed: an error of the distance moves
#: feet along the camera's line of sight, which looks like a slope.
BELIEVED = 0.3
STEEPEST = 30.0  # degrees; more is no camera's tilt


def scene_up(scene: Scene) -> tuple[np.ndarray, str]:
    """Which way is up: unit vector (3,) in camera axes, and in words what says so.

    Up is the scene's where it says one. Else: a camera that looks down sees a floor that rises. Where people walk about
    (trajectories), the floor is the plane through their lowest keypoints of each half second, by least squares of which
    too short ways count little (ridge). Without, up is the camera's.
    """
    if scene.up is not None:
        return scene.up, f"up is {scene.up_source}"
    steps = [
        _steps(person.keypoints_3d + person.trajectory[:, None], scene.fps)
        for person in scene.people
        if person.trajectory is not None
    ]
    places = np.concatenate(steps) if steps else np.empty((0, 3))
    for _ in range(2):  # the second time without what is far from the floor
        if len(places) < FEWEST_STEPS:
            return CAMERA_UP, "up is the camera's"
        middle = places.mean(0)
        across, heights = (places - middle)[:, [0, 2]], -(places - middle)[:, 1]
        slope = np.linalg.solve(across.T @ across + len(places) * BELIEVED**2 * np.eye(2), across.T @ heights)
        away = np.abs(heights - across @ slope)
        places = places[away <= 3 * np.median(away) + 0.01]
    up = unit(np.array([-slope[0], -1.0, -slope[1]]))
    if angle_between(up, CAMERA_UP) > STEEPEST:
        return CAMERA_UP, "up is the camera's"
    return up, "the floor people walk on is level"


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Degrees between unit vectors (3,)."""
    return float(np.rad2deg(np.arccos(np.clip(first @ second, -1, 1))))


def _steps(places: np.ndarray, fps: float) -> np.ndarray:
    """(M, 3) m, the lowest of keypoints (N, K, 3) m, camera axes, in each STEP in which there is any."""
    places = places[np.isfinite(places).all((1, 2))]
    lowest = places[np.arange(len(places)), places[..., 1].argmax(1)]
    number = min(max(round(len(lowest) / fps / STEP), 1), len(lowest))  # at low rates a step is less than a frame
    parts = np.array_split(lowest, number) if len(lowest) else []
    return np.array([part[part[:, 1].argmax()] for part in parts]).reshape(-1, 3)
