"""The model that lifts, by name, file and backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..lifting.windows import WindowPredictor
from ..runtime.onnx_model import OnnxModel
from ..runtime.shipped import shipped_model
from .model_names import find_model, is_exported

if TYPE_CHECKING:
    import torch


def load_lifting_model(
    model: str | Path | None = None,
    weights: str | Path | None = None,
    backend: str | None = None,
    providers: Sequence[str] | None = None,
    device: str | torch.device | None = None,
) -> WindowPredictor:
    """What lifts windows: arguments as of :class:`~mpm_mmpose.apis.MPMInferencer`, which raises what this raises.

    PyTorch and MMPose are imported where a model of theirs is asked for, and not otherwise.
    """
    if is_exported(model, weights, backend):
        if weights is None and model is not None:
            raise UsageError("backend 'onnx': give the exported model as weights; see tools/deployment/export_onnx.py")
        return OnnxModel(shipped_model() if weights is None else weights, providers)
    if providers is not None:
        raise UsageError("providers are ONNX Runtime's: give backend='onnx' and an exported model")
    if Path(weights or "").suffix == ".onnx":
        raise UsageError(f"{weights}: is an exported model; give backend='onnx' (--backend onnx)")
    found = find_model(model, weights)
    import torch

    from ..lifting.window_model import WindowModel
    from .model_index import build_lifter

    return WindowModel(build_lifter(*found, device or ("cuda" if torch.cuda.is_available() else "cpu")))
