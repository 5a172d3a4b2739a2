"""Trajectories that do not shake: how far away a person is changes slowly, and is the least certain of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .tracks import Track3D, pose_misfit

#: s, of the Gaussian that weighs frames; docs/inference.md says how it was chosen.
SECONDS = 0.2
_REACH = 4.0  # of these, beyond which a frame weighs nothing


def steady(lifted: Track3D, seconds: float = SECONDS) -> Track3D:
    """The track with its trajectory's depth smoothed over time, and how certain that is.

    The root stays on the ray on which it is seen in each frame, so that it still lies on the 2D. ``trajectory_spread``
    (N,) m is one standard deviation of the depth, from how far the 3D is from the 2D: a misfit m of K keypoints leaves
    its scale, and so the depth, open by m / sqrt(2 K). What is taken for granted of focal length and height is not in
    it.
    """
    trajectory = lifted.trajectory
    depth = local_lines(lifted.track.times, trajectory[:, 2].astype(np.float64), seconds)
    steadied = trajectory * (depth / trajectory[:, 2])[:, None]
    misfits = pose_misfit(lifted) if lifted.misfit is None else lifted.misfit
    misfits = local_lines(lifted.track.times, misfits.astype(np.float64), seconds)
    spread = depth * misfits / np.sqrt(2 * lifted.keypoints_3d.shape[1])
    return replace(lifted, trajectory=steadied.astype(np.float32), trajectory_spread=np.abs(spread).astype(np.float32))


def local_lines(times: np.ndarray, values: np.ndarray, seconds: float) -> np.ndarray:
    """(N,) values at times (N,) s, each from the straight line that fits its neighbours best; NaN stays NaN.

    Neighbours are weighed by a Gaussian of ``seconds``. Source: Fan and Gijbels, "Local Polynomial Modelling", 1996.
    """
    known = np.flatnonzero(np.isfinite(values))
    smoothed = values.copy()
    first = np.searchsorted(times[known], times[known] - _REACH * seconds)
    end = np.searchsorted(times[known], times[known] + _REACH * seconds, side="right")
    for row, low, high in zip(known, first, end, strict=True):
        near = known[low:high]
        away = times[near] - times[row]
        weight = np.exp(-0.5 * (away / seconds) ** 2)
        one, two, three = weight.sum(), (weight * away).sum(), (weight * away**2).sum()
        line = weight * (three - two * away)
        total = one * three - two**2
        smoothed[row] = line @ values[near] / total if total > 1e-9 * seconds**2 else weight @ values[near] / one
    return smoothed
