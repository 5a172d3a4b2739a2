"""Models; importing registers them in mmpose's MODELS."""

from .backbone import MPMBackbone
from .completion_head import CompletionHead
from .completion_preprocessor import CompletionPreprocessor
from .lifting_head import LiftingHead
from .lifting_preprocessor import LiftingPreprocessor
from .person_backbone import PersonBackbone
from .pretrain import MaskedPoseEstimator, MaskedPoseHead
from .pretrain_preprocessor import PretrainPreprocessor
from .ray_preprocessor import RayPreprocessor
from .refine import RefinedLiftingHead, RefineModule
from .sequence_head import PersonSequenceHead, SequenceHead

__all__ = [
    "CompletionHead",
    "CompletionPreprocessor",
    "LiftingHead",
    "LiftingPreprocessor",
    "MPMBackbone",
    "MaskedPoseEstimator",
    "MaskedPoseHead",
    "PersonBackbone",
    "PersonSequenceHead",
    "PretrainPreprocessor",
    "RayPreprocessor",
    "RefineModule",
    "RefinedLiftingHead",
    "SequenceHead",
]
