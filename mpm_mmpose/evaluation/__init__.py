"""Pose errors and the metric that reports them."""

from .metric import PoseErrorMetric

__all__ = ["PoseErrorMetric"]
