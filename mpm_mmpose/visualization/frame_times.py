"""Where images of any times are in a video of a constant rate; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def frame_numbers(times: Sequence[float] | np.ndarray, fps: float) -> np.ndarray:
    """(F,) int64, the frame of a video of ``fps`` from which on each image is seen; times (F,) s, increasing.

    The first image begins the video; each is at most half a frame too soon or too late. An image stays until the next
    one's frame, and of several with the same frame the last is seen.
    """
    times = np.asarray(times, np.float64)
    return np.floor((times - times[:1]) * fps + 0.5).astype(np.int64)
