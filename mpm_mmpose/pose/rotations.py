"""Rotation matrices between directions; Euler angles, quaternions and vectors of them; pure, vectorised over frames."""

from __future__ import annotations

import numpy as np

NEARLY_OPPOSITE = 1e-4  # of the sum of two unit vectors: which way to turn is then anybody's choice
GIMBAL_LOCK = 1e-7  # cosine of the middle angle


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) of length 1; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors, dtype=np.float64), where=length > 0)


def perpendicular(vectors: np.ndarray) -> np.ndarray:
    """A unit vector (..., 3) at a right angle to each of (..., 3), always the same one."""
    least = np.abs(vectors).argmin(-1)
    return unit(np.cross(vectors, np.eye(3)[least]))


def shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The rotation (..., 3, 3) by the smallest angle that takes unit vectors ``start`` to ``end``, both (..., 3)."""
    start, end = np.broadcast_arrays(start, end)
    opposite = np.linalg.norm(start + end, axis=-1) < NEARLY_OPPOSITE
    # Opposite ones by way of a half turn, after which the rest of the way is short.
    via = np.where(opposite[..., None], -start, start)
    turn = _half_turn(unit(via + end)) @ _half_turn(via)
    return np.where(opposite[..., None, None], turn @ _half_turn(perpendicular(start)), turn)


def axis_rotation(axis: str, angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) about 'x', 'y' or 'z' (either case) by angles (...) rad."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis.lower()]
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.zeros((*np.shape(angle), 3, 3))
    matrix[...] = np.eye(3)
    matrix[..., first, first] = matrix[..., second, second] = cos
    matrix[..., first, second], matrix[..., second, first] = -sin, sin
    return matrix


def turn_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) about unit vectors (..., 3) by angles (...) rad."""
    x, y, z = np.moveaxis(axis, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack((zero, -z, y, z, zero, -x, -y, x, zero), -1).reshape(*x.shape, 3, 3)
    angle = np.asarray(angle)[..., None, None]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def angle_about(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Angle (...) rad in [-pi, pi] about unit vectors (..., 3) from ``start``, at a right angle to them, to ``end``."""
    return np.arctan2((np.cross(axis, start) * end).sum(-1), (start * end).sum(-1))


def interpolate_directions(directions: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 3), where not ``known`` (N,) on the great circle between those around (slerp), or the nearest.

    Raises ValueError where none is known.
    """
    there = np.flatnonzero(known)
    if not len(there):
        raise ValueError("no direction is known")
    frames = np.arange(len(directions))
    after = np.clip(np.searchsorted(there, frames), 0, len(there) - 1)
    before = np.clip(np.searchsorted(there, frames, side="right") - 1, 0, len(there) - 1)
    first, last = there[before], there[after]
    start, end = directions[first], directions[last]
    cosine = (start * end).sum(-1)
    aside = end - cosine[:, None] * start
    aside = np.where(np.linalg.norm(aside, axis=-1, keepdims=True) < 1e-9, perpendicular(start), unit(aside))
    share = (frames - first) / np.maximum(last - first, 1)
    angle = (share * np.arccos(np.clip(cosine, -1, 1)))[:, None]
    between = np.cos(angle) * start + np.sin(angle) * aside
    return np.where(known[:, None], directions, between)


def euler_zxy(rotations: np.ndarray) -> np.ndarray:
    """Angles z, x, y (N, J, 3) rad with Rz(z) Rx(x) Ry(y) = ``rotations`` (N, J, 3, 3), as near as can be to the frame
    before: beyond 180 degrees where a joint turns on, and through gimbal lock (x = 90 degrees) without a jump.
    """
    angles = np.empty(rotations.shape[:-1])
    previous = np.zeros(rotations.shape[1:-1])
    turn = 2 * np.pi
    for frame, matrices in enumerate(rotations):
        free = np.hypot(matrices[:, 0, 1], matrices[:, 1, 1]) > GIMBAL_LOCK
        z = np.where(free, np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1]), previous[:, 0])
        cos, sin = np.cos(z), np.sin(z)
        # Rx(x) Ry(y), which tells both angles whatever z is.
        y = np.arctan2(
            cos * matrices[:, 0, 2] + sin * matrices[:, 1, 2], cos * matrices[:, 0, 0] + sin * matrices[:, 1, 0]
        )
        x = np.arctan2(matrices[:, 2, 1], cos * matrices[:, 1, 1] - sin * matrices[:, 0, 1])
        one = np.stack((z, x, y), -1)
        both = np.stack((one, np.stack((z + np.pi, np.pi - x, y + np.pi), -1)))
        both += turn * np.round((previous - both) / turn)
        nearer = np.abs(both - previous).sum(-1).argmin(0)
        previous = angles[frame] = both[nearer, np.arange(len(z))]
    return angles


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Quaternions x, y, z, w (N, ..., 4) of rotations (N, ..., 3, 3), each of the sign nearer to the one before."""
    m = rotations
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (np.moveaxis(row, -1, 0) for row in np.moveaxis(m, -2, 0))
    # Four times the product of the quaternion with itself, of which each row is a multiple of it.
    rows = np.array(
        [
            [1 + xx - yy - zz, xy + yx, xz + zx, zy - yz],
            [xy + yx, 1 - xx + yy - zz, yz + zy, xz - zx],
            [xz + zx, yz + zy, 1 - xx - yy + zz, yx - xy],
            [zy - yz, xz - zx, yx - xy, 1 + xx + yy + zz],
        ]
    )
    products = np.moveaxis(rows, (0, 1), (-2, -1))
    largest = np.diagonal(products, axis1=-2, axis2=-1).argmax(-1)
    found = unit(np.take_along_axis(products, largest[..., None, None], -2)[..., 0, :])
    signs = np.where((found[1:] * found[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    found[1:] *= np.cumprod(signs, axis=0)
    return found


def rotation_vectors(rotations: np.ndarray) -> np.ndarray:
    """Axes times angles (N, ..., 3) rad, of at most pi, of rotations (N, ..., 3, 3)."""
    found = quaternions(rotations)
    found = np.where(found[..., 3:] < 0, -found, found)
    axis = found[..., :3]
    angle = 2 * np.arctan2(np.linalg.norm(axis, axis=-1), found[..., 3])
    return angle[..., None] * unit(axis)


def _half_turn(axis: np.ndarray) -> np.ndarray:
    return 2 * axis[..., :, None] * axis[..., None, :] - np.eye(3)
