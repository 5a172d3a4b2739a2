"""A trained model as a file for ONNX Runtime, torch.export or TorchScript, compared with PyTorch before it is kept."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..apis.model_index import build_lifter
from ..atomic_file import write_atomically
from ..errors import UsageError, unknown_name
from ..lifting.window_model import WindowModel
from ..pose.keypoints import get_keypoint_set
from ..runtime.model_info import INPUT, INPUTS, MASKED, ModelInfo
from ..runtime.onnx_model import open_session
from ..version import __version__
from .graph import ExportedGraph
from .precision import PRECISIONS, convert

#: The oldest that PyTorch's exporter writes itself; every ONNX Runtime since 1.14 reads it.
OPSET = 18
#: Largest difference to PyTorch at which a float32 file is kept: of poses in m, of features as a part of the largest.
TOLERANCE = 1e-4
SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2", "torchscript": ".ts"}
_CHECKED = 32  # random windows
_SHARE_MASKED = 0.3


def export_model(
    config: str | Path | None,
    checkpoint: str | Path,
    out: str | Path,
    *,
    output: str = "target",
    format: str = "onnx",
    precision: str = "float32",
    opset: int = OPSET,
) -> tuple[ModelInfo, float]:
    """Write the model of a checkpoint to ``out``, as a whole or not at all.

    config: overrules what the checkpoint says of its model, or says what it does not; see
    :func:`~mpm_mmpose.apis.model_index.build_lifter`.
    output: as :class:`~mpm_mmpose.deployment.graph.ExportedGraph`. format: of SUFFIXES. precision: of PRECISIONS, other
    than float32 for ONNX only. Returns what the file says of itself, and the largest difference to PyTorch over random
    windows, in m (of features: as a part of the largest). Raises UsageError for what cannot be meant; ValueError or
    OSError for files that cannot be read or written, and where a float32 file gives other numbers than PyTorch.
    """
    if format not in SUFFIXES:
        raise unknown_name("format", format, SUFFIXES)
    if Path(out).suffix != SUFFIXES[format]:
        raise UsageError(f"{out}: give a file that ends in {SUFFIXES[format]}, by which others know what it is")
    if precision not in PRECISIONS:
        raise unknown_name("precision", precision, PRECISIONS)
    if precision != "float32" and format != "onnx":
        raise UsageError(f"precision {precision} is for ONNX; torch's own tools convert a {format} file")
    graph, info = build_graph(config, checkpoint, output, precision)
    return info, write_graph(graph, info, out, format, opset)


def build_graph(
    config: str | Path | None, checkpoint: str | Path | None, output: str = "target", precision: str = "float32"
) -> tuple[ExportedGraph, ModelInfo]:
    """What is exported of a model and the description of it; without a checkpoint a config's with random weights."""
    model = build_lifter(config, checkpoint, "cpu")
    predictor = WindowModel(model)
    keypoint_set = predictor.keypoint_set
    info = ModelInfo(
        input=("rays" if predictor.space == "rays" else "2d") if "2d" in predictor.inputs else "3d",
        output=output,
        keypoint_set=keypoint_set,
        window=predictor.window,
        frame_step=predictor.trained_frame_step,
        fps=predictor.trained_fps,
        mask_tokens=predictor.mask_tokens,
        made_by=f"mpm_mmpose {__version__}, torch {torch.__version__}",
        config="" if config is None else Path(config).name,
        checkpoint="random weights" if checkpoint is None else Path(checkpoint).name,
        precision=precision,
        model=json.dumps(model.description.model),
    )
    return ExportedGraph(model, output, keypoint_set).eval(), info


@torch.inference_mode()
def write_graph(graph: ExportedGraph, info: ModelInfo, out: str | Path, format: str, opset: int = OPSET) -> float:
    """Write a graph to ``out`` and return how far it is from PyTorch; see :func:`export_model`."""
    write = {"onnx": partial(_write_onnx, opset=opset), "torch_export": _write_program, "torchscript": _write_script}
    differences = []

    def write_and_check(path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporters' about their own insides
            write[format](graph, info, path)
        differences.append(_difference(graph, info, path, format))
        if info.precision == "float32" and not differences[0] <= TOLERANCE:
            raise ValueError(f"{out}: what was written differs from PyTorch by {differences[0]:.1e}; nothing was kept")

    write_atomically(out, write_and_check)
    return differences[0]


def random_windows(info: ModelInfo, number: int, seed: int) -> tuple[Tensor, ...]:
    """Arguments of a graph: keypoints (B, T, K, 2 or 3), normal numbers of deviation 0.5, and masked if it takes it."""
    random = torch.Generator().manual_seed(seed)
    shape = number, info.window, len(get_keypoint_set(info.keypoint_set))
    keypoints = torch.randn(*shape, int(INPUTS[info.input][0][0]), generator=random) / 2
    masked = torch.rand(*shape, generator=random) < _SHARE_MASKED
    return (keypoints, masked) if info.mask_tokens else (keypoints,)


def load_exported(path: str | Path, format: str, threads: int | None = None) -> Callable[..., Tensor]:
    """An exported file as a function of tensors on the CPU, as :class:`ExportedGraph`; threads: of ONNX Runtime."""
    if format == "torch_export":
        return torch.export.load(path).module()
    if format == "torchscript":
        return torch.jit.load(path)
    session = open_session(path, ["CPUExecutionProvider"], threads)

    def run(*arguments: Tensor) -> Tensor:
        feed = dict(zip((INPUT, MASKED), (argument.numpy() for argument in arguments), strict=False))
        return torch.from_numpy(session.run(None, feed)[0])

    return run


def _write_onnx(graph: ExportedGraph, info: ModelInfo, path: Path, opset: int) -> None:
    arguments = random_windows(info, 2, seed=0)
    program = torch.onnx.export(
        graph,
        arguments,
        dynamo=True,
        input_names=[INPUT, MASKED][: len(arguments)],
        output_names=["features" if info.output == "features" else "poses"],
        dynamic_shapes=_dynamic(arguments),
        opset_version=opset,
        verbose=False,
    )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # where in whose source file it was written
    program.model.metadata_props.update(info.to_metadata() | dict(mpm_opset=str(opset)))
    program.save(path, external_data=False)
    convert(path, info.precision)


def _write_program(graph: ExportedGraph, info: ModelInfo, path: Path) -> None:
    arguments = random_windows(info, 2, seed=0)
    program = torch.export.export(graph, arguments, dynamic_shapes=_dynamic(arguments))
    torch.export.save(program, path, extra_files={"mpm.json": json.dumps(info.to_metadata(), indent=2)})


def _write_script(graph: ExportedGraph, info: ModelInfo, path: Path) -> None:
    traced = torch.jit.trace(graph, random_windows(info, 2, seed=0))
    torch.jit.save(traced, path, _extra_files={"mpm.json": json.dumps(info.to_metadata(), indent=2)})


def _dynamic(arguments: tuple[Tensor, ...]) -> tuple[dict[int, object], ...]:
    batch = torch.export.Dim("batch")
    return tuple({0: batch} for _ in arguments)


def _difference(graph: ExportedGraph, info: ModelInfo, path: Path, format: str) -> float:
    """The largest over some batches of random windows; NaN where one of them gives NaN. Features are of any size."""
    exported = load_exported(path, format)
    worst = []
    for seed, number in enumerate((1, _CHECKED - 1)):  # a batch of one is where exporters err
        arguments = random_windows(info, number, seed)
        expected = graph(*arguments)
        unit = expected.abs().max() if info.output == "features" else 1.0
        worst.append((exported(*arguments) - expected).abs().max() / unit)
    return float(np.max(worst))
