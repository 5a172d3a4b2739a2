"""2D input, prediction and ground truth of a clip side by side, as a picture and as a GIF."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.evaluation.pose_error import mpjpe
from mpm_mmpose.pose.keypoints import KeypointSet, get_keypoint_set
from mpm_mmpose.visualization.skeleton import add_skeleton, bare, new_figure, save, segments, side_legend, spread
from mpm_mmpose.visualization.upright import SIDEWAYS, camera_to_upright, flatten

#: Room around the poses, as a part of their size, which is the ground truth's; a prediction that goes further is cut
#: off.
MARGIN = 0.18
MAX_FPS = 15.0
PANEL = "#F4F4F4"
GHOST = "#A6A6A6"
COLUMNS = ("2D input", "prediction", "ground truth", "prediction over it (grey)")

Limits = tuple[float, float, float, float]


def draw_comparison(
    keypoints: np.ndarray,
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    out_png: str | Path,
    *,
    frames: int = 5,
    keypoint_set: str = "h36m_17",
) -> Path:
    """Draw `frames` frames spread over a clip, a row each: 2D input, prediction, ground truth, and one over the other.

    keypoints (N, K, 2) normalised screen space, y down; prediction and ground_truth (N, K, 3) root-relative camera
    space, metres, drawn upright and from the side, so that errors in depth are seen. All 3D drawings have one scale,
    and all 2D drawings another, following the person. Each row tells its mean per-joint position error in mm. Raises
    ValueError for an empty clip or arrays that do not belong together.
    """
    skeleton, flat, errors = _prepare(keypoints, prediction, ground_truth, keypoint_set)
    flat[0] = flat[0] - flat[0][:, :1]
    limits = (_limits(flat[0]), *[_limits(flat[2])] * 3)
    shown = spread(len(errors), frames)
    figure, panels = _panels(len(shown), [*limits], COLUMNS)
    for row, frame in zip(panels, shown, strict=True):
        for axes, poses in zip(row, flat, strict=False):
            add_skeleton(axes, poses[frame], skeleton)
        add_skeleton(row[3], flat[2][frame], skeleton, width=4.0).set_color(GHOST)
        add_skeleton(row[3], flat[1][frame], skeleton, width=1.8)
        _corner(row[0], f"frame {frame}")
        _corner(row[1], f"{errors[frame]:.0f} mm")
    return save(figure, out_png)


def animate_comparison(
    keypoints: np.ndarray,
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    out_gif: str | Path,
    *,
    fps: float,
    keypoint_set: str = "h36m_17",
) -> Path:
    """Draw a clip as a GIF that loops for ever: 2D input, prediction and ground truth side by side on axes that stay.

    keypoints, prediction, ground truth, and what is raised: see `draw_comparison`; fps: frames a second of the clip.
    The GIF keeps the clip's speed and shows every n-th frame, at most `MAX_FPS` a second; each with its time and error.
    """
    skeleton, flat, errors = _prepare(keypoints, prediction, ground_truth, keypoint_set)
    step = max(1, math.ceil(fps / MAX_FPS - 1e-6))
    shown = range(0, len(errors), step)
    figure, [row] = _panels(1, [_limits(flat[0]), *[_limits(flat[2])] * 2], COLUMNS[:3])
    lines = [add_skeleton(axes, poses[0], skeleton, width=2.6) for axes, poses in zip(row, flat, strict=True)]
    time, error = _corner(row[0], ""), _corner(row[1], "")
    images = []
    for frame in shown:
        for collection, poses in zip(lines, flat, strict=True):
            collection.set_segments(segments(poses[frame], skeleton))
        time.set_text(f"{frame / fps:.2f} s")
        error.set_text(f"{errors[frame]:.0f} mm")
        figure.canvas.draw()
        rgb = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
        # One palette for all frames: a colour that changes from frame to frame flickers, and costs bytes.
        palette = {"palette": images[0], "dither": Image.Dither.NONE} if images else {"colors": 64}
        images.append(rgb.quantize(**palette))
    # GIFs count in hundredths of a second: rounding the ends, not the durations, keeps the clip's speed.
    ends = np.round(np.arange(len(images) + 1) * 100 * step / fps)
    durations = [int(10 * length) for length in np.diff(ends)]
    options = dict(save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False)
    return write_atomically(out_gif, lambda file: images[0].save(file, **options))


def _prepare(
    keypoints: np.ndarray, prediction: np.ndarray, ground_truth: np.ndarray, keypoint_set: str
) -> tuple[KeypointSet, list[np.ndarray], np.ndarray]:
    """Skeleton; input, prediction and ground truth flat (N, K, 2) with y up; errors (N,) in mm."""
    skeleton = get_keypoint_set(keypoint_set)
    keypoints, prediction, ground_truth = (
        np.asarray(array, np.float64) for array in (keypoints, prediction, ground_truth)
    )
    size = (len(keypoints), len(skeleton))
    wanted = ((*size, 2), (*size, 3), (*size, 3))
    if len(keypoints) == 0 or (keypoints.shape, prediction.shape, ground_truth.shape) != wanted:
        raise ValueError(
            f"keypoints {keypoints.shape}, prediction {prediction.shape} and ground truth {ground_truth.shape} must "
            f"have the shapes {', '.join(f'(N, {k}, {c})' for _, k, c in wanted)} with N at least 1"
        )
    flat = [keypoints * [1, -1], flatten(camera_to_upright(prediction)), flatten(camera_to_upright(ground_truth))]
    return skeleton, flat, 1000 * mpjpe(prediction, ground_truth)


def _limits(flat: np.ndarray) -> Limits:
    """A square (left, right, bottom, top) around all flat poses (N, K, 2), with a margin."""
    low, high = np.nanmin(flat, (0, 1)), np.nanmax(flat, (0, 1))
    half = (0.5 + MARGIN) * max((high - low).max(), 1e-3)
    x, y = (low + high) / 2
    return x - half, x + half, y - half, y + half


def _panels(rows: int, limits: list[Limits], titles: tuple[str, ...]) -> tuple[Figure, list[list[Axes]]]:
    """A figure of square panels, a title above each column and the legend of the sides below."""
    size, columns = 2.3, len(limits)
    above, below = 0.34, 0.36
    width, height = size * columns + 0.1, size * rows + above + below
    figure = new_figure(width, height)
    grid = figure.add_gridspec(
        rows,
        columns,
        left=0.05 / width,
        right=1 - 0.05 / width,
        bottom=below / height,
        top=1 - above / height,
        wspace=0.03,
        hspace=0.03,
    )
    panels = []
    for row in range(rows):
        panels.append([figure.add_subplot(grid[row, column]) for column in range(columns)])
        for axes, shown in zip(panels[-1], limits, strict=True):
            bare(axes, shown)
            axes.set_facecolor(PANEL)
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set_title(title, fontsize=10, pad=6)
    note = f"3D seen from {SIDEWAYS:.0f}° to the side of the camera"
    figure.text(1 - 0.08 / width, 0.5 * below / height, note, ha="right", va="center", fontsize=8, color="#4D4D4D")
    figure.legend(
        handles=side_legend(),
        loc="center left",
        bbox_to_anchor=(0.0, 0.5 * below / height),
        ncols=3,
        frameon=False,
        fontsize=8,
        handlelength=1.2,
        columnspacing=1.2,
    )
    return figure, panels


def _corner(axes: Axes, text: str):
    return axes.text(0.035, 0.965, text, transform=axes.transAxes, va="top", fontsize=10, family="DejaVu Sans Mono")
