"""What can be done about keypoints that are not to be believed: MPM's masks, and what people do without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mpm_mmpose.lifting.resampling import resample
from mpm_mmpose.lifting.tracks import Track2D

Repair = Callable[[Track2D, float], Track2D]


def believed(track: Track2D, threshold: float) -> Track2D:
    """Whatever the detector says, as if it were sure."""
    return replace(track, scores=np.ones_like(track.scores))


def interpolated(track: Track2D, threshold: float) -> Track2D:
    """Keypoints that score below ``threshold`` in a straight line between those that do not."""
    seen = track.scores >= threshold
    # No gap is short enough for the curve that videos of another rate are resampled with.
    keypoints, _ = resample(track.times, track.keypoints, seen, track.times, gap=0.0, near=1e-6)
    return believed(replace(track, keypoints=keypoints), threshold)


def repeated(track: Track2D, threshold: float) -> Track2D:
    """Keypoints that score below ``threshold`` where they were last above it.

    Before the first time, where they are then. Those that never are stay where they were detected.
    """
    seen = track.scores >= threshold
    rows = np.where(seen, np.arange(len(track))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    last = np.where(last >= 0, last, seen.argmax(0))
    keypoints = np.take_along_axis(track.keypoints, last[..., None], axis=0)
    return believed(replace(track, keypoints=np.where(seen.any(0)[:, None], keypoints, track.keypoints)), threshold)
