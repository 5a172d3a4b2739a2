"""What features know of a pose: how well a linear map finds the 3D in them, and how many directions they use."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-4  # times the number of rows, on standardised features: enough to invert, too little to matter


def probe_error(features: Tensor, targets: Tensor, test_features: Tensor, test_targets: Tensor) -> float:
    """Mean distance, in the unit of the targets, of a linear map from features that was fitted by ridge regression.

    features (N, C), test_features (M, C); targets (N, K, 3), test_targets (M, K, 3), metres. Raises ValueError where
    the sizes do not fit.
    """
    if len(features) != len(targets) or len(test_features) != len(test_targets):
        raise ValueError(
            f"{len(features)} features for {len(targets)} poses, {len(test_features)} for {len(test_targets)} in test; "
            "give one row of features a pose"
        )
    features, test_features = features.double(), test_features.double()
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-12)
    x, x_test = (torch.nn.functional.pad((f - mean) / deviation, (0, 1), value=1.0) for f in (features, test_features))
    penalty = RIDGE * len(x) * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    weights = torch.linalg.solve(x.T @ x + penalty, x.T @ targets.double().flatten(1))
    return ((x_test @ weights).view(test_targets.shape) - test_targets).norm(dim=-1).mean().item()


def effective_rank(features: Tensor) -> float:
    """Participation ratio of the variances of features (N, C): 1 where one direction has all of it, C where all share.

    (sum of the covariance's eigenvalues) squared over the sum of their squares.
    """
    variances = torch.linalg.svdvals(features.double() - features.double().mean(0)).square()
    return (variances.sum().square() / variances.square().sum()).item()
