"""Where lifted people are: a trajectory in camera space, which says what it takes for granted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from ..pose.geometry import fit_root
from ..pose.keypoints import BY_DEFINITION
from .steadying import steady
from .tracks import Track2D, Track3D, visible_keypoints

DIAGONAL_35MM = 43.27  # mm, of a frame of 35 mm film (36 x 24 mm), which equivalent focal lengths refer to
FEWEST_SEEN = 6  # keypoints, to say where a person is

_log = logging.getLogger("mpm_mmpose")


@dataclass(frozen=True)
class AssumedCamera:
    """intrinsics (9,) float32 px as in :mod:`mpm_mmpose.pose.geometry`, and where they are from, in words."""

    intrinsics: np.ndarray
    source: str


def choose_camera(track: Track2D, focal: float | None = None, focal_35mm: float | None = None) -> AssumedCamera:
    """The best that is known of a track's camera; the principal point is in the middle of the image unless known.

    focal px, if given; else the track's intrinsics; else focal_35mm, mm, the equivalent focal length that photos and
    videos have in their metadata; else a guess: the image's diagonal, as if it was seen at 53 degrees corner to corner
    (as Li et al., "CLIFF", ECCV 2022, do). Raises ValueError for lengths that are not above 0.
    """
    if focal is None and track.intrinsics is not None:
        return AssumedCamera(track.intrinsics, "the track's own intrinsics")
    return assume_camera(track.width, track.height, focal, focal_35mm)


def assume_camera(
    width: int, height: int, focal: float | None = None, focal_35mm: float | None = None
) -> AssumedCamera:
    """As :func:`choose_camera`, of images of ``width`` x ``height`` px whose camera says nothing of itself."""
    for name, length in dict(focal=focal, focal_35mm=focal_35mm).items():
        if length is not None and not (np.isfinite(length) and length > 0):
            raise ValueError(f"{name} is {length}; give a focal length above 0, or leave it out")
    diagonal = float(np.hypot(width, height))
    if focal is not None:
        source = "given"
    elif focal_35mm is not None:
        focal, source = focal_35mm * diagonal / DIAGONAL_35MM, f"{focal_35mm:g} mm in 35 mm equivalent"
    else:
        focal, source = diagonal, "a guess: the image's diagonal, 53 degrees from corner to corner"
    return AssumedCamera(np.array([focal, focal, width / 2, height / 2, 0, 0, 0, 0, 0], np.float32), source)


def add_trajectory(lifted: Track3D, camera: AssumedCamera | None = None) -> Track3D:
    """The track with its root in camera space: where its 3D, at its own size, is seen where the 2D is.

    camera: None is :func:`choose_camera`'s. Least squares over the keypoints that were seen (see
    :func:`mpm_mmpose.pose.geometry.fit_root`); a frame with fewer than six of them is interpolated. What
    is taken for granted is logged. Raises ValueError where no frame has six.
    """
    track = lifted.track
    camera = choose_camera(track) if camera is None else camera
    _log.info(f"person {track.person}: {assumptions(camera)}")
    keypoints, seen = visible_keypoints(track, lifted.keypoint_set, 0.0, BY_DEFINITION)
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    seen &= ~lifted.masked & known[:, None]
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


def place(lifted: Track3D, notes: list[str], camera: AssumedCamera, raw: bool = False) -> Track3D:
    """With its trajectory, where there can be one; notes get what it takes for granted, or why there is none.

    The depth is smoothed (:func:`~mpm_mmpose.lifting.steadying.steady`) unless ``raw``.
    """
    try:
        placed = add_trajectory(lifted, camera)
        placed = placed if raw else steady(placed)
    except ValueError as error:
        notes.append(f"no trajectory: {error}")
        return lifted
    said = assumptions(camera)
    notes += [said] if said not in notes else []
    return placed


def assumptions(camera: AssumedCamera) -> str:
    """What a trajectory takes for granted, in words."""
    fx, fy, cx, cy = camera.intrinsics[:4]
    focal = f"{fx:.0f} px" if fx == fy else f"{fx:.0f} x {fy:.0f} px"
    distorted = " (its distortion is left out)" if camera.intrinsics[4:].any() else ""
    return (
        f"the trajectory assumes a camera that stands still, of focal length {focal} ({camera.source}), that looks "
        f"through ({cx:.0f}, {cy:.0f}) px, without lens distortion{distorted}; and a person as tall as the model makes "
        "them. If the focal length or the person is 10 % larger, so is the distance."
    )
