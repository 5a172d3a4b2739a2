"""Pose errors and the metric that reports them."""

from .metric import PoseErrorMetric
from .protocol import PRESETS, Protocol
from .sampler import ContiguousSampler

__all__ = ["PRESETS", "ContiguousSampler", "PoseErrorMetric", "Protocol"]
