"""Which way is up in a camera's axes, and a room whose floor is level. Each says what it takes for granted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from ..errors import UsageError
from ..pose.keypoints import get_keypoint_set
from ..pose.rotations import unit
from .tracks import Track3D

STILL = 0.2  # m/s, an ankle that is slower stands on the floor
WIDEST_LEAN = np.cos(np.deg2rad(30))  # further from the common direction, a person is not upright
NARROWEST_FLOOR = 0.25  # m, how far steps must spread both ways (standard deviation) to tell a floor from a line

_log = logging.getLogger("mpm_mmpose")


def choose_up(people: Sequence[Track3D], tilt: Sequence[float] | None = None) -> tuple[np.ndarray, str]:
    """Which way is up for all people of a recording: unit vector (3,) in camera axes, and in words where it is from.

    tilt: how the camera was held, degrees: how far it looks down, and how far it is turned clockwise about its line of
    sight, as a person who holds it sees it. None: the mean of what :func:`find_up` finds of each person, by their
    frames. Raises UsageError for angles that no camera has, ValueError where nobody tells.
    """
    if tilt is not None:
        down, clockwise = np.deg2rad(check_tilt(tilt))
        up = -np.array([np.sin(clockwise) * np.cos(down), np.cos(clockwise) * np.cos(down), np.sin(down)])
        return up, f"as given: the camera looks down by {tilt[0]:g} and is turned clockwise by {tilt[1]:g} degrees"
    if not people:
        raise ValueError("nobody is there to tell which way is up; say how the camera was held")
    found = [find_up(person) for person in people]
    frames = [np.isfinite(person.keypoints_3d).all((1, 2)).sum() for person in people]
    mean = sum(number * up for number, (up, _) in zip(frames, found, strict=True))
    return unit(mean), " and ".join(dict.fromkeys(source for _, source in found))


def check_tilt(tilt: object) -> tuple[float, float]:
    """The two angles of a camera, degrees; UsageError where they are none."""
    try:
        down, clockwise = map(float, tilt)
    except (TypeError, ValueError):
        raise UsageError(f"level is {tilt!r}; give 'camera', 'people', or two angles, degrees") from None
    if not (abs(down) < 90 and abs(clockwise) <= 180):
        raise UsageError(
            f"level is ({down:g}, {clockwise:g}); a camera looks down by less than 90 degrees and is "
            "turned by at most 180"
        )
    return down, clockwise


def find_up(lifted: Track3D) -> tuple[np.ndarray, str]:
    """Which way is up: unit vector (3,) in camera axes, and in words what it was taken from.

    With a trajectory whose steps spread over a floor, the normal of the plane through ankles that stand still. Else
    the direction from the ankles to the thorax, in most frames: people are upright on average. Raises ValueError where
    the keypoint set has no ankles and thorax.
    """
    keypoint_set = get_keypoint_set(lifted.keypoint_set)
    needed = ("left_ankle", "right_ankle", "thorax")
    if missing := sorted(set(needed) - set(keypoint_set.names)):
        raise ValueError(f"keypoint set {keypoint_set.name} has no {', '.join(missing)}; say how the camera was held")
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    body = lifted.keypoints_3d[known].astype(np.float64)[:, [keypoint_set.index(name) for name in needed]]
    trunk = body[:, 2] - body[:, :2].mean(1)
    trunk /= np.linalg.norm(trunk, axis=-1, keepdims=True).clip(1e-9)
    up = unit(np.median(trunk, axis=0))
    up = unit(trunk[trunk @ up >= min(WIDEST_LEAN, (trunk @ up).max())].mean(0))
    if lifted.trajectory is not None:
        ankles = body[:, :2] + lifted.trajectory[known, None]
        floor = _floor(_while_still(ankles, lifted.track.times[known]), up)
        if floor is not None:
            return floor, "the plane through ankles that stand still"
    return up, "the direction from ankles to thorax in most frames, as people are upright on average"


def level(lifted: Track3D, up: np.ndarray | None = None) -> np.ndarray:
    """Poses (N, K, 3) m in a room: x to the camera's right, y away from it, z up, the floor at z = 0.

    up: (3,) in camera axes; None is :func:`find_up`'s, which is logged. With a trajectory people are where it says, and
    the floor is at the lowest keypoints of the track, but for one frame in twenty. Without, the root is at x = y = 0
    and each frame's lowest keypoint is on the floor, so nobody jumps. Ankles are really some 8 cm above the floor.
    """
    if up is None:
        up, source = find_up(lifted)
        _log.info(f"person {lifted.track.person}: up is {source}.")
    rotation = _room_axes(unit(np.asarray(up, np.float64)))
    absolute = lifted.trajectory is not None
    poses = lifted.keypoints_3d + lifted.trajectory[:, None] if absolute else lifted.keypoints_3d
    poses = poses @ rotation.T.astype(np.float32)
    lowest = poses[..., 2].min(1)
    floor = np.nanpercentile(lowest, 5) if absolute else lowest[:, None]
    poses[..., 2] -= floor
    return poses


def _while_still(ankles: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(M, 3) m, places of ankles (N, 2, 3) m, camera space, while they stand still."""
    if len(times) < 3:
        return np.empty((0, 3))
    speed = np.linalg.norm(np.gradient(ankles, times, axis=0), axis=-1)
    return ankles[speed < STILL]


def _floor(points: np.ndarray, up: np.ndarray) -> np.ndarray | None:
    """Unit normal (3,) of the plane through points (M, 3) m that is nearest to ``up``; None where they do not tell."""
    for _ in range(2):  # the second time without what is far from the plane
        if len(points) < 10:
            return None
        middle = points.mean(0)
        _, spread, axes = np.linalg.svd(points - middle, full_matrices=False)
        normal = axes[2] * np.sign(axes[2] @ up)
        if spread[1] / np.sqrt(len(points)) < NARROWEST_FLOOR or normal @ up < WIDEST_LEAN:
            return None
        away = np.abs((points - middle) @ normal)
        points = points[away <= 3 * np.median(away) + 1e-6]
    return normal


def _room_axes(up: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) from camera axes to a room's whose z is ``up`` (3,), a unit vector."""
    forward = np.array([0.0, 0.0, 1.0])
    if abs(up @ forward) > 0.999:  # the camera looks straight down, or up
        forward = np.array([0.0, -1.0, 0.0])
    forward = unit(forward - (forward @ up) * up)
    return np.stack((np.cross(forward, up), forward, up))
