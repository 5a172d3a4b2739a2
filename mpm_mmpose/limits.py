"""What a recording of people can be, whatever a file says; pure."""

from __future__ import annotations

import math

#: Frames a second: slower is no motion, faster no camera.
LOWEST_FPS, HIGHEST_FPS = 1.0, 1000.0
#: Four days at 30 frames a second: a file whose frame numbers span more is wrong about them.
MOST_FRAMES = 10_000_000
#: m from the origin of a camera or a world: nobody is recorded from further away.
FARTHEST = 1000.0
#: px, sides of an image.
LARGEST_IMAGE = 100_000
# Sides of the image, of 1000 px at least, by which 2D may lie outside of it: what projections make of a person nearby.
_OUTSIDE = 10
#: Detectors give 0 to 1, some of them up to some tens.
LARGEST_SCORE = 1000.0


def is_fps(value: float) -> bool:
    """Whether a number can be the frames a second of a recording."""
    return LOWEST_FPS <= value <= HIGHEST_FPS


def farthest_pixel(width: float, height: float) -> float:
    """px, beyond which nobody is seen in an image of this size."""
    return _OUTSIDE * float(max(width, height, 1000))


def check_fps(where: str, fps: float) -> float:
    """``fps``; ValueError (``where``, fix) where it is none of a recording's, which is also asked before resampling."""
    if not is_fps(fps):
        raise ValueError(f"{where}: fps is {fps:g}; give the frames a second, from {LOWEST_FPS:g} to {HIGHEST_FPS:g}")
    return fps


def check_frames(where: str, frames: float) -> int:
    """The number of frames, a whole one; ValueError (``where``, fix) for more than a recording has."""
    if not frames <= MOST_FRAMES:
        raise ValueError(f"{where}: this makes {frames:.4g} frames, more than {MOST_FRAMES:,}; give it in parts")
    return math.floor(frames)
