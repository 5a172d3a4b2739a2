"""Targets of pre-training in which all directions of a pose vary alike, and neither place nor size is left."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Smallest variance that is made 1, as a share of the largest: below it is noise, or a keypoint that stands still.
FLOOR = 1e-3
SMALLEST_SIZE = 1e-3


class Whitening(nn.Module):
    """Poses (..., K, D) to (..., K * D) numbers of mean 0 and variance 1, each a principal direction, and back.

    The statistics are buffers, so a checkpoint has them. Until :meth:`fit` they are those of poses that are white.

    Args:
        size: K * D.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("matrix", torch.eye(size))  # columns are directions over their deviations
        self.register_buffer("inverse", torch.eye(size))

    @torch.no_grad()
    def fit(self, poses: Tensor) -> None:
        """Take mean and principal directions of poses (N, K, D).

        Raises ValueError where there are fewer than two or they are not finite.
        """
        rows = poses.flatten(1).double()
        if len(rows) < 2 or not rows.isfinite().all():
            raise ValueError(f"whitening needs two finite poses or more, got {len(rows)}; check the training data")
        mean = rows.mean(0)
        values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        largest = values.max().clamp(min=torch.finfo(torch.float32).tiny)
        deviations = (values.clamp(min=0) + FLOOR * largest).sqrt()
        self.mean.copy_(mean)
        self.matrix.copy_(vectors / deviations)
        self.inverse.copy_((vectors * deviations).T)

    def forward(self, poses: Tensor) -> Tensor:
        """Poses (..., K, D) to white numbers (..., K * D)."""
        return (poses.flatten(-2) - self.mean) @ self.matrix

    def back(self, white: Tensor, dimensions: int) -> Tensor:
        """White numbers (..., K * D) to poses (..., K, D); dimensions: D."""
        return (white @ self.inverse + self.mean).unflatten(-1, (-1, dimensions))


def place_and_size(keypoints: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean (B, 1, 1, 2) and size (B, 1, 1, 1), a root mean square, of a window's visible 2D (B, T, K, 2).

    masked: (B, T, K) bool, True = not visible; None where all is. With nothing visible they are 0 and SMALLEST_SIZE.
    """
    weight = torch.ones_like(keypoints[..., :1]) if masked is None else (~masked)[..., None].to(keypoints.dtype)
    number = weight.sum((1, 2), keepdim=True).clamp(min=1)
    place = (keypoints * weight).sum((1, 2), keepdim=True) / number
    squares = ((keypoints - place).square() * weight).sum((1, 2, 3), keepdim=True)
    return place, (squares / number).sqrt().clamp(min=SMALLEST_SIZE)


def white_distance(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean over frames of the root mean square error in white directions, both (B, T, K * D); a scalar.

    weight: (B, T) bool or number, 0 = the frame does not count.
    """
    error = (predicted.to(target.dtype) - target).square().mean(-1).sqrt()
    if weight is None:
        return error.mean()
    weight = weight.to(error.dtype)
    return (error * weight).sum() / weight.sum().clamp(min=1)
