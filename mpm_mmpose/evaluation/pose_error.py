"""Errors of 3D poses in the unit of the poses, after an alignment of each pose; numpy, computed in float64.

Prediction and ground truth are (N, K, 3), numpy arrays or anything numpy can read (CPU tensors too). Every function of
`ERRORS` gives (N,): the mean over the keypoints of the Euclidean distance; the root is a keypoint like the others. A
pose that is not finite gets NaN, whatever the others are. Raises ValueError where the shapes differ or are not
(N, K, 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

MILLIMETRES = 1000
TITLES = {"mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE"}
SMALLEST_SHAPE = 3  # keypoints; fewer can be laid onto any others, and P-MPJPE would be 0 whatever was predicted


def mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Mean per-joint position error as it stands: (N, K, 3) twice to (N,). Protocol 1 where poses are root-relative."""
    return keypoint_errors(pred, gt, names=("mpjpe",))["mpjpe"].mean(1)


def n_mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Error after the best scale of each pose about the origin: (N, K, 3) twice to (N,).

    For root-relative poses the origin is the root. mmpose's alignment 'scale'; a prediction that is all zero stays so,
    where mmpose divides by zero. Source: Rhodin et al., CVPR 2018.
    """
    return keypoint_errors(pred, gt, names=("n_mpjpe",))["n_mpjpe"].mean(1)


def p_mpjpe(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Error after the best similarity (scale, rotation, translation) of each pose: (N, K, 3) twice to (N,).

    No reflection: a mirrored pose keeps an error. mmpose's alignment 'procrustes'; a prediction with all keypoints in
    one point shrinks to the centre of the ground truth, where mmpose divides by zero. Protocol 2.
    """
    return keypoint_errors(pred, gt, names=("p_mpjpe",))["p_mpjpe"].mean(1)


ERRORS = {"mpjpe": mpjpe, "p_mpjpe": p_mpjpe, "n_mpjpe": n_mpjpe}


def keypoint_errors(
    pred: ArrayLike, gt: ArrayLike, counted: np.ndarray | None = None, names: tuple[str, ...] = tuple(ERRORS)
) -> dict[str, np.ndarray]:
    """Distance of every keypoint after the alignment of each error in ``names``: {name: (N, K)}.

    counted (N, K) bool, all by default: the keypoints that a pose is aligned by and that get a figure; the others get
    NaN, whatever their coordinates are. NaN, too: a pose that is not finite where it counts, and P-MPJPE of a pose with
    fewer than three keypoints that count.
    """
    pred, gt = np.asarray(pred, np.float64), np.asarray(gt, np.float64)
    if pred.shape != gt.shape or pred.ndim != 3 or pred.shape[-1] != 3:
        raise ValueError(f"prediction {pred.shape} and ground truth {gt.shape} must both have the shape (N, K, 3)")
    if counted is None:
        counted = np.ones(pred.shape[:2], bool)
    elif counted.shape != pred.shape[:2]:
        raise ValueError(f"counted {counted.shape} must have the shape {pred.shape[:2]} of the poses")
    whole = counted.all()
    if not whole:
        pred, gt = np.where(counted[..., None], pred, 0), np.where(counted[..., None], gt, 0)
    # One pose that is not finite would make the whole batch's decomposition fail.
    finite = np.isfinite(pred).all((1, 2)) & np.isfinite(gt).all((1, 2))
    rows = slice(None) if finite.all() else finite
    pred, gt, counted = pred[rows], gt[rows], counted[rows]
    weights = None if whole else counted
    errors = {}
    for name in names:
        errors[name] = np.full((len(finite), pred.shape[1]), np.nan)
        distances = np.linalg.norm(_ALIGNMENTS[name](pred, gt, weights) - gt, axis=-1)
        errors[name][rows] = distances if whole else np.where(counted, distances, np.nan)
    return errors


def _as_it_stands(pred: np.ndarray, gt: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    return pred


def _best_scale(pred: np.ndarray, gt: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """Keypoints that do not count are 0 and therefore have no say."""
    scale = _ratio(np.einsum("nkc,nkc->n", pred, gt), np.einsum("nkc,nkc->n", pred, pred))
    return pred * scale[:, None, None]


def _best_similarity(pred: np.ndarray, gt: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    """All poses at once: one batched decomposition of their 3x3 covariances."""
    size = np.abs(pred).max((1, 2), initial=0)
    number = np.full(len(pred), pred.shape[1]) if counted is None else counted.sum(1)
    pred, _ = _centred(pred, counted)
    gt, centre = _centred(gt, counted)
    variance = np.einsum("nkc,nkc->n", pred, pred)
    # What the subtraction of the centre leaves of equal points is rounding, not a shape.
    variance[variance <= number * (8 * np.finfo(np.float64).eps * size) ** 2] = 0

    u, s, vt = np.linalg.svd(pred.swapaxes(1, 2) @ gt)
    # Turn the axis of least variance where the best orthogonal map would mirror.
    handedness = np.sign(np.linalg.det(u @ vt))
    u[:, :, -1] *= handedness[:, None]
    s[:, -1] *= handedness
    scale = _ratio(s.sum(1), variance)
    aligned = scale[:, None, None] * (pred @ (u @ vt)) + centre
    aligned[number < SMALLEST_SHAPE] = np.nan
    return aligned


_ALIGNMENTS = {"mpjpe": _as_it_stands, "p_mpjpe": _best_similarity, "n_mpjpe": _best_scale}


def _centred(poses: np.ndarray, counted: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, K, 3) about the centre (N, 1, 3) of what counts, and that centre; what does not count stays 0."""
    if counted is None:
        centre = poses.mean(1, keepdims=True)
        return poses - centre, centre
    centre = poses.sum(1, keepdims=True) / np.maximum(counted.sum(1), 1)[:, None, None]
    return (poses - centre) * counted[..., None], centre


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator != 0)
