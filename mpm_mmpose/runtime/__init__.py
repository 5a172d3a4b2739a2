"""Exported models without PyTorch: numpy and ONNX Runtime are all that is imported here."""

from __future__ import annotations

from ..lazy_names import lazy_names

_PLACES = {"ModelInfo": "model_info", "OnnxModel": "onnx_model"}
__all__ = list(_PLACES)
__getattr__ = lazy_names(__name__, _PLACES)
