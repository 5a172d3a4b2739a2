"""Errors of 3D poses, one figure a pose, in the unit of the poses; numpy, computed in float64.

Every function takes prediction and ground truth (N, K, 3), numpy arrays or anything numpy can read (CPU tensors too),
and gives (N,). Mean over the keypoints of the Euclidean distance; the root is a keypoint like the others. A pose that
is not finite gets NaN, whatever the others are. Raises ValueError where the shapes differ or are not (N, K, 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Mean per-joint position error as it stands: (N, K, 3) twice to (N,). Protocol 1 where poses are root-relative."""
    pred, gt = _poses(pred, gt)
    return _distance(pred, gt)


def n_mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Error after the best scale of each pose about the origin: (N, K, 3) twice to (N,).

    For root-relative poses the origin is the root. mmpose's alignment 'scale'; a prediction that is all zero stays so,
    where mmpose divides by zero. Source: Rhodin et al., CVPR 2018.
    """
    pred, gt = _poses(pred, gt)
    scale = _ratio((pred * gt).sum((1, 2)), (pred * pred).sum((1, 2)))
    return _distance(pred * scale[:, None, None], gt)


def p_mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Error after the best similarity (scale, rotation, translation) of each pose: (N, K, 3) twice to (N,).

    No reflection: a mirrored pose keeps an error. mmpose's alignment 'procrustes'; a prediction with all keypoints in
    one point shrinks to the centre of the ground truth, where mmpose divides by zero. Protocol 2.
    """
    pred, gt = _poses(pred, gt)
    errors = np.full(len(pred), np.nan)
    # One pose that is not finite would make the whole batch's decomposition fail.
    finite = np.isfinite(pred).all((1, 2)) & np.isfinite(gt).all((1, 2))
    pred, gt = pred[finite], gt[finite]

    size = np.abs(pred).max((1, 2), initial=0)
    pred, gt = pred - pred.mean(1, keepdims=True), gt - gt.mean(1, keepdims=True)
    variance = (pred * pred).sum((1, 2))
    # What the subtraction of the centre leaves of equal points is rounding, not a shape.
    variance[variance <= pred.shape[1] * (8 * np.finfo(np.float64).eps * size) ** 2] = 0

    u, s, vt = np.linalg.svd(pred.swapaxes(1, 2) @ gt)
    # Turn the axis of least variance where the best orthogonal map would mirror.
    handedness = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= handedness[:, None]
    s[:, -1] *= handedness
    scale = _ratio(s.sum(1), variance)
    errors[finite] = _distance(scale[:, None, None] * (pred @ (u @ vt)), gt)
    return errors


def _poses(pred: ArrayLike, gt: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    pred, gt = np.asarray(pred, np.float64), np.asarray(gt, np.float64)
    if pred.shape != gt.shape or pred.ndim != 3 or pred.shape[-1] != 3:
        raise ValueError(f"prediction {pred.shape} and ground truth {gt.shape} must both have the shape (N, K, 3)")
    # NaN goes through arithmetic silently, infinity does not.
    return np.where(np.isfinite(pred), pred, np.nan), np.where(np.isfinite(gt), gt, np.nan)


def _distance(pred: np.ndarray, gt: np.ndarray) -> np.ndarray:
    return np.linalg.norm(pred - gt, axis=-1).mean(-1)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator != 0)
