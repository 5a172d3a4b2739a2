"""Whether keypoints with a larger spread are further off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mpm_mmpose.evaluation.pose_error import MILLIMETRES
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.visualization.skeleton import new_figure, save

from ..curves import STYLES
from .fake_detector import STRETCHES, detect
from .figures import ClipSums, table
from .held_out import Clip

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """M keypoints of frames, without the root.

    spread, error (M,) mm; masked (M,) bool, whether the model was not shown it; keypoint (M,) which of the set; clip
    (M,) of which clip.
    """

    spread: np.ndarray
    error: np.ndarray
    masked: np.ndarray
    keypoint: np.ndarray
    clip: np.ndarray

    def part(self, chosen: np.ndarray) -> Calibration:
        """Some of them, by (M,) bool."""
        return Calibration(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def measure_calibration(clips: Sequence[Clip], lifter: TrackLifter) -> Calibration:
    """Lift every clip with detector's noise and each of the occlusions in turn; ``lifter`` must have maskings."""
    if not lifter.maskings:
        raise ValueError("the lifter has maskings=0, so there is no spread; give it some, 8 for example")
    found = []
    for seed, clip in enumerate(clips):
        occlusion = tuple(STRETCHES)[seed % len(STRETCHES)]
        lifted = lifter.lift(detect(clip.track, occlusion, seed).track)
        error = np.linalg.norm(lifted.keypoints_3d - clip.ground_truth, axis=-1)
        keypoint = np.broadcast_to(np.arange(error.shape[1]), error.shape)
        counted = np.isfinite(error) & (keypoint != get_keypoint_set(lifted.keypoint_set).root)
        arrays = MILLIMETRES * lifted.spread, MILLIMETRES * error, lifted.masked, keypoint, np.full(error.shape, seed)
        found.append([array[counted] for array in arrays])
    return Calibration(*map(np.concatenate, zip(*found, strict=True)))


def correlation(found: Calibration) -> float:
    """Spearman's, of spread and error."""
    return float(spearmanr(found.spread, found.error).statistic)


def correlation_within(found: Calibration) -> float:
    """Mean of the keypoints' own, so that nothing is won by knowing that wrists are further off than hips."""
    parts = [found.part(found.keypoint == keypoint) for keypoint in np.unique(found.keypoint)]
    return float(np.mean([correlation(part) for part in parts]))


def bins(found: Calibration) -> list[Calibration]:
    """Tenths by spread, the smallest first."""
    order = np.argsort(found.spread, kind="stable")
    return [found.part(part) for part in np.array_split(order, BINS) if len(part)]


def describe_calibration(found: Calibration) -> str:
    """Correlations and a table of tenths, in Markdown."""
    groups = {"all": np.ones(len(found.error), bool), "shown": ~found.masked, "masked": found.masked}
    rows = []
    for name, chosen in groups.items():
        part = found.part(chosen)
        values = (part.spread.mean(), part.error.mean(), correlation(part), correlation_within(part))
        rows.append([name, f"{chosen.mean():.0%}", *(f"{value:.1f}" for value in values[:2])])
        rows[-1] += [f"{value:.2f}" for value in values[2:]]
    head = [
        "keypoints",
        "share",
        "mean spread, mm",
        "mean error, mm",
        "rank correlation",
        "the same, keypoint by keypoint",
    ]
    tenths = []
    for index, part in enumerate(bins(found), 1):
        sums = ClipSums()
        for clip in np.unique(part.clip):
            sums.add("error", part.error[part.clip == clip])
        levels = np.percentile(part.error, [50, 90])
        row = [str(index), f"{part.spread.min():.0f} to {part.spread.max():.0f}", sums.mean("error").text()]
        tenths.append([*row, *(f"{value:.0f}" for value in levels)])
    head_tenths = ["tenth by spread", "spread, mm", "mean error, mm", "median", "90 % below"]
    return f"{table(head, rows)}\n\n{table(head_tenths, tenths)}"


def draw_calibration(found: Calibration, path: str | Path) -> Path:
    """Error over spread in tenths, of what was shown and of what was masked."""
    figure = new_figure(6.4, 4.2, dpi=120)
    axes = figure.subplots()
    widest = 0.0
    for masked, name, (colour, style) in zip((False, True), ("shown", "masked"), STYLES, strict=False):
        part = found.part(found.masked == masked)
        if not len(part.error):
            continue
        tenths = bins(part)
        spread = np.array([tenth.spread.mean() for tenth in tenths])
        mean = np.array([tenth.error.mean() for tenth in tenths])
        quarters = np.array([np.percentile(tenth.error, [25, 75]) for tenth in tenths])
        axes.fill_between(spread, *quarters.T, color=colour, alpha=0.15, linewidth=0)
        label = f"{name} to the model: rank correlation {correlation(part):.2f}"
        axes.plot(spread, mean, color=colour, linestyle=style, marker="o", markersize=4, label=label)
        widest = max(widest, spread.max())
    axes.plot([0, widest], [0, widest], color="#999999", linewidth=0.9, label="error as large as the spread")
    axes.set(xlabel="spread of eight maskings, mm (mean of a tenth)", ylabel="error, mm (mean; band: middle half)")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    return save(figure, path)
