"""Loss curves from what mmengine logs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from mpm_mmpose.visualization.skeleton import new_figure, save

#: Different without colour too (Okabe and Ito, and a line style each).
STYLES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#000000", (0, (5, 1, 1, 1, 1, 1))),
)
#: Larger falls are drawn on a logarithmic scale.
LOG_FROM = 3.0

_COUNTERS = {"step", "iter", "epoch"}
_TIMES = {"time", "data_time"}


class Curve(NamedTuple):
    """Values over steps, both (N,): iterations for what training logs, epochs for validation metrics."""

    steps: np.ndarray
    values: np.ndarray


def read_scalars(work_dir: str | Path) -> dict[str, Curve]:
    """Read all that the newest run in a work directory logged, {name: Curve}, from <time>/vis_data/scalars.json.

    Training lines have an iteration and validation lines an epoch as their step; times are read from the former only.
    Raises FileNotFoundError where no run has logged, ValueError (file and line) for a line that is no JSON object.
    """
    files = sorted(Path(work_dir).glob("*/vis_data/scalars.json"), key=lambda file: file.parts[-3])
    if not files:
        raise FileNotFoundError(
            f"{work_dir}: no <time>/vis_data/scalars.json here; give the work_dir of a training that has logged"
        )
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number, line in enumerate(files[-1].read_text(encoding="utf-8").splitlines(), 1):
        try:
            scalars = dict(json.loads(line))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{files[-1]}, line {number}: not a JSON object ({error}); delete the line") from None
        left_out = _COUNTERS if "iter" in scalars else _COUNTERS | _TIMES
        step = scalars.get("iter", scalars.get("step", 0))
        for name, value in scalars.items():
            if name not in left_out and isinstance(value, (int, float)):
                points[name].append((step, value))
    return {name: Curve(*np.array(pairs, dtype=np.float64).T) for name, pairs in points.items()}


def draw_loss_curves(histories: Mapping[str, Mapping[str, Curve]], out_png: str | Path) -> Path:
    """Draw the losses of trainings, {title: `read_scalars` of it}.

    Trainings with the same losses share a panel, where their total losses are compared; one that is alone in its panel
    shows its total loss and the parts of it. Raises ValueError where a history has no `loss`.
    """
    panels: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for title, scalars in histories.items():
        if "loss" not in scalars:
            raise ValueError(f"{title}: no `loss` among the scalars, only {', '.join(scalars) or 'nothing'}")
        panels[tuple(sorted(name for name in scalars if name.startswith("loss")))].append(title)
    if not panels:
        raise ValueError("draw_loss_curves got no history; give at least one")
    figure = new_figure(4.9 * len(panels), 3.6, dpi=120)
    for axes, (names, titles) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        if len(titles) > 1:
            curves = {title: histories[title]["loss"] for title in titles}
            axes.set_title("total loss")
        else:
            curves = {("total" if name == "loss" else name): histories[titles[0]][name] for name in names}
            axes.set_title(titles[0])
        _draw_panel(axes, curves)
    figure.tight_layout()
    return save(figure, out_png)


def _draw_panel(axes: Axes, curves: Mapping[str, Curve]) -> None:
    # A few points are marked: a line between two of them looks like more than was measured.
    for (name, curve), (colour, style) in zip(curves.items(), STYLES * len(curves), strict=False):
        marker = "o" if len(curve.steps) < 30 else None
        axes.plot(*curve, color=colour, linestyle=style, linewidth=1.8, marker=marker, markersize=3, label=name)
    values = np.concatenate([curve.values for curve in curves.values()])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > LOG_FROM * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel="training step", ylabel="loss")
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
