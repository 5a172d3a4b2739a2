"""What people look like in 2D, learned from a store; what `mpm_mmpose.pose.consistency` compares with."""

from __future__ import annotations

import numpy as np

from mpm_mmpose.pose.consistency import BodyViews


def learn_body_views(keypoints: np.ndarray, axes: int = 6) -> BodyViews:
    """The mean of upright people's 2D (N, 17, 2), and the ``axes`` principal components of it."""
    shapes = keypoints - keypoints.mean(1, keepdims=True)
    shapes = (shapes / np.sqrt((shapes**2).sum(2).mean(1))[:, None, None]).reshape(len(shapes), -1)
    mean = shapes.mean(0)
    variances, directions = np.linalg.eigh(np.cov(shapes.T))
    chosen = np.argsort(-variances)[:axes]
    return BodyViews(mean.reshape(17, 2), directions.T[chosen].reshape(axes, 17, 2), variances[chosen])
