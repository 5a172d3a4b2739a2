"""The upright view of 3D poses, and which bones to draw; numpy alone."""

from __future__ import annotations

import numpy as np

from ..pose.keypoints import KeypointSet

#: Where 3D poses are looked at from: degrees to the side of straight ahead, degrees above the horizon.
SIDEWAYS, ABOVE = 30.0, 12.0


def bones(keypoint_set: KeypointSet) -> list[tuple[int, int, str]]:
    """(parent, child, side) of every bone; the side is that of the child: left, right or middle."""
    sides = {i: "left" for i in keypoint_set.left} | {i: "right" for i in keypoint_set.right}
    return [(p, child, sides.get(child, "middle")) for child, p in enumerate(keypoint_set.parents) if p >= 0]


def camera_to_upright(points: np.ndarray) -> np.ndarray:
    """Camera space (x right, y down, z forward) (..., 3) as (x right, y away from the viewer, z up), same unit."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def flatten(points: np.ndarray, azimuth: float = SIDEWAYS, elevation: float = ABOVE) -> np.ndarray:
    """Parallel projection of (x right, y away, z up) points (..., 3) to the drawing (..., 2), same unit.

    The viewer stands at `azimuth` degrees counter-clockwise (seen from above) from straight in front, `elevation`
    degrees above the horizon, upright: at 0, 0 the result is (x, z).
    """
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    x, y, z = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0)
    right = x * np.cos(a) + y * np.sin(a)
    away = -x * np.sin(a) + y * np.cos(a)
    return np.stack([right, z * np.cos(e) + away * np.sin(e)], -1)
