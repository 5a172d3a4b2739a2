"""All trainings of a comparison, one after the other, and the page about them."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from tqdm import tqdm

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.errors import UsageError

from .budget import Budget
from .lifters import FRAMES, LIFTERS
from .table import Results, as_csv, as_markdown, by_group, columns
from .trainings import Training

KEYPOINT_SET = "h36m_17"


def check_stores(stores: Sequence[Path]) -> None:
    """UsageError (store, what, fix) for stores that not every model can be trained or tested on."""
    for path in stores:
        try:
            store = PoseStore(path)
        except FileNotFoundError as error:
            raise UsageError(str(error)) from None
        if store.keypoint_set != KEYPOINT_SET or store.keypoints is None or store.keypoints_3d is None:
            raise UsageError(f"{path}: MMPose's lifters want 2D and 3D of {KEYPOINT_SET}; convert the data to it")
        if store.lengths.max() < FRAMES:
            raise UsageError(
                f"{path}: no clip has the {FRAMES} frames of a window; the longest has {store.lengths.max()}"
            )


def compare(
    models: Sequence[str], stores: Sequence[Path], budget: Budget, seeds: int, rates: Sequence[float], folder: Path
) -> Results:
    """Train and test all models. stores: for training, validation, test.

    rates: factors of each model's learning rate that seed 0 is trained with; the best one on the validation store is
    trained with all seeds and tested. Every training is kept in ``folder`` and done once.
    """
    train, val, test = stores
    results = {}
    with tqdm(total=len(models) * (seeds + (len(rates) if len(rates) > 1 else 0)), unit="training") as bar:
        for model in models:
            chosen = rates[0]
            if len(rates) > 1:
                found = {}
                for rate in rates:
                    bar.set_description(f"{model}, rate x {rate:g}")
                    run = Training(model, 0, rate, train, val, budget).run(folder / model / f"rate_{rate:g}")
                    found[rate] = run["figures"]["mpjpe"]
                    bar.update()
                chosen = min(found, key=found.get)
            results[model] = []
            for seed in range(seeds):
                bar.set_description(f"{model}, seed {seed}")
                place = folder / model / f"rate_{chosen:g}_seed_{seed}"
                results[model].append(Training(model, seed, chosen, train, test, budget).run(place))
                bar.update()
    return results


def write_page(results: Results, budget: Budget, stores: Sequence[Path], command: str, out: Path) -> str:
    """Write ``out`` (Markdown), and .csv and .png beside it; returns the Markdown."""
    rows = columns(results)
    seeds = len(next(iter(results.values())))
    machine = f"{torch.get_num_threads()} threads of {_processor()}"
    said = (
        f"{budget}, {seeds} seeds; trained on `{stores[0].name}`, tested on all frames of `{stores[2].name}`, one "
        f"window per frame, root-relative, mm. {date.today()}, {machine}, Python {platform.python_version()}, torch "
        f"{torch.__version__}."
    )
    text = "\n\n".join(
        [f"`{command}`", said, as_markdown(rows), "MPJPE by action:", as_markdown(by_group(results, "by_action"))]
    )
    write_atomically(out, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    write_atomically(out.with_suffix(".csv"), lambda path: path.write_text(as_csv(rows), encoding="utf-8"))
    write_atomically(out.with_suffix(".png"), lambda path: _draw(results, path))
    return text


def _draw(results: Results, path: Path) -> None:
    """Error over cost: one point per model, a bar over its seeds."""
    figure, axes = plt.subplots(figsize=(7, 5.5), dpi=150, layout="constrained")
    for name, runs in results.items():
        errors, cost = np.array([run["figures"]["mpjpe"] for run in runs]), runs[0]["mflop_a_frame"]
        axes.plot([cost, cost], [errors.min(), errors.max()], color="gray")
        axes.plot(cost, errors.mean(), "o", label=LIFTERS[name].title)
    axes.set(xscale="log", xlabel="MFLOP a frame", ylabel="MPJPE, mm")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", fontsize=8, frameon=False)
    figure.savefig(path, format="png")
    plt.close(figure)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "an unknown processor"
