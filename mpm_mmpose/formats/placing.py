"""People with y up on a level floor, as motion software wants them; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..pose.keypoints import get_keypoint_set
from ..pose.rotations import shortest_turn, unit
from ..pose.scene import Scene

UP = np.array([0.0, 1.0, 0.0])
STEP = 0.5  # s, in which a foot of somebody who walks is once on the floor
FEWEST_STEPS = 4
#: m, how far steps have to spread for half of the slope that they show to be believed: an error of the distance moves
#: feet along the camera's line of sight, which looks like a slope.
BELIEVED = 0.3
STEEPEST = 30.0  # degrees; more is no camera's tilt
WORTH_SAYING = 0.5  # degrees


def y_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) from camera axes to x right, y up, z towards the camera, so that a person who looks at it faces z."""
    return points * np.array([1.0, -1.0, -1.0])


def level_axes(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """Rotation (3, 3) from camera axes to y up with a level floor, and a note where that is not the camera's own up.

    Up is the scene's where it says one. Else: a camera that looks down sees a floor that rises. Where people walk about
    (trajectories), the floor is the plane through their lowest keypoints of each half second, by least squares of which
    too short ways count little (ridge). Without, up is the camera's.
    """
    axes = y_up(np.eye(3))
    if scene.up is not None:
        up = y_up(scene.up)
        angle = np.rad2deg(np.arccos(np.clip(up @ UP, -1, 1)))
        return shortest_turn(up, UP) @ axes, [f"turned by {angle:.1f} degrees; up is {scene.up_source}"]
    steps = [
        _steps(y_up(person.keypoints_3d + person.trajectory[:, None]), scene.fps)
        for person in scene.people
        if person.trajectory is not None
    ]
    places = np.concatenate(steps) if steps else np.empty((0, 3))
    for _ in range(2):  # the second time without what is far from the floor
        if len(places) < FEWEST_STEPS:
            return axes, []
        middle = places.mean(0)
        across, heights = (places - middle)[:, [0, 2]], (places - middle)[:, 1]
        slope = np.linalg.solve(across.T @ across + len(places) * BELIEVED**2 * np.eye(2), across.T @ heights)
        away = np.abs(heights - across @ slope)
        places = places[away <= 3 * np.median(away) + 0.01]
    normal = unit(np.array([-slope[0], 1.0, -slope[1]]))
    angle = np.rad2deg(np.arccos(normal[1]))
    if angle > STEEPEST:
        return axes, []
    said = f"turned by {angle:.1f} degrees, so that the floor people walk on is level"
    return shortest_turn(normal, UP) @ axes, [said] if angle >= WORTH_SAYING else []


def every_frame(frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(F, ...) of all frames from the first to the last of ``frames`` (N,), NaN where there is none of (N, ...)."""
    dense = np.full((int(frames[-1] - frames[0]) + 1, *values.shape[1:]), np.nan)
    dense[frames - frames[0]] = values
    return dense


def stand(people: Sequence[np.ndarray], roots: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Where roots are, (N, 3) m a person, for keypoints (N, K, 3) m relative to them, y up; NaN is left out.

    Where a trajectory (N, 3) m is known, people are where it says but for their height: the lowest keypoint that
    any of them ever has is on the floor, y = 0; the camera is above x = z = 0. Where it is not, the root stays at x = z
    = 0, as high as puts the lowest keypoint of that person on the floor.
    """
    lows = [
        _lowest(person[..., 1] + (0 if root is None else root[:, None, 1]))
        for person, root in zip(people, roots, strict=True)
    ]
    common = min((low for low, root in zip(lows, roots, strict=True) if root is not None), default=0.0)
    return [
        np.tile((0.0, -low, 0.0), (len(person), 1)) if root is None else root - (0.0, common, 0.0)
        for person, low, root in zip(people, lows, roots, strict=True)
    ]


def upright(scene: Scene) -> tuple[list[np.ndarray], list[str]]:
    """Keypoints (N, K, 3) m of people where :func:`stand` puts them, NaN where not known or left out; and notes."""
    axes, notes = level_axes(scene)
    people = []
    for person in scene.people:
        poses = person.keypoints_3d.astype(np.float64) @ axes.T
        if scene.leave_out_unseen and (unseen := person.never_seen):
            poses[:, [get_keypoint_set(person.keypoint_set).index(name) for name in unseen]] = np.nan
            notes.append(f"person {person.name} is without {', '.join(unseen)}, which were never seen")
        people.append(poses)
    roots = [None if person.trajectory is None else person.trajectory @ axes.T for person in scene.people]
    return [person + root[:, None] for person, root in zip(people, stand(people, roots), strict=True)], notes


def _steps(places: np.ndarray, fps: float) -> np.ndarray:
    """(M, 3) m, the lowest of keypoints (N, K, 3) m, y up, in each STEP in which there is any."""
    places = places[np.isfinite(places).all((1, 2))]
    lowest = places[np.arange(len(places)), places[..., 1].argmin(1)]
    number = min(max(round(len(lowest) / fps / STEP), 1), len(lowest))  # at low rates a step is less than a frame
    parts = np.array_split(lowest, number) if len(lowest) else []
    return np.array([part[part[:, 1].argmin()] for part in parts]).reshape(-1, 3)


def _lowest(heights: np.ndarray) -> float:
    low = np.min(heights, initial=np.inf, where=np.isfinite(heights))
    return float(low) if np.isfinite(low) else 0.0
