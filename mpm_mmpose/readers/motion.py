"""What every reader of recorded or made motion returns: one person's keypoints over time in the world."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..limits import FARTHEST, check_fps, check_frames
from ..pose.keypoints import get_keypoint_set
from .legs import LONGEST_LEG, SHORTEST_LEG, leg_length


def check_size(where: str, keypoints: np.ndarray, metres_per_unit: float) -> None:
    """ValueError (``where``, fix) unless the legs of keypoints (T, 17, 3) m, as h36m_17 orders them, are a person's."""
    leg = leg_length(keypoints)
    if SHORTEST_LEG < leg < LONGEST_LEG or not np.isfinite(leg):  # what is not finite, Motion says more about
        return
    units = {"metres": 1.0, "centimetres": 0.01, "inches": 0.0254, "millimetres": 0.001}
    guess = [name for name, size in units.items() if 0.6 < leg / metres_per_unit * size < 1.1]
    raise ValueError(
        f"{where}: a unit of {metres_per_unit:.4g} m makes a leg {leg:.4g} m long, a person's is about 0.9 m; "
        + (f"the file seems to be in {guess[0]}" if guess else "the unit is another one")
        + ": correct the unit, scale the file, or leave it out"
    )


@dataclass
class Motion:
    """One continuous movement in world space.

    keypoints_3d (T, K, 3) float32 metres, Z up, the floor at z = 0, right-handed; K as ``keypoint_set`` orders them.
    ``source`` says where it came from; ``grade`` how near it is to what was recorded, in words of the people who
    collected it; ``notes`` what its reader found out and the file does not say.
    Raises ValueError for a wrong shape, no frames, or values that are not finite.
    """

    name: str
    keypoints_3d: np.ndarray
    fps: float
    subject: str = ""
    action: str = ""
    source: str = ""
    keypoint_set: str = "h36m_17"
    grade: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.keypoints_3d = np.ascontiguousarray(self.keypoints_3d, dtype=np.float32)
        number = len(get_keypoint_set(self.keypoint_set))
        where = f"motion {self.name!r}" + (f" from {self.source}" if self.source else "")
        if self.keypoints_3d.ndim != 3 or self.keypoints_3d.shape[1:] != (number, 3):
            raise ValueError(
                f"{where}: keypoints_3d has shape {self.keypoints_3d.shape}; give (frames, {number}, 3) "
                f"for keypoint set {self.keypoint_set}"
            )
        if not len(self.keypoints_3d):
            raise ValueError(f"{where}: keypoints_3d has no frames; leave this clip out")
        if not np.isfinite(self.keypoints_3d).all():
            frame = int(np.flatnonzero(~np.isfinite(self.keypoints_3d).all((1, 2)))[0])
            raise ValueError(f"{where}: keypoints_3d is not finite at frame {frame}; repair or cut the recording there")
        largest = float(np.abs(self.keypoints_3d).max())
        if largest > FARTHEST:
            frame = int(np.abs(self.keypoints_3d).max((1, 2)).argmax())
            raise ValueError(
                f"{where}: keypoints_3d of frame {frame} is {largest:.4g} m away, and people are recorded within "
                f"{FARTHEST:g} m; repair or cut the recording there, or correct its unit"
            )
        check_fps(where, self.fps)

    def __len__(self) -> int:
        return len(self.keypoints_3d)

    def resampled(self, fps: float) -> Motion:
        """The same movement at another rate, linear between frames; self when it has that rate already.

        Frames of the result lie inside the recorded time. A whole-number reduction takes recorded frames as they are.
        """
        if abs(fps - self.fps) < 1e-6 * self.fps:
            return self
        check_fps(f"motion {self.name!r}: the rate to resample to", fps)
        duration = (len(self) - 1) / self.fps
        # The small share of a frame keeps rounding from losing the last frame.
        frames = check_frames(f"motion {self.name!r}: {duration:.4g} s at {fps:g} Hz", duration * fps + 1e-6) + 1
        position = np.arange(frames) * (self.fps / fps)
        before = np.minimum(position.round(6).astype(np.int64), len(self) - 1)
        after = np.minimum(before + 1, len(self) - 1)
        share = np.clip(position - before, 0, 1).round(6).astype(np.float32)[:, None, None]
        poses = self.keypoints_3d[before] * (1 - share) + self.keypoints_3d[after] * share
        return replace(self, keypoints_3d=poses, fps=fps)

    def pieces(self, seconds: float) -> list[Motion]:
        """The movement in pieces of equal length, at most ``seconds`` long, called ``<name>.p<i>``."""
        number = max(1, math.ceil(len(self) / (seconds * self.fps)))
        if number == 1:
            return [self]
        parts = np.array_split(self.keypoints_3d, number)
        return [replace(self, name=f"{self.name}.p{i}", keypoints_3d=part) for i, part in enumerate(parts)]
