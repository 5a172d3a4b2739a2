"""Models; importing registers them in mmpose's MODELS."""

from .backbone import MPMBackbone
from .data_preprocessor import LiftingPreprocessor, PretrainPreprocessor
from .lifting_head import LiftingHead
from .pretrain import MaskedPoseEstimator, MaskedPoseHead

__all__ = [
    "LiftingHead",
    "LiftingPreprocessor",
    "MPMBackbone",
    "MaskedPoseEstimator",
    "MaskedPoseHead",
    "PretrainPreprocessor",
]
