"""Models; importing registers them in mmpose's MODELS."""

from .backbone import MPMBackbone
from .data_preprocessor import LiftingPreprocessor, PretrainPreprocessor

__all__ = ["LiftingPreprocessor", "MPMBackbone", "PretrainPreprocessor"]
