"""A figure for papers: rows are frames, columns the 2D input, what each method made of it, and the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..evaluation.pose_error import MILLIMETRES, keypoint_errors
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson, Scene
from .skeleton import add_skeleton, bare, new_figure, save, side_legend, spread
from .upright import SIDEWAYS, camera_to_upright, flatten

ROWS = 3  # unless frames are chosen
CELL = 1.6  # inches high; as wide as people need
ABOVE, BELOW = 0.24, 0.36  # inches, for the titles and the legend
MARGIN = 0.12
#: Columns still have room for their titles and the error.
NARROWEST = 0.7
FIELDS = ("keypoints_3d", "ground_truth")
GHOST = "#A6A6A6"
#: Letters stay letters, as journals want them.
VECTOR = {"pdf.fonttype": 42, "svg.fonttype": "none"}

Limits = tuple[float, float, float, float]


def frames_to_draw(scene: Scene, frames: Sequence[int] | None) -> list[int]:
    """The frames to draw, by default `ROWS` that are spread over the scene; ValueError for those it has not."""
    if frames is None:
        return list(spread(len(scene.times), ROWS))
    for frame in frames:
        if not 0 <= frame < len(scene.times):
            raise ValueError(f"frame {frame}: {scene.name} has frames 0 to {len(scene.times) - 1}")
    return list(frames)


def draw_figure(scene: Scene, path: str | Path, frames: Sequence[int], labels: Sequence[str] | None = None) -> Path:
    """Draw ``frames`` of a scene whose people are predictions of one clip; the suffix says how: .pdf, .svg or .png.

    Columns are the 2D input where there is one, each prediction, and the ground truth where it is known. Predictions
    lie over it (grey) and say how far they are off (MPJPE, mm). All 3D has one scale, drawn upright and from the side;
    all 2D has another, following the person. labels: of the rows, in place of the frames'
    numbers. Raises ValueError where there are no people.
    """
    if not scene.people:
        raise ValueError(f"{scene.name}: there is nobody to draw")
    seen = next((person for person in scene.people if person.keypoints_2d is not None), None)
    known = next((person for person in scene.people if person.ground_truth is not None), None)
    titles = [person.name for person in scene.people]
    titles = ["2D input"] * (seen is not None) + titles + ["ground truth"] * (known is not None)
    limits = _limits([_flat(field, person, frame) for person in scene.people for field in FIELDS for frame in frames])
    limits_2d = _limits([_image(seen, frame) for frame in frames])
    figure, rows = _panels(len(frames), titles, max(_proportion(limits), _proportion(limits_2d)))
    labels = [f"frame {frame}" for frame in frames] if labels is None else labels
    for row, frame, label in zip(rows, frames, labels, strict=True):
        cells = iter(row)
        _corner(row[0], label, left=True)
        if seen is not None:
            _draw(next(cells), limits_2d, seen.keypoint_set_2d, _image(seen, frame))
        for person in scene.people:
            axes = next(cells)
            pose, ground_truth = _flat("keypoints_3d", person, frame), _flat("ground_truth", person, frame)
            _draw(axes, limits, person.keypoint_set, ground_truth, width=2.6, colour=GHOST)
            _draw(axes, limits, person.keypoint_set, pose)
            _corner(axes, _error(person, frame), left=False)
        if known is not None:
            _draw(next(cells), limits, known.keypoint_set, _flat("ground_truth", known, frame))
    with rc_context(VECTOR):
        return save(figure, path)


def _row(person: LiftedPerson, frame: int) -> int | None:
    rows = np.flatnonzero(person.frames == frame)
    return int(rows[0]) if len(rows) else None


def _flat(field: str, person: LiftedPerson, frame: int) -> np.ndarray | None:
    """Poses of a person at a frame as they are drawn (K, 2), m; None where there are none."""
    poses, row = getattr(person, field), _row(person, frame)
    return None if poses is None or row is None else flatten(camera_to_upright(np.asarray(poses[row], np.float64)))


def _image(person: LiftedPerson | None, frame: int) -> np.ndarray | None:
    """2D of a person at a frame about its middle (K, 2), px, y up; None where there is none."""
    row = None if person is None else _row(person, frame)
    if row is None or not np.isfinite(person.keypoints_2d[row]).any():
        return None
    points = person.keypoints_2d[row] * np.array([1.0, -1.0])
    return points - (np.nanmin(points, 0) + np.nanmax(points, 0)) / 2


def _error(person: LiftedPerson, frame: int) -> str:
    row = _row(person, frame)
    if person.ground_truth is None or row is None:
        return ""
    pose, ground_truth = person.keypoints_3d[[row]], person.ground_truth[[row]]
    counted = np.isfinite(ground_truth).all(-1)
    distances = keypoint_errors(pose, ground_truth, counted, names=("mpjpe",))["mpjpe"]
    return f"{MILLIMETRES * np.nanmean(distances):.0f} mm" if np.isfinite(distances).any() else ""


def _draw(
    axes: Axes, limits: Limits, keypoint_set: str | None, flat: np.ndarray | None, width: float = 1.3, colour: str = ""
) -> None:
    bare(axes, limits)
    if flat is not None and keypoint_set is not None:
        lines = add_skeleton(axes, flat, get_keypoint_set(keypoint_set), width=width)
        if colour:
            lines.set_color(colour)


def _limits(poses: Sequence[np.ndarray | None]) -> Limits:
    """(left, right, bottom, top) around all poses that are there, with a margin."""
    there = [pose[np.isfinite(pose).all(-1)] for pose in poses if pose is not None]
    points = np.concatenate([*there, np.zeros((1, 2))])
    low, high = points.min(0), points.max(0)
    room = MARGIN * max((high - low).max(), 1e-3)
    return low[0] - room, high[0] + room, low[1] - room, high[1] + room


def _proportion(limits: Limits) -> float:
    """Width over height, neither a stripe nor wider than high."""
    left, right, bottom, top = limits
    return min(1.0, max(NARROWEST, (right - left) / (top - bottom)))


def _corner(axes: Axes, text: str, left: bool) -> None:
    place, side = (0.03, "left") if left else (0.97, "right")
    axes.text(
        place,
        0.98 if left else 0.03,
        text,
        transform=axes.transAxes,
        ha=side,
        va="top" if left else "bottom",
        fontsize=7,
    )


def _panels(rows: int, titles: Sequence[str], proportion: float) -> tuple[Figure, list[list[Axes]]]:
    """Panels with a title above each column and, below, what the colours are and where one looks from."""
    columns = len(titles)
    width, height = CELL * proportion * columns, CELL * rows + ABOVE + BELOW
    figure = new_figure(width, height)
    grid = figure.add_gridspec(
        rows, columns, left=0, right=1, bottom=BELOW / height, top=1 - ABOVE / height, wspace=0, hspace=0
    )
    panels = [[figure.add_subplot(grid[row, column]) for column in range(columns)] for row in range(rows)]
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set_title(title, fontsize=8, pad=4)
    figure.legend(
        handles=side_legend(),
        loc="upper left",
        bbox_to_anchor=(0.0, BELOW / height),
        ncols=3,
        frameon=False,
        fontsize=6.5,
        handlelength=1.0,
        columnspacing=1.0,
    )
    note = f"3D from {SIDEWAYS:.0f}° beside the camera; grey: ground truth"
    figure.text(0.08 / width, 0.04 / height, note, va="bottom", fontsize=6.5, color="#4D4D4D")
    return figure, panels
