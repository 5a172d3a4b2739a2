"""Where lifted people are: a trajectory in camera space, and a level floor. Each says what it takes for granted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from ..pose.geometry import fit_root
from ..pose.keypoints import BY_DEFINITION, get_keypoint_set
from .steadying import steady
from .tracks import Track2D, Track3D, visible_keypoints

DIAGONAL_35MM = 43.27  # mm, of a frame of 35 mm film (36 x 24 mm), which equivalent focal lengths refer to
FEWEST_SEEN = 6  # keypoints, to say where a person is
STILL = 0.2  # m/s, an ankle that is slower stands on the floor
WIDEST_LEAN = np.cos(np.deg2rad(30))  # further from the common direction, a person is not upright
NARROWEST_FLOOR = 0.25  # m, how far steps must spread both ways (standard deviation) to tell a floor from a line

_log = logging.getLogger("mpm_mmpose")


@dataclass(frozen=True)
class Camera:
    """intrinsics (9,) float32 px as in :mod:`mpm_mmpose.pose.geometry`, and where they are from, in words."""

    intrinsics: np.ndarray
    source: str


def choose_camera(track: Track2D, focal: float | None = None, focal_35mm: float | None = None) -> Camera:
    """The best that is known of a track's camera; the principal point is in the middle of the image unless known.

    focal px, if given; else the track's intrinsics; else focal_35mm, mm, the equivalent focal length that photos and
    videos have in their metadata; else a guess: the image's diagonal, as if it was seen at 53 degrees corner to corner
    (as Li et al., "CLIFF", ECCV 2022, do). Raises ValueError for lengths that are not above 0.
    """
    for name, length in dict(focal=focal, focal_35mm=focal_35mm).items():
        if length is not None and not (np.isfinite(length) and length > 0):
            raise ValueError(f"{name} is {length}; give a focal length above 0, or leave it out")
    diagonal = float(np.hypot(track.width, track.height))
    if focal is not None:
        source = "given"
    elif track.intrinsics is not None:
        return Camera(track.intrinsics, "the track's own intrinsics")
    elif focal_35mm is not None:
        focal, source = focal_35mm * diagonal / DIAGONAL_35MM, f"{focal_35mm:g} mm in 35 mm equivalent"
    else:
        focal, source = diagonal, "a guess: the image's diagonal, 53 degrees from corner to corner"
    intrinsics = np.array([focal, focal, track.width / 2, track.height / 2, 0, 0, 0, 0, 0], np.float32)
    return Camera(intrinsics, source)


def add_trajectory(lifted: Track3D, camera: Camera | None = None) -> Track3D:
    """The track with its root in camera space: where its 3D, at its own size, is seen where the 2D is.

    camera: None is :func:`choose_camera`'s. Least squares over the keypoints that were seen (see
    :func:`mpm_mmpose.pose.geometry.fit_root`); a frame with fewer than six of them is put between its neighbours. What
    is taken for granted is logged. Raises ValueError where no frame has six.
    """
    track = lifted.track
    camera = choose_camera(track) if camera is None else camera
    _log.info(f"person {track.person}: {assumptions(camera)}")
    keypoints, seen = visible_keypoints(track, lifted.keypoint_set, 0.0, BY_DEFINITION)
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    seen &= ~lifted.hidden & known[:, None]
    trajectory = np.full((len(lifted), 3), np.nan, np.float32)
    # Frames that see the same keypoints are fitted together.
    patterns, number = np.unique(seen, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        if pattern.sum() >= FEWEST_SEEN:
            rows = np.flatnonzero(number.reshape(-1) == index)
            chosen = np.ix_(rows, np.flatnonzero(pattern))
            trajectory[rows] = fit_root(lifted.keypoints_3d[chosen], keypoints[chosen], camera.intrinsics)
    fitted = np.isfinite(trajectory).all(1)
    if not fitted.any():
        raise ValueError(
            f"person {track.person}: no frame has {FEWEST_SEEN} keypoints to say where the person is; lower the "
            "threshold, or go without a trajectory"
        )
    between = known & ~fitted
    for axis in range(3):
        trajectory[between, axis] = np.interp(track.times[between], track.times[fitted], trajectory[fitted, axis])
    return replace(lifted, trajectory=trajectory)


def place(
    lifted: Track3D,
    notes: list[str],
    focal: float | None = None,
    focal_35mm: float | None = None,
    raw: bool = False,
) -> Track3D:
    """With its trajectory, where there can be one; notes get what it takes for granted, or why there is none.

    focal, focal_35mm: of the camera, see :func:`choose_camera`. The depth is smoothed
    (:func:`~mpm_mmpose.lifting.steadying.steady`) unless ``raw``.
    """
    camera = choose_camera(lifted.track, focal, focal_35mm)
    try:
        placed = add_trajectory(lifted, camera)
        placed = placed if raw else steady(placed)
    except ValueError as error:
        notes.append(f"no trajectory: {error}")
        return lifted
    said = assumptions(camera)
    notes += [said] if said not in notes else []
    return placed


def assumptions(camera: Camera) -> str:
    """What a trajectory takes for granted, in words."""
    fx, fy, cx, cy = camera.intrinsics[:4]
    focal = f"{fx:.0f} px" if fx == fy else f"{fx:.0f} x {fy:.0f} px"
    distorted = " (its distortion is left out)" if camera.intrinsics[4:].any() else ""
    return (
        f"the trajectory assumes a camera that stands still, of focal length {focal} ({camera.source}), that looks "
        f"through ({cx:.0f}, {cy:.0f}) px, without lens distortion{distorted}; and a person as tall as the model makes "
        "them. If the focal length or the person is 10 % larger, so is the distance."
    )


def find_up(lifted: Track3D) -> tuple[np.ndarray, str]:
    """Which way is up: unit vector (3,) in camera axes, and in words what it was taken from.

    With a trajectory whose steps spread over a floor, the normal of the plane through ankles that stand still. Else
    the direction from the ankles to the thorax, in most frames: people are upright on average. Raises ValueError where
    the keypoint set has no ankles and thorax.
    """
    keypoint_set = get_keypoint_set(lifted.keypoint_set)
    needed = ("left_ankle", "right_ankle", "thorax")
    if missing := set(needed) - set(keypoint_set.names):
        raise ValueError(f"keypoint set {lifted.keypoint_set} has no {', '.join(sorted(missing))}; give `up` yourself")
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    body = lifted.keypoints_3d[known].astype(np.float64)[:, [keypoint_set.index(name) for name in needed]]
    trunk = body[:, 2] - body[:, :2].mean(1)
    trunk /= np.linalg.norm(trunk, axis=-1, keepdims=True).clip(1e-9)
    up = _unit(np.median(trunk, axis=0))
    up = _unit(trunk[trunk @ up >= min(WIDEST_LEAN, (trunk @ up).max())].mean(0))
    if lifted.trajectory is not None:
        ankles = body[:, :2] + lifted.trajectory[known, None]
        floor = _floor(_standing(ankles, lifted.track.times[known]), up)
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
    rotation = _room_axes(_unit(np.asarray(up, np.float64)))
    absolute = lifted.trajectory is not None
    poses = lifted.keypoints_3d + lifted.trajectory[:, None] if absolute else lifted.keypoints_3d
    poses = poses @ rotation.T.astype(np.float32)
    lowest = poses[..., 2].min(1)
    floor = np.nanpercentile(lowest, 5) if absolute else lowest[:, None]
    poses[..., 2] -= floor
    return poses


def _standing(ankles: np.ndarray, times: np.ndarray) -> np.ndarray:
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
    forward = _unit(forward - (forward @ up) * up)
    return np.stack((np.cross(forward, up), forward, up))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
