"""What becomes of one recorded motion when its video has another frame rate, or no constant one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.evaluation.pose_error import MILLIMETRES
from mpm_mmpose.lifting.resampling import interpolate
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.pose.geometry import root_relative
from mpm_mmpose.pose.pose_sequence import PoseSequence
from mpm_mmpose.readers import read_motion

from .figures import table

RATES = (25, 30, 60, 120)  # Hz, frames a second
#: Of frames of a variable rate: how far each is from where it would be at a constant one, in frames at most.
JITTER = 0.2
VARIABLE = f"30, each up to {1000 * JITTER / 30:.0f} ms off"
#: Hz: every rate has frames at these times.
COMMON = 5


def read_sequences(paths: Iterable[str | Path], seconds: float) -> list[PoseSequence]:
    """The first seconds of each recorded motion, seen by one virtual camera; ValueError or OSError (file, fix)."""
    sequences = []
    for path in paths:
        motion = read_motion(Path(path))
        if motion.fps < max(RATES):
            raise ValueError(f"{path}: has {motion.fps:g} frames a second; give motion of {max(RATES)} or more")
        frames = round(seconds * motion.fps) + 1
        sequences += project_views(replace(motion, keypoints_3d=motion.keypoints_3d[:frames]), cameras=1)
    return sequences


def make_versions(sequence: PoseSequence, seed: int = 0) -> dict[str, Track2D]:
    """The same true 2D at each of the RATES, and at a variable one; a spline where it was not recorded."""
    spline = CubicSpline(np.arange(len(sequence)) / sequence.fps, sequence.keypoints.astype(np.float64))
    seconds = (len(sequence) - 1) / sequence.fps
    times = {str(rate): np.arange(int(seconds * rate + 1e-6) + 1) / rate for rate in RATES}
    jitter = np.random.default_rng(seed).uniform(-JITTER, JITTER, len(times["30"])) / 30
    times[VARIABLE] = (times["30"] + jitter).clip(0, seconds)
    return {
        title: Track2D(
            person="0",
            times=own,
            keypoints=spline(own),
            scores=np.ones((len(own), sequence.keypoints.shape[1])),
            keypoint_set=sequence.keypoint_set,
            width=sequence.width,
            height=sequence.height,
            fps=30.0 if title == VARIABLE else float(title),
        )
        for title, own in times.items()
    }


def measure_rates(sequences: Sequence[PoseSequence], lifter: TrackLifter) -> dict[str, dict[str, np.ndarray]]:
    """{version: {'moved' | 'error' | 'unaware': mm of all keypoints of all sequences}} at the COMMON times.

    moved: distance from the 3D that the version of the highest rate gives; unaware: the same, where frames are shown to
    the model as they come, as if they were at its rate; error: from the ground truth.
    """
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    for seed, sequence in enumerate(sequences):
        common = np.arange(int((len(sequence) - 1) / sequence.fps * COMMON + 1e-6) + 1) / COMMON
        ground_truth = root_relative(sequence.keypoints_3d)
        ground_truth = interpolate(np.arange(len(sequence)) / sequence.fps, ground_truth, common)
        versions = make_versions(sequence, seed)
        lifted = {title: _lift(lifter, track, track.times, common) for title, track in versions.items()}
        for title, track in versions.items():
            even = np.arange(len(track)) / lifter.rate(track.fps)
            unaware = replace(track, times=even, fps=lifter.rate(track.fps))
            distances = dict(
                moved=lifted[title] - lifted[str(max(RATES))],
                unaware=_lift(lifter, unaware, track.times, common) - lifted[str(max(RATES))],
                error=lifted[title] - ground_truth,
            )
            for name, vectors in distances.items():
                distance = MILLIMETRES * np.linalg.norm(vectors, axis=-1)
                found.setdefault(title, {}).setdefault(name, []).append(distance.ravel())
    return {title: {name: np.concatenate(parts) for name, parts in kinds.items()} for title, kinds in found.items()}


def _lift(lifter: TrackLifter, track: Track2D, times: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Poses (M, K, 3) m at ``common`` (M,) s of a track whose frames are truly at ``times`` (N,) s."""
    # Jitter may take the first and the last frame inwards; what is beyond is theirs.
    return interpolate(times, lifter.lift(track).keypoints_3d, common.clip(times[0], times[-1]))


def describe_rates(found: dict[str, dict[str, np.ndarray]]) -> str:
    """A row a version, in Markdown."""
    rows = []
    for title, kinds in found.items():
        moved = kinds["moved"]
        figures = [moved.mean(), np.quantile(moved, 0.99), moved.max(), kinds["unaware"].mean(), kinds["error"].mean()]
        rows.append([title, *(f"{figure:.1f}" for figure in figures)])
    head = ["frames a second", f"away from what {max(RATES)} gives: mean, mm", "99 % below", "most"]
    return table([*head, "mean if times were not looked at", "MPJPE"], rows)
