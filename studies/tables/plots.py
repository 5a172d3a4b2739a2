"""The table as a picture: bars, a line over the amount of data, or the surface over what is masked."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mpm_mmpose.visualization.skeleton import new_figure, save

from .report import RowResult
from .table import FIGURES, Table

OURS, PAPER = "#0072B2", "#D55E00"


def draw(table: Table, results: list[RowResult], path: Path) -> Path | None:
    """Draw the table's first figure of all rows that have one; None where no row has."""
    figure = table.figures[0]
    measured = [result for result in results if result.measured(figure).values]
    if not measured or not table.plot:
        return None
    kind = table.plot if len(measured) > 1 else "bars"
    height = 1.8 + 0.42 * len(measured) if kind == "bars" else 4.2
    picture = new_figure(7.0, height, dpi=150)
    axes = picture.add_subplot()
    {"bars": _bars, "line": _line, "surface": _surface}[kind](axes, table, measured, figure)
    # Over the whole picture: beside long names of rows the axes are narrow.
    picture.suptitle(f"Table {table.number}: {table.title}", fontsize=11, x=0.01, ha="left")
    picture.tight_layout()
    return save(picture, path)


def _bars(axes: Axes, table: Table, results: list[RowResult], figure: str) -> None:
    places = np.arange(len(results))[::-1]
    for place, result in zip(places, results, strict=True):
        ours = result.measured(figure)
        axes.barh(place, ours.mean, 0.6, color=OURS, alpha=0.85)
        if ours.interval:
            axes.plot(ours.interval, [place] * 2, color="black", linewidth=1.5)
        if ours.spread:
            axes.plot(ours.values, [place] * len(ours.values), "o", color="black", markersize=3)
        text = dict(textcoords="offset points", va="center", fontsize=9, color="white", weight="bold")
        axes.annotate(f"{ours.mean:.1f}", (0, place), (5, 0), **text)
        if figure in (paper := table.rows[result.row].printed):
            axes.plot(
                [paper[figure]] * 2, [place - 0.38, place + 0.38], color=PAPER, linewidth=2.5, label="paper, its data"
            )
    axes.set_yticks(places, [textwrap.fill(table.rows[result.row].title, 36) for result in results], fontsize=9)
    axes.set_xlabel(f"{FIGURES[figure]}\nbar: ours, line: 95 % interval" + _dots(results, figure), fontsize=9)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[:1], labels[:1], frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def _line(axes: Axes, table: Table, results: list[RowResult], figure: str) -> None:
    windows = [result.pretraining_windows for result in results]
    ours = [result.measured(figure) for result in results]
    axes.plot(windows, [found.mean for found in ours], "o-", color=OURS)
    for x, found in zip(windows, ours, strict=True):
        if found.interval:
            axes.plot([x, x], found.interval, color="black", linewidth=1.2)
        if found.spread:
            axes.plot([x] * len(found.values), found.values, ".", color="black")
    if min(windows) > 0 and max(windows) > min(windows):
        axes.set_xscale("log", base=2)
    axes.set_xticks(
        windows, [f"{table.rows[r.row].title}\n{n:,}" for r, n in zip(results, windows, strict=True)], fontsize=9
    )
    axes.minorticks_off()
    axes.set_xlabel("windows of pre-training; vertical line: 95 % interval" + _dots(results, figure))
    axes.set_ylabel(FIGURES[figure])
    axes.spines[["top", "right"]].set_visible(False)


def _surface(axes: Axes, table: Table, results: list[RowResult], figure: str) -> None:
    points = {tuple(map(int, re.findall(r"\d+", result.row))): result.measured(figure).mean for result in results}
    numbers, ratios = (sorted({point[axis] for point in points}) for axis in (0, 1))
    values = np.array([[points.get((number, ratio), np.nan) for ratio in ratios] for number in numbers])
    picture = axes.imshow(values, cmap="viridis_r", origin="lower", aspect="auto")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(j, i, f"{value:.1f}", ha="center", va="center", color="white" if value > middle else "black")
    axes.set_xticks(range(len(ratios)), [f"{ratio} %" for ratio in ratios])
    axes.set_yticks(range(len(numbers)), [f"{number} of 17" for number in numbers])
    axes.set_xlabel("masked frames")
    axes.set_ylabel("masked keypoints")
    axes.figure.colorbar(picture, ax=axes, label=FIGURES[figure])


def _dots(results: list[RowResult], figure: str) -> str:
    return ", dots: seeds" if any(result.measured(figure).spread for result in results) else ""
