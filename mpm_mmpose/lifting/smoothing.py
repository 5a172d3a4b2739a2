"""Published filters over time, for lifted poses and trajectories; off unless asked for."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from ..errors import UsageError, unknown_name
from .resampling import interpolate, model_times
from .tracks import Track3D

FILTERS = ("one_euro", "savitzky_golay")


def check_filter(filter: str) -> None:
    """UsageError for a filter that is not known, or that needs what is not installed."""
    if filter not in FILTERS:
        raise unknown_name("filter", filter, FILTERS)
    if filter == "savitzky_golay" and find_spec("scipy") is None:
        raise UsageError("filter 'savitzky_golay' needs SciPy, which is not installed; take 'one_euro', or install it")


def smooth(lifted: Track3D, filter: str, **options: float) -> Track3D:
    """The track with its 3D, and its trajectory if it has one, filtered in each stretch without NaN.

    filter: 'one_euro' (:class:`OneEuro`, depends on the past alone and lags a little) or 'savitzky_golay'
    (:func:`savitzky_golay`, looks both ways). options: the filter's. Raises UsageError for another filter.
    """
    check_filter(filter)
    run = one_euro if filter == "one_euro" else savitzky_golay
    times = lifted.track.times

    def filtered(values: np.ndarray) -> np.ndarray:
        out = values.copy()
        known = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        for rows in _runs(known):
            out[rows] = run(times[rows], values[rows], **options)
        return out

    trajectory = None if lifted.trajectory is None else filtered(lifted.trajectory)
    return replace(lifted, keypoints_3d=filtered(lifted.keypoints_3d), trajectory=trajectory)


class OneEuro:
    """The 1-Euro filter, a low-pass that opens with speed: call it with each frame's time s and values (...), in m.

    min_cutoff: Hz, the lower the smoother at rest. beta: by how many Hz the cutoff rises for each unit a second, the
    higher the less lag in quick motion. d_cutoff: Hz, for the speed itself. Each number is filtered alone. Source:
    Casiez, Roussel, Vogel, "1 Euro filter", CHI 2012, algorithms 1 and 2.
    """

    def __init__(self, min_cutoff: float = 1.0, beta: float = 10.0, d_cutoff: float = 1.0) -> None:
        if not (min_cutoff > 0 and beta >= 0 and d_cutoff > 0):
            raise ValueError(
                f"min_cutoff is {min_cutoff}, beta {beta}, d_cutoff {d_cutoff}; give above 0, 0 or more, above 0"
            )
        self.min_cutoff, self.beta, self.d_cutoff = min_cutoff, beta, d_cutoff
        self.time: float | None = None

    def __call__(self, time: float, values: np.ndarray) -> np.ndarray:
        """The filtered values of the type of ``values``; time must be later than the last one."""
        if self.time is None:
            self.time, self.values, self.speed = time, values.astype(np.float64), np.zeros(values.shape)
            return values.copy()
        step = time - self.time
        if step <= 0:
            raise ValueError(f"time is {time} s, the one before was {self.time} s; give a later one")
        speed = (values - self.values) / step
        self.speed = self.speed + _share(step, self.d_cutoff) * (speed - self.speed)
        share = _share(step, self.min_cutoff + self.beta * np.abs(self.speed))
        self.values = self.values + share * (values - self.values)
        self.time = time
        return self.values.astype(values.dtype)


def one_euro(times: np.ndarray, values: np.ndarray, **options: float) -> np.ndarray:
    """Values (N, ...) at times (N,) s after :class:`OneEuro`."""
    follow = OneEuro(**options)
    return np.stack([follow(float(time), frame) for time, frame in zip(times, values, strict=True)])


def savitzky_golay(times: np.ndarray, values: np.ndarray, seconds: float = 0.3, order: int = 2) -> np.ndarray:
    """Values (N, ...) at times (N,) s, each from the polynomial that fits what is around it best.

    seconds: how long a stretch is fitted; order: of the polynomial. The filter wants even steps: uneven ones are
    resampled to their mean, and back. What is too short for the polynomial stays. Source: Savitzky and Golay,
    Analytical Chemistry 36, 1964; scipy.signal.savgol_filter.
    """
    from scipy.signal import savgol_filter  # the light set has no SciPy

    if not (seconds > 0 and order >= 0):
        raise ValueError(f"seconds is {seconds}, order {order}; give above 0, and 0 or more")
    if len(times) < 2:
        return values.copy()
    rate = (len(times) - 1) / (times[-1] - times[0])
    length = min(2 * int(seconds * rate / 2) + 1, len(times) - (len(times) + 1) % 2)  # odd
    if length <= order:
        return values.copy()
    flat = values.reshape(len(values), -1, 1)
    even = model_times(times[0], times[-1], rate)
    smoothed = savgol_filter(interpolate(times, flat, even), length, order, axis=0)
    return interpolate(even, smoothed, times).reshape(values.shape).astype(values.dtype)


def _share(step: float, cutoff: np.ndarray | float) -> np.ndarray | float:
    """How far an exponential filter goes towards the new value in ``step`` s."""
    turn = 2 * np.pi * cutoff * step
    return turn / (turn + 1)


def _runs(known: np.ndarray) -> list[slice]:
    """The stretches of True in (N,) bool."""
    edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    return [slice(int(first), int(end)) for first, end in edges.reshape(-1, 2)]
