"""PCK and AUC of MPI-INF-3DHP by keypoint group, from counts of errors between thresholds.

Source: `mpii_compute_3d_pck.m` of the data set's own evaluation: 14 keypoints in 8 groups, error strictly below 150 mm;
AUC is the mean of that share over 0, 5, ..., 150 mm. The total weighs each group by its number of keypoints.
"""

from __future__ import annotations

import numpy as np

from ..pose.keypoints import KeypointSet

THRESHOLDS = np.arange(0, 151, 5)
"""Millimetres; the last one is that of PCK."""
BINS = len(THRESHOLDS) + 1
_PAIRS = {group: (f"right_{name}", f"left_{name}") for group, name in (("Shou", "shoulder"), ("Elbow", "elbow"))}
_PAIRS |= {name.title(): (f"right_{name}", f"left_{name}") for name in ("wrist", "hip", "knee", "ankle")}
# What MPI-INF-3DHP calls neck is the thorax here. Pelvis, spine and the head's middle belong to no group.
GROUPS: dict[str, tuple[str, ...]] = {"Head": ("head_top",), "Neck": ("thorax",)} | _PAIRS
TOTAL = "Total"
GROUPED = tuple(name for names in GROUPS.values() for name in names)


def columns_of_groups(keypoints: KeypointSet) -> dict[str, list[int]]:
    """Where the keypoints of each group, and of all together (`Total`), are in a set; those it lacks are left out."""
    names = GROUPS | {TOTAL: GROUPED}
    return {
        group: [keypoints.index(name) for name in there if name in keypoints.names] for group, there in names.items()
    }


def bins(errors: np.ndarray) -> np.ndarray:
    """Number of thresholds that each error in mm is not below, 0 to 31; NaN counts as above all."""
    return np.searchsorted(THRESHOLDS, errors, side="right")


def hits(histogram: np.ndarray) -> np.ndarray:
    """Number of errors below each threshold, (..., 31), from the number of errors in each bin, (..., 32)."""
    return histogram.cumsum(-1)[..., :-1]


def pck_auc(errors: np.ndarray) -> tuple[float, float]:
    """PCK and AUC in per cent of errors in mm, any shape, all together."""
    curve = hits(np.bincount(bins(errors).ravel(), minlength=BINS)) / errors.size
    return 100 * float(curve[-1]), 100 * float(curve.mean())
