"""The one distance that every loss of MPM is made of."""

import torch
from torch import Tensor


def mean_distance(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean Euclidean distance of keypoints, in their unit and in the precision of ``target``.

    predicted, target: (..., K, 2 or 3); weight: (..., K) bool or number, 0 = does not count. With nothing to count the
    result is 0. Returns a scalar; nothing waits for the device. Paper Eq. 6, 9 and 10; the released ones are the same.
    """
    distance = torch.linalg.vector_norm(predicted.to(target.dtype) - target, dim=-1)
    if weight is None:
        return distance.mean()
    weight = weight.to(distance.dtype)
    return (distance * weight).sum() / weight.sum().clamp(min=1)
