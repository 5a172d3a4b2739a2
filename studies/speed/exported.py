"""What an exported model costs, in time and in error, beside PyTorch; all in one run, in turn."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mpm_mmpose.data import PoseWindowDataset
from mpm_mmpose.deployment.export import load_exported, random_windows, write_graph
from mpm_mmpose.deployment.graph import ExportedGraph
from mpm_mmpose.deployment.precision import PRECISIONS, convert
from mpm_mmpose.pose.geometry import root_relative, to_rays
from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.runtime.model_info import INPUTS, ModelInfo

Run = Callable[..., Tensor]


@dataclass(frozen=True)
class Row:
    """One way to run a model.

    size: of its file, MB, None for PyTorch. milliseconds: CPU time a window, by batch size, median of the rounds.
    distance: of its poses from PyTorch's, mm, mean; error: of its poses, MPJPE in mm. None without a store.
    """

    name: str
    size: float | None
    milliseconds: dict[int, float]
    distance: float | None = None
    error: float | None = None


@torch.inference_mode()
def benchmark(
    graph: ExportedGraph,
    info: ModelInfo,
    folder: Path,
    store: Path | None = None,
    *,
    max_windows: int = 2048,
    batches: Sequence[int] = (1, 64),
    rounds: int = 10,
    threads: int = 1,
) -> list[Row]:
    """PyTorch, and ONNX Runtime at each of PRECISIONS; the files are left in ``folder``.

    store: whose windows, ``max_windows`` of them, evenly spaced, errors are told of; the poses are those of the target
    frames, without flip test. Every round runs all ways once, so that a busy machine slows them alike. What is measured
    is the time that this process has the CPU, which with one thread is nearly the time on an idle machine.
    """
    torch.set_num_threads(threads)
    base = folder / "float32.onnx"
    write_graph(graph, info, base, "onnx")
    runs: dict[str, Run] = {"PyTorch float32": graph}
    sizes = {}
    for precision in PRECISIONS:
        path = folder / f"{precision}.onnx"
        if precision != "float32":
            shutil.copyfile(base, path)
            convert(path, precision)
        name = f"ONNX Runtime {precision}"
        runs[name], sizes[name] = load_exported(path, "onnx", threads), path.stat().st_size / 1e6
    times = _times(runs, info, batches, rounds)
    errors = {} if store is None else _errors(runs, info, store, max_windows)
    return [Row(name, sizes.get(name), times[name], *errors.get(name, ())) for name in runs]


def as_table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, times also as shares of the first row's."""
    batches = list(rows[0].milliseconds)
    heads = ["", "file, MB", *(f"CPU ms a window, batch {batch}" for batch in batches)]
    heads += ["distance from PyTorch, mm", "MPJPE, mm"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    for row in rows:
        cells = [row.name, "" if row.size is None else f"{row.size:.1f}"]
        for batch in batches:
            share = row.milliseconds[batch] / rows[0].milliseconds[batch]
            cells.append(f"{row.milliseconds[batch]:.2f} ({share:.2f})")
        cells += [
            "" if value is None else f"{value:.{digits}f}" for value, digits in ((row.distance, 3), (row.error, 2))
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _times(runs: dict[str, Run], info: ModelInfo, batches: Sequence[int], rounds: int) -> dict[str, dict[int, float]]:
    times: dict[str, dict[int, list[float]]] = {name: {batch: [] for batch in batches} for name in runs}
    for batch in batches:
        arguments = random_windows(info, batch, seed=0)
        for run in runs.values():
            run(*arguments)  # the first time is slower
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.process_time()
                run(*arguments)
                times[name][batch].append((time.process_time() - start) * 1000 / batch)
    return {name: {batch: statistics.median(of) for batch, of in taken.items()} for name, taken in times.items()}


def _errors(runs: dict[str, Run], info: ModelInfo, store: Path, max_windows: int) -> dict[str, tuple[float, float]]:
    """(mean distance from the first, MPJPE), both mm, of each."""
    data = PoseWindowDataset(
        store, info.window, info.frame_step, max_windows=max_windows, keypoint_set=info.keypoint_set
    )
    root, target = get_keypoint_set(info.keypoint_set).root, info.window // 2
    _, space = INPUTS[info.input]
    poses: dict[str, list[Tensor]] = {name: [] for name in runs}
    ground_truth = []
    for first in range(0, len(data), 64):
        batch = data.__getitems__(range(first, min(first + 64, len(data))))
        ground_truth.append(root_relative(batch["keypoints_3d"][:, target], root))
        masked = (torch.zeros(batch["keypoints"].shape[:3], dtype=torch.bool),) if info.mask_tokens else ()
        shown = batch["keypoints"] if space == "image" else to_rays(batch["keypoints"], batch["intrinsics"])
        for name, run in runs.items():
            poses[name].append(run(shown, *masked))
    whole = {name: torch.cat(parts) for name, parts in poses.items()}
    plain = next(iter(whole.values()))
    return {name: (_millimetres(of, plain), _millimetres(of, torch.cat(ground_truth))) for name, of in whole.items()}


def _millimetres(poses: Tensor, others: Tensor) -> float:
    return float((poses - others).norm(dim=-1).mean() * 1000)
