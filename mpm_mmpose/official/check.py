"""Converted models on the figures that the authors' code gives (layout of the reference notes, section 2)."""

from collections.abc import Mapping
from pathlib import Path

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .. import register  # noqa: F401  (what is built here is in MMPose's registry)
from .figures import Figures
from .names import Sizes
from .runs import FILES
from .weights import convert_state, model_config


def build_model(official: Mapping[str, Tensor], sizes: Sizes, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Build our model from weights of the authors, in evaluation mode.

    Raises:
        ValueError: The weights do not fit the model that their sizes describe.
    """
    # In double precision the folded LayerNorm weights must not be rounded to single first.
    official = {name: value.to(dtype) if value.is_floating_point() else value for name, value in official.items()}
    model = MODELS.build(model_config(sizes)).to(dtype)
    try:
        model.load_state_dict(convert_state(official, sizes))
    except RuntimeError as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:])
        raise ValueError(f"the weights do not fit a {sizes.kind} model of {sizes}: {reasons}") from None
    return model.eval()


def differences(official: Mapping[str, Tensor], sizes: Sizes, path: str | Path) -> dict[str, float]:
    """Largest absolute difference of every output, intermediate and loss that the file gives for these weights.

    Coordinates are normalised (2D) or metres (3D), as are the errors: those that the file gives in millimetres are
    compared in metres. ``f64/`` names were run in double precision.

    Raises:
        FileNotFoundError, ValueError: The file cannot be read, is not of the kind of the model, or not of its sizes.
    """
    figures = Figures(path)
    kind = next((kind for kind, (mark, _) in FILES.items() if mark in figures), None)
    if kind is None:
        raise ValueError(f"{path}: not a file of the reference's layout (none of {[m for m, _ in FILES.values()]})")
    if kind != sizes.kind and (kind, sizes.kind) != ("end-to-end", "lift"):
        raise ValueError(f"{path}: figures of a {kind} model, but the weights are of a {sizes.kind} model")
    found = {}
    for prefix, dtype in (("", torch.float32), ("f64/", torch.float64)):
        if not any(name.startswith(prefix) for name in figures.arrays):
            continue
        figures.dtype = dtype
        model = build_model(official, sizes, dtype)
        try:
            with torch.no_grad():
                outputs = FILES[kind][1](model, figures)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: the converted model does not run on it: {error}") from None
        for name, value in outputs.items():
            if prefix + name in figures:
                expected = figures[prefix + name].double()
                if value.numel() != expected.numel():
                    shapes = f"{tuple(value.shape)}, not {tuple(expected.shape)}"
                    raise ValueError(f"{path}: {prefix + name}: the converted model gives {shapes}")
                difference = (value.double().reshape(expected.shape) - expected).abs().max().item()
                found[prefix + name] = difference / 1000 if name.endswith("_mm") else difference
    if not found:
        raise ValueError(f"{path}: holds inputs of a {kind} model, but no outputs")
    return found
