"""What a live stream loses by not waiting for the frames to come, and how long a frame takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mpm_mmpose.evaluation.pose_error import MILLIMETRES
from mpm_mmpose.lifting.stream import MPMStream
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.visualization.skeleton import new_figure, save

from ..curves import STYLES
from .fake_detector import detect
from .figures import ClipSums, table
from .held_out import Clip


def choose_look_aheads(window: int) -> list[int]:
    """None, half a window, and some powers of two between."""
    half = window // 2
    return sorted({0, half, *(2**power for power in range(10) if 2**power < half)})


def run_stream(
    lifter: TrackLifter, track: Track2D, look_ahead: int, mask_future: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, K, 3) m of a track that comes frame by frame, and ms (N,) that each call took."""
    stream = MPMStream(
        lifter,
        keypoint_set=track.keypoint_set,
        width=track.width,
        height=track.height,
        fps=track.fps,
        look_ahead=look_ahead,
        intrinsics=track.intrinsics,
        mask_future=mask_future,
    )
    poses, milliseconds = [], []
    for moment, keypoints, scores in zip(track.times, track.keypoints, track.scores, strict=True):
        start = time.perf_counter()
        lifted = stream.push(keypoints, scores, float(moment))
        milliseconds.append(1e3 * (time.perf_counter() - start))
        poses += [frame.keypoints_3d for frame in lifted]
    poses += [frame.keypoints_3d for frame in stream.finish()]
    return np.stack(poses), np.array(milliseconds)


def measure_look_ahead(
    clips: Sequence[Clip], lifter: TrackLifter, progress: Callable[[str], None] = lambda text: None
) -> tuple[ClipSums, dict[int, float]]:
    """Errors in mm by look-ahead in frames of the model, with detector's noise; and median ms a frame.

    Under '<look-ahead>/masked' where frames still to come are masked; else the last frame stands for them.
    """
    sums, speed = ClipSums(), {}
    for look_ahead in choose_look_aheads(lifter.window):
        progress(f"look-ahead {look_ahead}")
        milliseconds = []
        for seed, clip in enumerate(clips):
            track = detect(clip.track, "nothing occluded", seed).track
            poses, taken = run_stream(lifter, track, look_ahead)
            masked, _ = run_stream(lifter, track, look_ahead, mask_future=True)
            for name, found in ((str(look_ahead), poses), (f"{look_ahead}/masked", masked)):
                sums.add(name, MILLIMETRES * np.linalg.norm(found - clip.ground_truth, axis=-1))
            milliseconds.append(taken[look_ahead:])  # the first calls only wait
        speed[look_ahead] = float(np.median(np.concatenate(milliseconds)))
    return sums, speed


def describe_look_ahead(sums: ClipSums, speed: Mapping[int, float], lifter: TrackLifter, fps: float) -> str:
    """A row a look-ahead, in Markdown."""
    steps = list(speed)
    rows = []
    for step in steps:
        more = "" if step == steps[-1] else sums.difference(str(step), str(steps[-1])).text()
        delay = 1e3 * step * lifter.frame_step / lifter.rate(fps)
        masked = sums.difference(f"{step}/masked", str(step)).text()
        rows.append([str(step), f"{delay:.0f}", sums.mean(str(step)).text(), more, masked, f"{speed[step]:.1f}"])
    head = ["look-ahead, frames", "delay, ms", "MPJPE, mm", "more than with half a window"]
    return table([*head, "more with frames to come masked", "computing, ms a frame"], rows)


def draw_look_ahead(sums: ClipSums, lifter: TrackLifter, fps: float, path: str | Path) -> Path:
    """The error over the delay."""
    steps = choose_look_aheads(lifter.window)
    delays = 1e3 * np.array(steps) * lifter.frame_step / lifter.rate(fps)
    found = np.array([sums.mean(str(step)) for step in steps])
    more = np.array([sums.difference(str(step), str(steps[-1])) for step in steps])
    figure = new_figure(8.6, 3.6, dpi=120)
    left, right = figure.subplots(1, 2)
    for axes, values, title in (
        (left, found, "MPJPE, mm"),
        (right, more, "more than with half a window, mm"),
    ):
        colour = STYLES[0][0]
        axes.fill_between(delays, values[:, 1], values[:, 2], color=colour, alpha=0.15, linewidth=0)
        axes.plot(delays, values[:, 0], color=colour, marker="o", markersize=4)
        axes.set(xlabel="delay by look-ahead, ms", ylabel=title)
        axes.set_ylim(bottom=min(0, values[:, 1].min()))
        axes.grid(True, color="#DDDDDD", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return save(figure, path)
