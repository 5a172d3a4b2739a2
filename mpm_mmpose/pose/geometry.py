"""Camera and world space, projection, screen normalisation and root-relative poses; pure, for numpy and torch alike.

Conventions: world Z up, camera x right, y down, z forward, both in metres; image in px; normalised x in [-1, 1] with
the aspect kept. Intrinsics are (..., 9) = fx, fy, cx, cy, k1, k2, k3, p1, p2 as in VideoPose3D, px or normalised units.
Intrinsics and depths of fewer axes than the points belong to the points' LEADING axes: (B, 9) goes with (B, T, K, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")


def _is_tensor(array: Array) -> bool:
    # Arrays are dealt with where PyTorch is not installed, too.
    return not isinstance(array, (np.ndarray, np.generic))


def _stack(parts: tuple[Array, ...]) -> Array:
    if _is_tensor(parts[0]):
        import torch

        return torch.stack(parts, -1)
    return np.stack(parts, -1)


def _align(intrinsics: Array, ndim: int) -> Array:
    """Intrinsics with axes of one put before the last until there are ``ndim``."""
    while intrinsics.ndim < ndim:
        intrinsics = intrinsics[..., None, :]
    return intrinsics


def normalize_screen(xy: Array, width: float | Array, height: float | Array) -> Array:
    """Image to normalised space: ``xy / w * 2 - [1, h / w]``.

    xy (..., 2) px; width and height px, numbers or arrays that broadcast with xy[..., 0]. Source: VideoPose3D.
    """
    return _stack((xy[..., 0] / width * 2 - 1, xy[..., 1] / width * 2 - height / width))


def denormalize_screen(xy: Array, width: float | Array, height: float | Array) -> Array:
    """Normalised to image space, the inverse of :func:`normalize_screen`; (..., 2) in, (..., 2) px out."""
    return _stack(((xy[..., 0] + 1) * width / 2, (xy[..., 1] + height / width) * width / 2))


def normalize_intrinsics(intrinsics: Array, width: float | Array, height: float | Array) -> Array:
    """Intrinsics in px to normalised units, (..., 9) to (..., 9); the distortion has no unit and stays.

    A point projected with the result is :func:`normalize_screen` of the point projected with ``intrinsics``.
    """
    fx, fy, cx, cy, *distortion = (intrinsics[..., i] for i in range(9))
    scale = 2 / width
    return _stack((fx * scale, fy * scale, cx * scale - 1, cy * scale - height / width, *distortion))


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4) in the order w, x, y, z, of any length but 0."""
    norm = (quaternion * quaternion).sum(-1) ** 0.5
    w, x, y, z = (quaternion[..., i] / norm for i in range(4))
    rows = (
        _stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y))),
        _stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x))),
        _stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y))),
    )
    return _stack(rows).swapaxes(-1, -2)


def axis_turn(angle: Array, axis: int | Array) -> Array:
    """Rotations (B, 3, 3) by angle (B,) rad about a coordinate axis, by its index, or about unit vectors (B, 3)."""
    half = angle / 2
    cos, sin = (half.cos(), half.sin()) if _is_tensor(half) else (np.cos(half), np.sin(half))
    if isinstance(axis, int):
        sides = (sin if i == axis else sin - sin for i in range(3))
    else:
        sides = (sin * axis[..., i] for i in range(3))
    return quaternion_to_matrix(_stack((cos, *sides)))


def rotated(rotation: Array, vectors: Array) -> Array:
    """Rotations (B, 3, 3) times vectors (B, ..., 3); no matrix product, since half precision or TF32 is too coarse."""
    for _ in range(vectors.ndim - 2):
        rotation = rotation[:, None]
    return sum(rotation[..., axis] * vectors[..., axis : axis + 1] for axis in range(3))


def multiplied(left: Array, right: Array) -> Array:
    """Matrices (B, 3, 3) times matrices (B, 3, 3), as exact as :func:`rotated`."""
    return sum(left[..., axis, None] * right[..., axis, None, :] for axis in range(3))


def world_to_camera(points: Array, rotation: Array, translation: Array) -> Array:
    """World to camera space, ``x_cam = R @ x + t``: points (..., 3) m, rotation (3, 3), translation (3,) m."""
    return points @ rotation.T + translation


def camera_to_world(points: Array, rotation: Array, translation: Array) -> Array:
    """Camera to world space, the inverse of :func:`world_to_camera`; (..., 3) m."""
    return (points - translation) @ rotation


def project(points: Array, intrinsics: Array) -> Array:
    """Camera space to the image with lens distortion: points (..., 3) m to (..., 2) in the unit of the intrinsics.

    x/z and y/z are clamped to [-1, 1] before the distortion, whose polynomial means nothing further out. The order of
    the tangential terms is VideoPose3D's ``project_to_2d``, because published intrinsics are used with it.
    """
    # cam (..., 9), xy (..., 2), r2, radial and tangential (..., 1).
    cam = _align(intrinsics, points.ndim)
    xy = (points[..., :2] / points[..., 2:]).clip(-1, 1)
    r2 = (xy * xy).sum(-1)[..., None]
    radial = 1 + r2 * (cam[..., 4:5] + r2 * (cam[..., 5:6] + r2 * cam[..., 6:7]))
    tangential = (cam[..., 7:9] * xy).sum(-1)[..., None]
    return cam[..., 0:2] * (xy * (radial + tangential) + cam[..., 7:9] * r2) + cam[..., 2:4]


def to_rays(uv: Array, intrinsics: Array) -> Array:
    """Image to rays x / z, y / z, distortion left out: uv (..., 2) in the unit of the intrinsics (..., 9)."""
    cam = _align(intrinsics, uv.ndim)
    return (uv - cam[..., 2:4]) / cam[..., 0:2]


def unproject_linear(uv: Array, depth: Array, intrinsics: Array) -> Array:
    """Image and depth to camera space, distortion left out: uv (..., 2), depth (...) m to (..., 3) m.

    uv and intrinsics share a unit (px or normalised).
    """
    xy = to_rays(uv, intrinsics) * depth[..., None]
    return _stack((xy[..., 0], xy[..., 1], depth))


def root_relative(poses: Array, root: int = 0) -> Array:
    """Poses (..., K, C) with keypoint ``root`` subtracted, same unit."""
    return poses - poses[..., root : root + 1, :]


def uvd_to_camera(uvd: Array, root_depth: Array, intrinsics: Array, root: int = 0) -> Array:
    """Camera-space poses of normalised image positions with a depth relative to the root: the refine module's geometry.

    uvd (..., K, 3): u, v normalised, d m relative to the root (the root's own d counts as 0); root_depth m, absolute;
    intrinsics (..., 9) normalised. root_depth (B,) or (B, T), intrinsics (B, 9) go with uvd (B, K, 3) or (B, T, K, 3).
    Out (..., K, 3) m, absolute; :func:`root_relative` of it is ``get_uvd2xyz`` of MPM's refine module (paper section
    4.2).
    """
    while root_depth.ndim < uvd.ndim - 1:
        root_depth = root_depth[..., None]
    depth = uvd[..., 2] - uvd[..., root : root + 1, 2] * _is_root(uvd, root) + root_depth
    return unproject_linear(uvd[..., :2], depth, intrinsics)


def fit_root(poses: Array, uv: Array, intrinsics: Array) -> Array:
    """Where a person stands: the shift (..., 3) m, camera space, that best takes root-relative poses to their image.

    poses (..., K, 3) m, uv (..., K, 2) and intrinsics (..., 9) of one unit, distortion left out. Least squares of
    x + tx = u (z + tz), and the same of y, which is linear in the shift: no iteration. At least 0.1 m away.
    """
    # ray and rest (..., K, 2), their means and xy (..., 2), depth (..., 1).
    ray = to_rays(uv, intrinsics)
    rest = ray * poses[..., 2:] - poses[..., :2]  # = (tx, ty) - ray * tz
    ray_mean, rest_mean = ray.mean(-2), rest.mean(-2)
    ray, rest = ray - ray_mean[..., None, :], rest - rest_mean[..., None, :]
    depth = -(ray * rest).sum(-1).sum(-1) / (ray * ray).sum(-1).sum(-1).clip(1e-12)
    depth = depth.clip(0.1)[..., None]
    xy = rest_mean + ray_mean * depth
    return _stack((xy[..., 0], xy[..., 1], depth[..., 0]))


def _is_root(poses: Array, root: int) -> Array:
    """1 at keypoint ``root``, else 0: (K,) in the type of ``poses``."""
    number = poses.shape[-2]
    if _is_tensor(poses):
        import torch

        return (torch.arange(number, device=poses.device) == root).to(poses.dtype)
    return (np.arange(number) == root).astype(poses.dtype)
