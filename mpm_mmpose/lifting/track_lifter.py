"""Whole tracks of 2D keypoints to 3D, each frame with all the context that the model takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..limits import FARTHEST, check_fps
from ..pose.bones import constant_bones
from ..pose.geometry import normalize_intrinsics, normalize_screen, to_rays
from ..pose.keypoints import BY_DEFINITION, get_keypoint_set
from .resampling import ModelFrames, interpolate, resample_track
from .tracks import Track2D, Track3D
from .trajectory import choose_camera
from .windows import TargetView, WindowPredictor, cut_windows

if TYPE_CHECKING:
    import torch
    from torch import nn

MODES = {"exact": "target", "blended": "sequence"}  # and what they ask a model for
FEW_FRAMES = 3  # with fewer there is no motion to speak of
MASKED_SHARE = 0.3  # of the keypoints, in each masking: 5 of 17, as in pre-training (paper section 4.2)

Progress = Callable[[int, int], None]
_log = logging.getLogger("mpm_mmpose")


class TrackLifter:
    """Lifts people frame by frame from windows that reach as far after a frame as before it.

    A track is resampled to the model's rate by its time stamps, and the 3D back to them. Windows are those of
    :class:`~mpm_mmpose.data.PoseWindowDataset`: target frame at ``window // 2``, ends repeated. What is not
    usable (:func:`~mpm_mmpose.lifting.tracks.visible_keypoints`), what the track's keypoint set does not have and
    frames without a detection are the model's learned mask tokens. A model without mask tokens is shown a guess
    instead, from before and after or from other keypoints; a warning says the former once.

    Args:
        model: mmpose's `PoseLifter` with an `MPMBackbone` for 2D; or a
            :class:`~mpm_mmpose.lifting.windows.WindowPredictor` as :class:`~mpm_mmpose.runtime.OnnxModel`, which needs
            no PyTorch.
        fps: rate of the frames that the model was trained on, Hz. None: as the model's checkpoint says, else each
            track's own.
        frame_step: frames between two frames of a window. None: as the model's checkpoint says, else 1.
        keypoint_set: the model's, by name. None: as the model says, else Human3.6M's 17.
        mode: 'exact', one window per frame, of which it is the target, as in the evaluation; or 'blended', half
            overlapping windows of which all frames are taken, weighted by sin^2 so that the middles count most.
            Blending makes window / 2 times fewer windows. None: 'blended' for models that were made for it
            (`SequenceHead`) or are exported for whole windows only, else 'exact'.
        threshold: keypoints of a lower score are masked.
        maskings: how often to lift once more with random keypoints masked, for the spread. Needs mask tokens, and
            PyTorch to draw them.
        flip_test: take the mean of the plain and of the mirrored input's 3D.
        constant_bones: give each bone one length over the track, the median of what the model says, and keep its
            directions. None: for models of rays, which are made for real people.
        batch_size: windows that are in memory at a time.
        device: where to run a `PoseLifter`; None is where it is.
        seed: of the maskings.

    Raises ValueError for a model or an argument that does not fit.
    """

    def __init__(
        self,
        model: nn.Module | WindowPredictor,
        *,
        fps: float | None = None,
        frame_step: int | None = None,
        keypoint_set: str | None = None,
        mode: str | None = None,
        threshold: float = 0.3,
        maskings: int = 0,
        flip_test: bool = True,
        constant_bones: bool | None = None,
        batch_size: int = 64,
        device: torch.device | str | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model if isinstance(model, WindowPredictor) else _window_model(model, keypoint_set, device)
        if "2d" not in self.model.inputs:
            raise ValueError(f"the model takes {', '.join(self.model.inputs)}; give one that has '2d' among its inputs")
        if keypoint_set not in (None, self.model.keypoint_set):
            theirs = self.model.keypoint_set
            raise ValueError(f"the model is of {theirs}; give keypoint_set={theirs!r}, not {keypoint_set!r}")
        self.fps = self.model.trained_fps if fps is None else fps
        self.frame_step = self.model.trained_frame_step if frame_step is None else frame_step
        modes = {output: mode for mode, output in MODES.items()}
        able = [modes[output] for output in self.model.outputs]
        self.keypoint_set, self.mode, self.threshold = self.model.keypoint_set, mode or able[0], threshold
        self.flip_test, self.maskings, self.batch_size, self.seed = flip_test, maskings, batch_size, seed
        self.constant_bones = self.model.space == "rays" if constant_bones is None else constant_bones
        # What a detector does not have is left to the mask tokens or never looked at, not made up.
        self.approximate = BY_DEFINITION if self.model.mask_tokens or self.model.ignored else True
        self._guess_is_said = False
        if self.mode not in MODES:
            raise ValueError(f"mode is {mode!r}; give one of {tuple(MODES)}")
        if self.mode not in able:
            raise ValueError(f"mode {mode!r} needs poses of the {MODES[mode]}, which this model file does not give")
        if self.fps is not None:
            check_fps("the model's rate", self.fps)
        if maskings < 0 or batch_size < 1 or self.frame_step < 1:
            raise ValueError(
                f"maskings is {maskings}, batch_size {batch_size}, frame_step {self.frame_step}; "
                "give 0 or more, 1 or more, 1 or more"
            )
        if maskings and not self.model.mask_tokens:
            raise ValueError(
                f"maskings is {maskings}, but this model has no mask tokens to mask keypoints with; give 0, or a "
                "model whose backbone has mask_tokens=True"
            )

    @property
    def window(self) -> int:
        """T, frames that the model sees at a time."""
        return self.model.window

    def rate(self, track_fps: float) -> float:
        """Frames a second at which tracks of ``track_fps`` are shown to the model."""
        return track_fps if self.fps is None else self.fps

    def reach(self, track_fps: float) -> float:
        """How far the model sees before and after a frame, s; a frame at least."""
        return max(self.window // 2, 1) * self.frame_step / self.rate(track_fps)

    def lift(self, track: Track2D, progress: Progress | None = None) -> Track3D:
        """The 3D of a track at the track's own times.

        progress: called after each batch with the windows done and those there are. Frames further than :meth:`reach`
        from any sight of the person are NaN. Memory beyond the track's own size depends on ``batch_size``. Raises
        ValueError where no keypoint of the person is usable, and where the model gives NaN or absurd
        poses.
        """
        stretches = self.stretches(track)
        if len(track) < FEW_FRAMES:
            _log.warning(
                f"person {track.person}: there are {len(track)} frames, this model looks at {self.window}; they are "
                "repeated, so nothing of the motion is seen and the 3D is less certain"
            )
        windows = sum(len(self._starts(len(frames))) for frames in stretches)
        report = _Counter(progress, windows * (1 + self.maskings))
        number = self.model.num_keypoints
        poses = np.full((len(track), number, 3), np.nan, np.float32)
        masked = np.ones((len(track), number), bool)
        spread = np.full((len(track), number), np.nan, np.float32) if self.maskings else None
        for index, frames in enumerate(stretches):
            times = track.times[frames.rows]
            lifted = self._lift(track, frames, frames.masked, report)
            if not (np.abs(lifted) <= FARTHEST).all():  # NaN is not, either
                raise ValueError(
                    f"person {track.person}: the model gives what is no pose (NaN, or beyond {FARTHEST:g} m) for "
                    f"some of {len(track)} frames; its weights are damaged: train or export it again"
                )
            poses[frames.rows] = interpolate(frames.times, lifted, times)
            masked[frames.rows] = frames.masked[_nearest(frames.times, times)]
            if spread is not None:
                variance = self._variance(track, frames, lifted, index, report)
                spread[frames.rows] = np.sqrt(variance[_nearest(frames.times, times)])
        if self.constant_bones:
            poses = constant_bones(get_keypoint_set(self.keypoint_set), poses)
        return Track3D(track, poses, self.keypoint_set, masked, spread, ignored=tuple(self.model.ignored))

    def stretches(self, track: Track2D) -> list[ModelFrames]:
        """The stretches of the track in which the person is seen, at the model's rate; ValueError if there is none."""
        rate, reach = self.rate(track.fps), self.reach(track.fps)
        found = resample_track(track, self.keypoint_set, rate, reach, self.threshold, self.approximate)
        for frames in found:
            frames.masked[:, list(self.model.ignored)] = True
        if not found:
            best = f"the best score is {track.scores.max():.2f}"
            raise ValueError(
                f"person {track.person}: no keypoint of {len(track)} frames is inside the image with a score of "
                f"{self.threshold} or more ({best}); leave this person out, or lower the threshold"
            )
        return found

    def shown(self, track: Track2D, keypoints: np.ndarray, masked: np.ndarray) -> np.ndarray:
        """What the model gets of keypoints (M, K, 2) px: normalised or rays, NaN where ``masked`` (M, K) is True.

        A model without mask tokens gets all of them; a warning says so when it happens first.
        """
        if self.model.space == "rays":
            poses = to_rays(keypoints, choose_camera(track).intrinsics)
        else:
            poses = normalize_screen(keypoints, track.width, track.height)
        if self.model.mask_tokens:
            poses[masked] = np.nan
        elif masked.any() and not self._guess_is_said:
            self._guess_is_said = True
            _log.warning(
                f"person {track.person}: some keypoints are not seen, and this model has no mask tokens (its backbone "
                "has mask_tokens=False): it is shown a guess from before and after. This warning is given once."
            )
        return poses

    def camera(self, track: Track2D, keypoints: np.ndarray) -> TargetView | None:
        """What heads that refine need of target frames' keypoints (B, K, 2) px; None where intrinsics are unknown."""
        if track.intrinsics is None:
            return None
        size = track.width, track.height
        intrinsics = normalize_intrinsics(track.intrinsics, *size).astype(np.float32)
        return normalize_screen(keypoints, *size), intrinsics

    def _lift(self, track: Track2D, frames: ModelFrames, masked: np.ndarray, report: _Counter) -> np.ndarray:
        """(M, K, 3) root-relative m of frames at the model's rate, of which ``masked`` (M, K) is not shown."""
        shown = self.shown(track, frames.keypoints, masked)
        starts = self._starts(len(frames))
        poses = np.zeros((*frames.masked.shape, 3), np.float32)
        weights = np.zeros(len(frames), np.float32)
        for first in range(0, len(starts), self.batch_size):
            part = starts[first : first + self.batch_size]
            windows = cut_windows(shown, part, self.window, self.frame_step)
            if self.mode == "exact":
                targets = part + self.window // 2 * self.frame_step
                camera = self.camera(track, frames.keypoints[targets])
                poses[targets] = self.model.targets(windows, self.flip_test, camera)
            else:
                self._blend(self.model.sequences(windows, self.flip_test), part, poses, weights)
            report.add(len(part))
        if self.mode == "blended":
            poses /= weights[:, None, None]
        return poses

    def _starts(self, frames: int) -> np.ndarray:
        """(W,) first frame of each window of a stretch; it may be before the stretch, where that is repeated."""
        if self.mode == "exact":
            return np.arange(frames) - self.window // 2 * self.frame_step
        starts = []
        for phase in range(min(self.frame_step, frames)):
            last = max(len(range(phase, frames, self.frame_step)) - self.window, 0)
            every = np.append(np.arange(0, last, max(self.window // 2, 1)), last)
            starts.append(phase + every * self.frame_step)
        return np.concatenate(starts)

    def _blend(self, found: np.ndarray, starts: np.ndarray, poses: np.ndarray, weights: np.ndarray) -> None:
        """Add windows (B, T, K, 3) to the sum ``poses`` (M, K, 3), and their weights to ``weights`` (M,)."""
        weight = np.sin(np.pi * (np.arange(self.window) + 0.5) / self.window).astype(np.float32) ** 2
        for start, window in zip(starts, found, strict=True):
            frames = slice(start, start + self.window * self.frame_step, self.frame_step)
            inside = len(weights[frames])
            poses[frames] += weight[:inside, None, None] * window[:inside]
            weights[frames] += weight[:inside]

    def _variance(
        self, track: Track2D, frames: ModelFrames, lifted: np.ndarray, stretch: int, report: _Counter
    ) -> np.ndarray:
        """(M, K) m^2, mean squared distance from ``lifted`` of what is lifted with more masked."""
        # Imported here: nothing else needs PyTorch.
        from ..masking import spatio_temporal_masks, stream_generator

        looked_at = np.setdiff1d(np.arange(lifted.shape[1]), self.model.ignored).astype(int)
        total = np.zeros(lifted.shape[:2], np.float32)
        for masking in range(self.maskings):
            generator = stream_generator("cpu", self.seed, stretch, masking)
            masks = spatio_temporal_masks(
                1,
                len(frames),
                len(looked_at),
                generator=generator,
                masked_keypoints=round(MASKED_SHARE * len(looked_at)),
                frame_ratio=0.0,
            )
            masked = frames.masked.copy()
            masked[:, looked_at] |= masks.keypoint_mask[0].numpy()
            total += np.square(self._lift(track, frames, masked, report) - lifted).sum(-1)
        return total / self.maskings


def _window_model(model: nn.Module, keypoint_set: str | None, device: torch.device | str | None) -> WindowPredictor:
    from .window_model import WindowModel

    return WindowModel(model, keypoint_set, device)


def _nearest(times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(N,) index of the time among ``times`` (M,), increasing, that is nearest to each wanted one (N,)."""
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    after = np.minimum(after, len(times) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(wanted - times[before] <= times[after] - wanted, before, after)


class _Counter:
    """Says how many windows are done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.done, self.total = progress, 0, total

    def add(self, windows: int) -> None:
        self.done += windows
        if self.progress is not None:
            self.progress(self.done, self.total)
