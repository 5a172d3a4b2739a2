"""Where a person stands in the image, apart from the pose."""

import torch
from torch import Tensor

# Nine tenths of the variance of 2D keypoints is the place (docs/results.md, table 6): at its own size it would drown
# the pose.
SCALE = 0.1


def window_place(keypoints: Tensor, masked: Tensor) -> Tensor:
    """Mean of the visible keypoints of a window: (B, T, K, 2) and masked (B, T, K) bool -> (B, 1, 1, 2).

    0 where all are masked; what masked ones hold does not matter.
    """
    visible = ~masked[..., None]
    total = torch.where(visible, keypoints, 0.0).sum((1, 2), keepdim=True)
    return total / visible.sum((1, 2), keepdim=True).clamp(min=1)


def with_place(keypoints: Tensor, place: Tensor) -> Tensor:
    """Put the place behind the keypoints of each frame, scaled: (B, T, K, 2) -> (B, T, K + 1, 2)."""
    return torch.cat([keypoints, SCALE * place.expand(-1, keypoints.shape[1], -1, -1)], dim=2)
