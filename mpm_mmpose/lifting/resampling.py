"""From the time stamps of a video to the rate of a model, and back; gaps become masked frames."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ..limits import check_frames
from .tracks import Track2D, find_stretches, visible_keypoints

NEAR = 1e-3  # of a frame; frames so close together are taken as they are
LONGEST_STEP = 1.5  # frames; a person who is missing for longer is not seen in between
MOST_SKIPPED = 4  # a detector may look at every second, third or fourth frame of the video


@dataclass(frozen=True)
class ModelFrames:
    """A stretch of a track at a model's rate.

    rows: which of the track's. times (M,) s. keypoints (M, K, 2) float32 px, known everywhere: where masked (M, K) bool
    is True they are a guess from before and after.
    """

    rows: slice
    times: np.ndarray
    keypoints: np.ndarray
    masked: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


def resample_track(
    track: Track2D,
    keypoint_set: str,
    fps: float,
    reach: float,
    threshold: float = 0.3,
    approximate: bool | Collection[str] = True,
) -> list[ModelFrames]:
    """The stretches of a track at ``fps``, in the keypoints of ``keypoint_set``.

    reach: s that a model sees before and after a frame. A gap of more than twice that parts two stretches, as no window
    has frames of both; what is not seen for a shorter time is masked. Keypoints that are not usable
    (:func:`~mpm_mmpose.lifting.tracks.visible_keypoints`, also of ``approximate``) are not seen.
    """
    sights = _Sights(track, keypoint_set, fps, reach, threshold, approximate)
    return [sights.at(rows, model_times(*track.times[[rows.start, rows.stop - 1]], fps)) for rows in sights.stretches]


def resample_around(
    track: Track2D,
    row: int,
    offsets: np.ndarray,
    keypoint_set: str,
    fps: float,
    reach: float,
    threshold: float = 0.3,
    approximate: bool | Collection[str] = True,
) -> ModelFrames | None:
    """Frame ``row`` of a track and what is ``offsets`` (T,) s from it, by the rules of :func:`resample_track`.

    The ends of its stretch stand for what is beyond them. None where the frame is of no stretch.
    """
    sights = _Sights(track, keypoint_set, fps, reach, threshold, approximate)
    for rows in sights.stretches:
        if rows.start <= row < rows.stop:
            times = (track.times[row] + offsets).clip(track.times[rows.start], track.times[rows.stop - 1])
            return sights.at(rows, times)
    return None


class _Sights:
    """What is usable of a track, in the model's keypoints."""

    def __init__(
        self,
        track: Track2D,
        keypoint_set: str,
        fps: float,
        reach: float,
        threshold: float,
        approximate: bool | Collection[str],
    ) -> None:
        self.times = track.times
        self.keypoints, self.visible = visible_keypoints(track, keypoint_set, threshold, approximate)
        self.gap, self.near = longest_step(track, fps), NEAR / fps
        reach *= 1 + NEAR  # times are rounded
        self.stretches = find_stretches(self.times, self.visible.any(1), max(self.gap, 2 * reach), reach)

    def at(self, rows: slice, times: np.ndarray) -> ModelFrames:
        """The frames of a stretch at other times (M,) s."""
        old = self.times[rows], self.keypoints[rows], self.visible[rows]
        return ModelFrames(rows, times, *resample(*old, times, self.gap, self.near))


def longest_step(track: Track2D, fps: float) -> float:
    """The longest time in s from one sight of a keypoint to the next that is no gap, for a model of ``fps``."""
    usual = float(np.median(np.diff(track.times))) if len(track) > 1 else 0.0
    return LONGEST_STEP * max(min(usual, MOST_SKIPPED / track.fps), 1 / track.fps, 1 / fps)


def model_times(first: float, last: float, fps: float) -> np.ndarray:
    """(M,) s, 1 / fps apart from ``first`` on; the last one is ``last``, be it sooner than that after the one before.

    So nothing is ever read from beyond the ends.
    """
    frames = check_frames(f"{last - first:.4g} s at {fps:g} Hz", (last - first) * fps + NEAR) + 1
    times = first + np.arange(frames) / fps
    return times if last - times[-1] <= NEAR / fps else np.append(times, last)


def resample(
    times: np.ndarray,
    keypoints: np.ndarray,
    visible: np.ndarray,
    new_times: np.ndarray,
    gap: float,
    near: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Each keypoint at ``new_times`` (M,) s, from where it is visible: (M, K, C) of its type, and masked (M, K) bool.

    times (N,) s, increasing; keypoints (N, K, C); visible (N, K) bool. Cubic (Catmull-Rom) between two sights at most
    ``gap`` s apart, and as it stands at a sight at most ``near`` s away. All else is masked: there keypoints go in a
    straight line over a gap and stay where they are before the first and after the last sight; those never seen are in
    the middle of the others.
    """
    values = np.empty((len(new_times), *keypoints.shape[1:]), keypoints.dtype)
    masked = np.empty(values.shape[:2], bool)
    for index in range(keypoints.shape[1]):
        seen = visible[:, index]
        if seen.any():
            found = _interpolate(times[seen], keypoints[seen, index], new_times, gap, near)
            values[:, index], masked[:, index] = found
    ever = visible.any(0)
    masked[:, ~ever] = True
    values[:, ~ever] = values[:, ever].mean(1, keepdims=True) if ever.any() else 0
    return values, masked


def interpolate(times: np.ndarray, poses: np.ndarray, new_times: np.ndarray) -> np.ndarray:
    """Poses (N, K, C) at other times (M,) s within ``times`` (N,) s: cubic, with no gaps; (M, K, C)."""
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    seen = np.ones(poses.shape[:2], bool)
    return resample(times, poses, seen, new_times, np.inf, NEAR * step)[0]


def _interpolate(
    times: np.ndarray, values: np.ndarray, new_times: np.ndarray, gap: float, near: float
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`resample` of one keypoint (N, C) that is visible in all frames."""
    before = np.clip(np.searchsorted(times, new_times, side="right") - 1, 0, len(times) - 1)
    after = np.minimum(before + 1, len(times) - 1)
    nearest = np.where(np.abs(times[after] - new_times) < np.abs(times[before] - new_times), after, before)
    exact = np.abs(times[nearest] - new_times) <= near
    if exact.all():
        return values[nearest], ~exact
    steps = np.diff(times)
    between = (new_times >= times[0]) & (new_times <= times[-1]) & (times[after] - times[before] <= gap)
    new = np.stack([np.interp(new_times, times, column) for column in values.T], -1)
    if between.any() and len(times) > 1:
        first = np.minimum(before[between], len(times) - 2)
        new[between] = _hermite(times, values, _slopes(steps, values, gap), first, new_times[between])
    new[exact] = values[nearest[exact]]
    return new, ~(between | exact)


def _hermite(
    times: np.ndarray, values: np.ndarray, slopes: np.ndarray, first: np.ndarray, new_times: np.ndarray
) -> np.ndarray:
    """Cubic Hermite interpolation (M, C) at new_times (M,), each between ``first`` (M,) and the one after it.

    values and slopes (a second) are (N, C) at times (N,) s.
    """
    step = (times[first + 1] - times[first])[:, None]
    part = (new_times[:, None] - times[first, None]) / step
    rest = 1 - part
    ends = values[first] * (1 + 2 * part) * rest**2 + values[first + 1] * (1 + 2 * rest) * part**2
    return ends + step * part * rest * (slopes[first] * rest - slopes[first + 1] * part)


def _slopes(steps: np.ndarray, values: np.ndarray, gap: float) -> np.ndarray:
    """(N, C) change a second at each of N values: of the parabola through its neighbours, on this side of gaps."""
    pieces = np.diff(values.astype(np.float64), axis=0) / steps[:, None]
    # The nearer neighbour counts more; one beyond a gap, or beyond the end, not at all.
    weights = np.where(steps <= gap, 1 / steps, 0)
    left, right = np.append(0, weights)[:, None], np.append(weights, 0)[:, None]
    edge = np.zeros((1, values.shape[1]))
    total = left * np.append(edge, pieces, axis=0) + right * np.append(pieces, edge, axis=0)
    return total / np.maximum(left + right, np.finfo(float).tiny)
