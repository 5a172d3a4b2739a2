"""Which order of keypoints a file has, by the proportions that its people would have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..pose.keypoints import get_keypoint_set

# Bones that people have in every set: median of the logarithm of their length in an image, beside the median of the
# same person's bones, and its deviation. Measured on 22 subjects of the CMU database, seen by two cameras each.
_BONES = {
    ("shoulder", "elbow"): (-0.16, 0.28),
    ("elbow", "wrist"): (-0.69, 0.45),
    ("shoulder", "hip"): (0.42, 0.15),
    ("hip", "knee"): (0.15, 0.21),
    ("knee", "ankle"): (0.18, 0.19),
}
_WIDTHS = {"shoulder": (-0.15, 0.71), "hip": (-0.96, 0.65)}
_LIMBS = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
#: A bone counts as at most so many deviations off.
_MOST = 4.0
#: What is added for an elbow whose shoulder was not found, and the like: detectors find limbs from the trunk outwards.
_LOOSE_ENDS = 3.0
#: So many rows say enough; more take time.
_ROWS = 500
#: Sets fit clearly when they fit so many times better: of 178 views of validation and test clips none was taken for the
#: wrong one, from ten rows on, whether seen as a whole, from behind, or without legs, but 2 % of BODY_25B without legs.
CLEAR = 1.3


def proportions_misfit(keypoints: np.ndarray, found: np.ndarray, keypoint_set: str) -> float:
    """How far the bones are from a person's, in deviations, for keypoints (N, K, 2) and found (N, K) bool.

    About 0.6 for the right set, more than 1 for most others; NaN where no bone is found.
    """
    rows = np.unique(np.linspace(0, len(keypoints) - 1, _ROWS).astype(int))
    keypoints, found, index = keypoints[rows], found[rows], get_keypoint_set(keypoint_set).index
    ends, expected = [], []
    for side in ("left", "right"):
        ends += [(index(f"{side}_{upper}"), index(f"{side}_{lower}")) for upper, lower in _BONES]
        expected += _BONES.values()
    ends += [(index(f"left_{part}"), index(f"right_{part}")) for part in _WIDTHS]
    expected += _WIDTHS.values()
    (first, second), (mean, deviation) = np.transpose(ends), np.transpose(expected)
    there = found[:, first] & found[:, second]
    rows = there.sum(1) > 1  # one bone has no proportion
    if not rows.any():
        return float("nan")
    length = np.linalg.norm(keypoints[rows][:, first] - keypoints[rows][:, second], axis=-1)
    length = np.where(there[rows], np.log(np.maximum(length, 1e-6)), np.nan)
    off = np.abs(length - np.nanmedian(length, axis=1, keepdims=True) - mean) / deviation
    return float(np.median(np.nanmean(np.minimum(off, _MOST), axis=1))) + _LOOSE_ENDS * _loose_ends(found, index)


def _loose_ends(found: np.ndarray, index: object) -> float:
    """Share of the limbs' keypoints whose neighbour on the side of the trunk was not found."""
    loose = ends = 0
    for limb in _LIMBS:
        for inner, outer in zip(limb, limb[1:], strict=False):
            for side in ("left", "right"):
                end = found[:, index(f"{side}_{outer}")]
                loose += (end & ~found[:, index(f"{side}_{inner}")]).sum()
                ends += end.sum()
    return loose / max(ends, 1)


def likeliest_set(keypoints: np.ndarray, found: np.ndarray, candidates: Sequence[str]) -> tuple[str, float]:
    """The set of ``candidates`` that fits best, and how many times worse the next one fits; see :data:`CLEAR`.

    keypoints (N, K, 2) in any unit, found (N, K) bool. A factor of 1 says nothing: no bones, or one candidate.
    """
    fits = [proportions_misfit(keypoints, found, name) for name in candidates]
    if len(fits) < 2 or not np.isfinite(fits).all():
        return candidates[0], 1.0
    best, second = np.argsort(fits, kind="stable")[:2]
    return candidates[best], fits[second] / max(fits[best], 1e-9)
