"""Models; importing registers them in mmpose's MODELS."""

from .backbone import MPMBackbone
from .completion_head import CompletionHead
from .data_preprocessor import LiftingPreprocessor, PretrainPreprocessor
from .lifting_head import LiftingHead
from .pretrain import MaskedPoseEstimator, MaskedPoseHead
from .refine import RefinedLiftingHead, RefineModule

__all__ = [
    "CompletionHead",
    "LiftingHead",
    "LiftingPreprocessor",
    "MPMBackbone",
    "MaskedPoseEstimator",
    "MaskedPoseHead",
    "PretrainPreprocessor",
    "RefineModule",
    "RefinedLiftingHead",
]
