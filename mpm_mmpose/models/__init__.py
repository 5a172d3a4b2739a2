"""Models; importing registers them in mmpose's MODELS."""

from .backbone import MPMBackbone
from .completion_head import CompletionHead
from .lifting_head import LiftingHead
from .lifting_preprocessor import LiftingPreprocessor
from .pretrain import MaskedPoseEstimator, MaskedPoseHead
from .pretrain_preprocessor import PretrainPreprocessor
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
