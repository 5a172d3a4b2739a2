"""When the frames of a detector's file are: by their list, by numbers that are times, or by numbers that count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..limits import MOST_FRAMES
from .detections import Detections

#: Numbers since 1970, from 2001 to 2096, and their unit in s.
_SINCE_1970 = {1e-3: (1e12, 4e12), 1e-6: (1e15, 4e15), 1e-9: (1e18, 4e18)}
_NAMES = {1e-3: "milliseconds", 1e-6: "microseconds", 1e-9: "nanoseconds"}
#: Numbers that are so far apart, as a share of a frame, are times in that unit.
_ABOUT_A_FRAME, _LEAST_STEP = (0.8, 1.25), 8


class FrameTimes(NamedTuple):
    """frames (N,) int64, which of the recording's frames each row is of; times (F,) s of all; fps of them; notes."""

    frames: np.ndarray
    times: np.ndarray
    fps: float
    notes: list[str]


def frame_times(detections: Detections, fps: float | None = None) -> FrameTimes:
    """When the rows of a recording are; time 0 is the first frame of the file.

    fps: how many numbers of frames make a second, instead of what the file says; not needed where the numbers are
    times, or the file has times. Where the file lists its frames, with or without people, these are the frames. Where
    it does not, the numbers count from 0, but for a first number that is higher than what follows is long. Raises
    ValueError (file, fix) for numbers that cannot be counted, and where nothing says the rate.
    """
    rate = fps or detections.fps
    if detections.times is not None:
        times = detections.times if fps is None else np.arange(len(detections.times)) / fps
        return FrameTimes(detections.frames, times, rate or known_rate(detections), [])
    numbers = detections.frames if detections.listed is None else detections.listed
    numbers = np.unique(numbers)
    if unit := _unit(numbers, rate):
        return _stamped(detections, numbers, unit, fps)
    if not rate:
        raise ValueError(f"{detections.path}: does not say how many frames a second it has; give fps (--fps)")
    step, first = detections.step, int(numbers[0])
    if detections.listed is None and 1 < first <= int(numbers[-1]) - first + 1:
        first %= step
    frames = (int(numbers[-1]) - first) // step + 1
    if frames > MOST_FRAMES:
        raise ValueError(
            f"{detections.path}: its frame numbers span {frames:,} frames; number them one after the other"
        )
    notes = [f"frame 0 is number {first} of the file"] if first > 0 else []
    if step > 1:
        notes.append(
            f"the file has every {step}. frame: {rate:g} frames a second are those of the numbers, so these are "
            f"{rate / step:g} a second (if they are not, give --fps)"
        )
    return FrameTimes((detections.frames - first) // step, np.arange(frames) * (step / rate), rate / step, notes)


def known_rate(detections: Detections) -> float:
    """Frames a second that the file says, by its head, its times, or numbers that are times; 0 where it does not."""
    if detections.fps:
        return detections.fps
    if detections.times is not None:
        times = detections.times
    else:
        numbers = np.unique(detections.frames if detections.listed is None else detections.listed)
        times = numbers * _unit(numbers, 0.0)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return 1 / step if step > 0 else 0.0


def _stamped(detections: Detections, numbers: np.ndarray, unit: float, fps: float | None) -> FrameTimes:
    times = (numbers - numbers[0]) * unit
    usual = float(1 / np.median(np.diff(times)))
    said = f"the frames' numbers are read as {_NAMES[unit]}: {len(numbers)} frames in {times[-1]:.2f} s"
    if fps and not _ABOUT_A_FRAME[0] <= usual / fps <= _ABOUT_A_FRAME[1]:
        said += f", {usual:.3g} a second and not {fps:g}"
    return FrameTimes(np.searchsorted(numbers, detections.frames), times, fps or detections.fps or usual, [said])


def _unit(numbers: np.ndarray, fps: float) -> float:
    """Seconds that one is, of numbers (F,) that rise; 0 where they count frames."""
    if len(numbers) < 3:
        return 0.0
    for unit, (low, high) in _SINCE_1970.items():
        if low <= numbers[0] and numbers[-1] <= high:
            return unit
    step = float(np.median(np.diff(numbers)))
    for unit in _NAMES if fps and step >= _LEAST_STEP else ():
        if _ABOUT_A_FRAME[0] <= step * unit * fps <= _ABOUT_A_FRAME[1]:
            return unit
    return 0.0
