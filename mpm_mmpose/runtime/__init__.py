"""Exported models without PyTorch: numpy and ONNX Runtime are all that is imported here."""

from __future__ import annotations

from importlib import import_module

_PLACES = {"ModelInfo": "model_info", "OnnxModel": "onnx_model"}
__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    # Imported when asked for: `--help` answers at once.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
