"""Skeletons on a flat drawing: colours of the sides, the upright view of 3D poses, and writing of pictures.

mmpose's Pose3dLocalVisualizer calls FigureCanvasAgg.tostring_rgb, which current matplotlib no longer has; and 3D axes
are slow and do not keep one scale. Here a pose is projected in parallel and drawn as lines on ordinary axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..atomic_file import write_atomically
from ..pose.keypoints import KeypointSet
from .upright import bones

#: Colours that colour-blind readers tell from each other (Okabe and Ito); the right is the warm one.
COLOURS = {"left": "#0072B2", "right": "#D55E00", "middle": "#4D4D4D"}


def segments(points: np.ndarray, keypoint_set: KeypointSet) -> np.ndarray:
    """Bones of flat points (K, 2) as line segments (bones, 2, 2), in the order of `bones`."""
    return np.asarray(points)[[[parent, child] for parent, child, _ in bones(keypoint_set)]]


def add_skeleton(axes: Axes, points: np.ndarray, keypoint_set: KeypointSet, width: float = 2.2) -> LineCollection:
    """Draw flat points (K, 2); `set_segments(segments(...))` of what comes back moves it."""
    colours = [COLOURS[side] for _, _, side in bones(keypoint_set)]
    lines = LineCollection(segments(points, keypoint_set), colors=colours, linewidths=width, capstyle="round", zorder=3)
    axes.add_collection(lines)
    return lines


def add_floor(axes: Axes, centre: np.ndarray, view: Callable[[np.ndarray], np.ndarray], half: float = 1.0) -> None:
    """Draw a square piece of the floor's half-metre grid around `centre` (x, y, floor's z)."""
    step = 0.5
    ticks = np.arange(-half, half + 1e-6, step)
    snapped = np.array([*(np.round(np.asarray(centre)[:2] / step) * step), centre[2]])
    ends = np.array([-half, half])
    rows = [np.stack([ends, np.full(2, tick), np.zeros(2)], -1) for tick in ticks]
    lines = np.array(rows + [row[:, [1, 0, 2]] for row in rows]) + snapped
    axes.add_collection(LineCollection(view(lines), colors="#C8C8C8", linewidths=0.7, zorder=1))


def bare(axes: Axes, limits: tuple[float, float, float, float]) -> None:
    """Axes without ticks and frame showing (left, right, bottom, top) at one scale for both directions."""
    axes.set(xlim=limits[:2], ylim=limits[2:], xticks=[], yticks=[], aspect="equal")
    for spine in axes.spines.values():
        spine.set_visible(False)


def side_legend() -> list[Line2D]:
    """Handles that say which colour is the person's left and which the right."""
    names = {"left": "person's left", "right": "person's right", "middle": "trunk and head"}
    return [Line2D([], [], color=COLOURS[side], linewidth=2.5, label=name) for side, name in names.items()]


def new_figure(width: float, height: float, dpi: int = 100) -> Figure:
    """A figure of its own, in inches, drawn by Agg; no pyplot state."""
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as a picture; the suffix of `path` says which kind."""
    return write_atomically(path, lambda file: figure.savefig(file))


def spread(total: int, number: int) -> Iterable[int]:
    """`number` frame indices (fewer when there are fewer) spread over a clip of `total` frames, ends left out."""
    number = min(number, total)
    return [int((i + 0.5) * total / number) for i in range(number)]
