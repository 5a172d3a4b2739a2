"""What the filters do to the error and to how people move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mpm_mmpose.evaluation.pose_error import MILLIMETRES
from mpm_mmpose.evaluation.smoothness import Frames, Smoothness
from mpm_mmpose.lifting.smoothing import smooth
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.visualization.skeleton import new_figure, save

from ..curves import STYLES
from .fake_detector import detect
from .figures import ClipSums, table
from .held_out import Clip

#: Title: filter and its options.
FILTERS: dict[str, tuple[str, dict[str, float]] | None] = {
    "none": None,
    "one_euro": ("one_euro", {}),
    "one_euro, min_cutoff=3": ("one_euro", dict(min_cutoff=3.0)),
    "savitzky_golay, seconds=0.2": ("savitzky_golay", dict(seconds=0.2)),
    "savitzky_golay": ("savitzky_golay", {}),
    "savitzky_golay, seconds=0.5": ("savitzky_golay", dict(seconds=0.5)),
}
INPUTS = {"true 2D": None, "detector's noise": "nothing occluded"}
ERRORS = {"mpjpe": "MPJPE, mm", "mpjve": "MPJVE, mm a frame", "acceleration": "acceleration error, mm a frame^2"}


def measure_filters(clips: Sequence[Clip], lifter: TrackLifter) -> ClipSums:
    """'<input>/<filter>/<error>' of all clips; velocities and accelerations are of neighbouring frames of the video."""
    sums = ClipSums()
    for name, occlusion in INPUTS.items():
        for seed, clip in enumerate(clips):
            lifted = lifter.lift(clip.track if occlusion is None else detect(clip.track, occlusion, seed).track)
            for title, chosen in FILTERS.items():
                smoothed = lifted if chosen is None else smooth(lifted, chosen[0], **chosen[1])
                for error, values in motion_errors(smoothed.keypoints_3d, clip.ground_truth).items():
                    sums.add(f"{name}/{title}/{error}", values)
    return sums


def motion_errors(poses: np.ndarray, ground_truth: np.ndarray) -> dict[str, np.ndarray]:
    """Errors of poses (N, K, 3) m of consecutive frames, mm: mpjpe (N, K), mpjve one less, acceleration two less."""
    number = len(poses)
    counted, zeros = np.isfinite(poses).all(-1), np.zeros(number, np.int64)
    found = Smoothness(1).add(zeros, np.arange(number), Frames(poses, ground_truth, counted, zeros))
    errors = {name: MILLIMETRES * values.errors for name, values in found.items()}
    return dict(mpjpe=MILLIMETRES * np.linalg.norm(poses - ground_truth, axis=-1), **errors)


def describe_filters(sums: ClipSums) -> str:
    """A table an input, in Markdown."""
    parts = []
    for name in INPUTS:
        rows = [[title, *(sums.mean(f"{name}/{title}/{error}").text() for error in ERRORS)] for title in FILTERS]
        parts.append(f"### {name[0].upper() + name[1:]}\n\n{table(['filter', *ERRORS.values()], rows)}")
    return "\n\n".join(parts)


def draw_filters(sums: ClipSums, path: str | Path) -> Path:
    """Bars of each error, one filter per row."""
    figure = new_figure(10.4, 3.6, dpi=120)
    panels = figure.subplots(1, len(ERRORS), sharey=True)
    rows = np.arange(len(FILTERS))
    for axes, (error, title) in zip(panels, ERRORS.items(), strict=True):
        for place, (name, (colour, _)) in enumerate(zip(INPUTS, STYLES, strict=False)):
            found = [sums.mean(f"{name}/{filter}/{error}").mean for filter in FILTERS]
            axes.barh(rows + 0.4 * (place - 0.5), found, 0.36, color=colour, label=name)
        axes.set(xlabel=title)
        axes.grid(True, axis="x", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(rows, FILTERS)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, fontsize=9, ncols=2, loc="lower center")
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return save(figure, path)
