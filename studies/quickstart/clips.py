"""Strips of frames of motion clips on the floor, to check by eye that people stand upright and sides are right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.readers.motion import Motion
from mpm_mmpose.visualization.skeleton import add_floor, add_skeleton, bare, new_figure, save, side_legend, spread
from mpm_mmpose.visualization.upright import flatten

ELEVATION = 14.0


def draw_clips(motions: Sequence[Motion], out_png: str | Path, *, frames: int = 8, title: str = "") -> Path:
    """Draw each clip as a row of `frames` frames spread over it, on a half-metre floor grid at z = 0.

    All rows have one scale. The viewer keeps one place per row: in front of and beside the person of the first frame
    shown. The dotted line on the floor is the way of the pelvis during half a second before and after the frame.
    Raises ValueError when there is no clip.
    """
    if not motions:
        raise ValueError("draw_clips got no motion; give at least one clip")
    figure = new_figure(1.45 * frames + 0.2, 2.5 * len(motions) + 0.75)
    top = 0.75 / figure.get_figheight()
    grid = figure.add_gridspec(
        len(motions), frames, left=0.01, right=0.99, bottom=0.01, top=1 - top, wspace=0.0, hspace=0.12
    )
    for row, motion in enumerate(motions):
        _draw_row(figure, grid, row, motion, frames)
    figure.legend(
        handles=side_legend(), loc="upper right", bbox_to_anchor=(0.99, 1.0), ncols=3, frameon=False, fontsize=10
    )
    if title:
        figure.text(0.012, 1 - 0.12 / figure.get_figheight(), title, fontsize=12, va="top")
    return save(figure, out_png)


def _draw_row(figure, grid, row: int, motion: Motion, frames: int) -> None:
    points, keypoint_set = motion.keypoints_3d, get_keypoint_set(motion.keypoint_set)
    shown = spread(len(points), frames)
    azimuth = _viewer(points[shown[0]], keypoint_set)

    def view(x: np.ndarray) -> np.ndarray:
        return flatten(x, azimuth, ELEVATION)

    for column, frame in enumerate(shown):
        axes = figure.add_subplot(grid[row, column])
        axes.patch.set_visible(False)  # it would cover the row's title
        below = points[frame, 0] * [1, 1, 0]
        add_floor(axes, below, view, half=0.75)
        reach = max(1, round(0.5 * motion.fps))
        way = points[max(0, frame - reach) : frame + reach, 0] * [1, 1, 0]
        axes.plot(*view(way).T, ":", color="black", linewidth=1.2, zorder=2)
        add_skeleton(axes, view(points[frame]), keypoint_set)
        x, y = view(below)
        bare(axes, (x - 0.72, x + 0.72, y - 0.32, y + 2.1))
        axes.text(0.5, 0.0, f"{frame / motion.fps:.1f} s", transform=axes.transAxes, ha="center", fontsize=9)
        if column == 0:
            axes.text(0.03, 1.0, f"{motion.name}  ({len(motion)} frames, {motion.fps:g} Hz)", transform=axes.transAxes)


def _viewer(pose: np.ndarray, keypoint_set) -> float:
    """Azimuth in degrees from which a world pose (K, 3) is seen half from the front."""
    leftward = pose[keypoint_set.index("left_hip")] - pose[keypoint_set.index("right_hip")]
    # Straight in front, the person's left points to the right of the picture.
    return float(np.rad2deg(np.arctan2(leftward[1], leftward[0]))) + 35.0
