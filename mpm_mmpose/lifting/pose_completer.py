"""3D in which keypoints are masked to whole 3D, frame by frame, with all the context that the model takes."""

from __future__ import annotations

import numpy as np

from ..errors import UsageError
from ..pose.keypoints import get_keypoint_set
from .resampling import LONGEST_STEP, NEAR, interpolate, model_times, resample
from .track_lifter import Progress
from .windows import WindowPredictor, cut_windows


class PoseCompleter:
    """Completes 3D poses, in windows that reach as far after a frame as before it.

    Args:
        model: one that takes 3D and has mask tokens.
        flip_test: take the mean of the plain and of the mirrored input's 3D.
        batch_size: windows that are in memory at a time.

    Raises UsageError for another model.
    """

    def __init__(self, model: WindowPredictor, *, flip_test: bool = True, batch_size: int = 64) -> None:
        if "3d" not in model.inputs or not model.mask_tokens:
            raise UsageError("completing 3D needs a model that takes 3D and has mask tokens, as mpm_h36m_27_completion")
        self.model, self.keypoint_set = model, get_keypoint_set(model.keypoint_set)
        self.flip_test, self.batch_size = flip_test, batch_size

    def complete(self, poses: np.ndarray, fps: float, progress: Progress | None = None) -> np.ndarray:
        """Root-relative poses (N, K, 3) m, float32; what is given in ``poses`` (N, K, 3) m, camera axes, stays.

        NaN is what is masked. The root is interpolated where it is not known. fps: frames a second; the poses are
        shown to the model at the rate and with the frame step of its training. progress: called with the windows
        done and those there are. Raises UsageError for another shape, or where nothing of the root is known.
        """
        number = len(self.keypoint_set)
        if poses.ndim != 3 or poses.shape[1:] != (number, 3) or not len(poses):
            raise UsageError(f"an array of shape {poses.shape} holds no 3D of this model; give (frames, {number}, 3) m")
        given = self._root_relative(poses)
        seen = np.isfinite(given).all(-1)
        times = np.arange(len(given)) / fps
        rate = self.model.trained_fps or fps
        new_times = model_times(times[0], times[-1], rate)
        gap = LONGEST_STEP * max(1 / fps, 1 / rate)
        shown, masked = resample(times, np.where(seen[..., None], given, 0), seen, new_times, gap, NEAR / rate)
        shown[masked] = np.nan
        window, step = self.model.window, self.model.trained_frame_step
        starts = np.arange(len(shown)) - window // 2 * step
        completed = np.empty_like(shown)
        for first in range(0, len(starts), self.batch_size):
            part = slice(first, first + self.batch_size)
            completed[part] = self.model.targets(cut_windows(shown, starts[part], window, step), self.flip_test)
            if progress is not None:
                progress(min(first + self.batch_size, len(starts)), len(starts))
        return np.where(seen[..., None], given, interpolate(new_times, completed, times))

    def _root_relative(self, poses: np.ndarray) -> np.ndarray:
        root = poses[:, self.keypoint_set.root].astype(np.float64)
        known = np.isfinite(root).all(-1)
        if not known.any():
            raise UsageError("the root is not known in any frame; give poses in which it is, at 0 if relative to it")
        frames = np.arange(len(poses))
        places = np.stack([np.interp(frames, frames[known], axis[known]) for axis in root.T], axis=-1)
        return (poses - places[:, None]).astype(np.float32)
