"""Windows of poses as a camera sees them: what augmentation takes and gives; pure."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Views(NamedTuple):
    """Windows of poses and how a camera sees them; what is not known is None.

    keypoints: (B, T, K, 2) normalised; keypoints_3d: (B, T, K, 3) camera space, metres; intrinsics: (B, 9) normalised,
    NaN where unknown; down: (B, 3) unit vector to the ground in camera space; scores: (B, T, K) confidence in [0, 1];
    missed: (B, T, K) bool, True where the detector did not find a keypoint, whose position is then not to be used.
    """

    keypoints: Tensor | None = None
    keypoints_3d: Tensor | None = None
    intrinsics: Tensor | None = None
    down: Tensor | None = None
    scores: Tensor | None = None
    missed: Tensor | None = None
