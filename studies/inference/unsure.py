"""What it gains to mask unsure keypoints, over other ways to deal with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mpm_mmpose.evaluation.pose_error import MILLIMETRES
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.visualization.skeleton import new_figure, save

from ..curves import STYLES
from .fake_detector import STRETCHES, detect
from .figures import ClipSums, table
from .held_out import Clip
from .repairs import Repair, believed, interpolated, repeated

MASKED = "MPM's masks"
REPAIRS: dict[str, Repair | None] = {
    MASKED: None,
    "not masked: the detector is believed": believed,
    "linear interpolation": interpolated,
    "last frame repeated": repeated,
}
PLAIN = "linear interpolation, lifter trained without masks"


def measure_unsure(
    clips: Sequence[Clip],
    lifter: TrackLifter,
    plain: TrackLifter | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> ClipSums:
    """Errors in mm, named '<occlusion>/<repair>/<all or occluded>', of every occlusion and repair.

    plain: a lifter that was trained without masks, for one more row. Frames that are too far from any sight to be
    lifted with masks count in no row; their number is the count of '<occlusion>/left out'.
    """
    sums = ClipSums()
    for occlusion in STRETCHES:
        progress(occlusion)
        for seed, clip in enumerate(clips):
            detected = detect(clip.track, occlusion, seed)
            poses = {
                name: lifter.lift(repair(detected.track, lifter.threshold) if repair else detected.track).keypoints_3d
                for name, repair in REPAIRS.items()
            }
            if plain is not None:
                poses[PLAIN] = plain.lift(interpolated(detected.track, plain.threshold)).keypoints_3d
            lifted = np.isfinite(poses[MASKED]).all((1, 2))
            sums.add(f"{occlusion}/left out", np.where(lifted, 0.0, 100.0))
            for name, found in poses.items():
                errors = MILLIMETRES * np.linalg.norm(found - clip.ground_truth, axis=-1)[lifted]
                sums.add(f"{occlusion}/{name}/all", errors)
                sums.add(f"{occlusion}/{name}/occluded", np.where(detected.occluded[lifted], errors, np.nan))
    return sums


def describe_unsure(sums: ClipSums, names: Sequence[str]) -> str:
    """A table an occlusion, in Markdown."""
    parts = []
    for occlusion, stretches in STRETCHES.items():
        rows = []
        for name in names:
            row = [name, sums.mean(f"{occlusion}/{name}/all").text()]
            if stretches is not None:
                row.append(sums.mean(f"{occlusion}/{name}/occluded").text())
            kind = "all" if stretches is None else "occluded"
            pair = f"{occlusion}/{name}/{kind}", f"{occlusion}/{MASKED}/{kind}"
            rows.append([*row, "" if name == MASKED else sums.difference(*pair).text()])
        if stretches is None:
            title, head = "Nothing occluded, detector's noise alone", ["MPJPE", "more than with masks"]
        else:
            (low, high), share = stretches
            title = f"Occluded: {occlusion}, {low:g} to {high:g} s at a time, {100 * share:.0f} % of the time"
            head = ["MPJPE", "of occluded keypoints", "occluded, more than with masks"]
        left_out = sums.mean(f"{occlusion}/left out").mean
        note = f"\n\n{left_out:.1f} % of frames are too far from any sight and left out." if left_out else ""
        parts.append(f"### {title}\n\n{table(['mm', *head], rows)}{note}")
    return "\n\n".join(parts)


def draw_unsure(sums: ClipSums, names: Sequence[str], path: str | Path) -> Path:
    """Errors of occluded keypoints, and how much larger each is than with masks, with intervals."""
    occlusions = [name for name, stretches in STRETCHES.items() if stretches is not None]
    figure = new_figure(10.4, 4.2, dpi=120)
    left, right = figure.subplots(1, 2)
    width = 0.84 / len(names)
    for place, (name, (colour, _)) in enumerate(zip(names, STYLES, strict=False)):
        x = np.arange(len(occlusions)) + (place - (len(names) - 1) / 2) * width
        found = [sums.mean(f"{occlusion}/{name}/occluded").mean for occlusion in occlusions]
        left.bar(x, found, 0.92 * width, color=colour, label=name)
        if name != MASKED:
            pairs = [(f"{occlusion}/{name}/occluded", f"{occlusion}/{MASKED}/occluded") for occlusion in occlusions]
            more = np.array([sums.difference(*pair) for pair in pairs])
            errors = np.abs(more[:, 1:].T - more[:, 0]) if np.isfinite(more).all() else None
            right.errorbar(x, more[:, 0], yerr=errors, color=colour, fmt="o", markersize=5, capsize=3)
    right.axhline(0, color=STYLES[0][0], linewidth=1.2)
    left.set(title="error of occluded keypoints", ylabel="mm")
    right.set(title="more than with masks, 95 % interval", ylabel="mm")
    for axes in (left, right):
        axes.set_xticks(range(len(occlusions)), occlusions)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, axis="y", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.legend(*left.get_legend_handles_labels(), frameon=False, fontsize=9, ncols=3, loc="lower center")
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    return save(figure, path)
