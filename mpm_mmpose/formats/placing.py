"""People with y up on a level floor, as motion software wants them; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..pose.floor import CAMERA_UP, angle_between, scene_up
from ..pose.keypoints import get_keypoint_set
from ..pose.rotations import shortest_turn
from ..pose.scene import Scene

UP = np.array([0.0, 1.0, 0.0])
WORTH_SAYING = 0.5  # degrees


def y_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) from camera axes to x right, y up, z towards the camera, so that a person who looks at it faces z."""
    return points * np.array([1.0, -1.0, -1.0])


def level_axes(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """Rotation (3, 3) from camera axes to y up with a level floor, and a note where that is not the camera's own up.

    Up is what :func:`~mpm_mmpose.pose.floor.scene_up` finds.
    """
    up, source = scene_up(scene)
    angle = angle_between(up, CAMERA_UP)
    said = [f"turned by {angle:.1f} degrees; {source}"] if scene.up is not None or angle >= WORTH_SAYING else []
    return shortest_turn(y_up(up), UP) @ y_up(np.eye(3)), said


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


def _lowest(heights: np.ndarray) -> float:
    low = np.min(heights, initial=np.inf, where=np.isfinite(heights))
    return float(low) if np.isfinite(low) else 0.0
