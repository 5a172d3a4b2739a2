"""Live video: one frame in, 3D out, a stated number of frames later."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..pose.keypoints import get_keypoint_set
from .resampling import LONGEST_STEP, MOST_SKIPPED, NEAR, resample_around
from .track_lifter import TrackLifter
from .tracks import Track2D


class LiftedFrame(NamedTuple):
    """time s; keypoints_3d (K', 3) float32 root-relative m, camera axes, NaN where nobody is in reach; masked (K',)."""

    time: float
    keypoints_3d: np.ndarray
    masked: np.ndarray


class MPMStream:
    """Lifts one person frame by frame, as :class:`TrackLifter` with mode 'exact' does with what is known by then.

    A frame's 3D comes when ``look_ahead`` frames of the model's after it are known; the last known one stands for those
    still to come, or they are masked. With half a window (``lifter.window // 2``) it is that of the whole track;
    with 0 it depends on the past alone and comes at once. Windows are centred on the frame all the same, as the model
    is used to. Only what windows need is kept: about a window of frames.

    Args:
        lifter: the model and how to use it; its ``maskings``, ``mode`` and ``constant_bones`` are left aside.
        keypoint_set: what comes in, by name.
        width: px.
        height: px.
        fps: of the video; frames that come without a time are taken to be so far apart.
        look_ahead: 0 to half a window, in frames of the model.
        person: what to call them in messages.
        intrinsics: (9,) px, for models that refine.
        mask_future: whether frames still to come are masked; needs a model with mask tokens.

    Raises ValueError for a look-ahead out of range, and where frames cannot be masked.
    """

    def __init__(
        self,
        lifter: TrackLifter,
        *,
        keypoint_set: str,
        width: int,
        height: int,
        fps: float,
        look_ahead: int = 0,
        person: str = "0",
        intrinsics: np.ndarray | None = None,
        mask_future: bool = False,
    ) -> None:
        if not 0 <= look_ahead <= lifter.window // 2:
            raise ValueError(
                f"look_ahead is {look_ahead}; give 0 to {lifter.window // 2}, half a window of this model of "
                f"{lifter.window} frames"
            )
        self.lifter = lifter
        if mask_future and not lifter.model.mask_tokens:
            raise ValueError("mask_future: this model has no mask tokens; leave it out")
        self.mask_future = mask_future
        self.of_video = dict(
            person=person, keypoint_set=keypoint_set, width=width, height=height, fps=fps, intrinsics=intrinsics
        )
        step = lifter.frame_step / lifter.rate(fps)
        self.offsets = (np.arange(lifter.window) - lifter.window // 2) * step
        self.delay = look_ahead * step  # s
        self._near = NEAR / lifter.rate(fps)
        # Windows reach back as far as `reach`; a person who was last seen longer ago than that belongs to another
        # stretch.
        self._kept = 2 * lifter.reach(fps) + 2 * LONGEST_STEP * max(MOST_SKIPPED / fps, 1 / lifter.rate(fps))
        self._frames: list[tuple[float, np.ndarray, np.ndarray]] = []
        self._next = 0  # the first of them that is still to be lifted

    def push(
        self, keypoints: np.ndarray | None, scores: np.ndarray | None = None, time: float | None = None
    ) -> list[LiftedFrame]:
        """Take the next frame and return the frames that are lifted now, in order; often one, at first none.

        keypoints (K, 2) px and scores (K,), 1 where left out; None where the person was not detected. time s, later
        than the one before. Raises ValueError for what does not fit; the frame is then as if it had not come.
        """
        fps = self.of_video["fps"]
        if time is None:
            time = self._frames[-1][0] + 1 / fps if self._frames else 0.0
        if self._frames and time <= self._frames[-1][0]:
            raise ValueError(f"time is {time} s, but the frame before was at {self._frames[-1][0]} s; give a later one")
        number = len(get_keypoint_set(self.of_video["keypoint_set"]))
        if keypoints is None:
            keypoints, scores = np.zeros((number, 2)), np.zeros(number)
        scores = np.ones(len(keypoints)) if scores is None else scores
        checked = self._track([(time, np.asarray(keypoints), np.asarray(scores))])
        self._frames.append((time, checked.keypoints[0], checked.scores[0]))
        return self._lift_until(time - self.delay, self.mask_future)

    def finish(self) -> list[LiftedFrame]:
        """The frames that are left, when no more will come; the last frame stands for what is after it."""
        return self._lift_until(np.inf, False)

    def _lift_until(self, time: float, mask_future: bool) -> list[LiftedFrame]:
        lifted = []
        while self._next < len(self._frames) and self._frames[self._next][0] <= time + self._near:
            lifted.append(self._lift(self._next, mask_future))
            self._next += 1
        self._forget()
        return lifted

    def _lift(self, row: int, mask_future: bool) -> LiftedFrame:
        lifter, track = self.lifter, self._track(self._frames)
        rate, reach = lifter.rate(track.fps), lifter.reach(track.fps)
        seen = lifter.threshold, lifter.approximate
        frames = resample_around(track, row, self.offsets, lifter.keypoint_set, rate, reach, *seen)
        time, middle = float(track.times[row]), lifter.window // 2
        if frames is None:
            number = lifter.model.num_keypoints
            return LiftedFrame(time, np.full((number, 3), np.nan, np.float32), np.ones(number, bool))
        frames.masked[:, list(lifter.model.ignored)] = True
        if mask_future:
            frames.masked[time + self.offsets > track.times[-1] + self._near] = True
        window = lifter.shown(track, frames.keypoints, frames.masked)
        camera = lifter.camera(track, frames.keypoints[middle : middle + 1])
        (pose,) = lifter.model.targets(window[None], lifter.flip_test, camera)
        return LiftedFrame(time, pose, frames.masked[middle])

    def _forget(self) -> None:
        """Drop the frames that no window will need any more."""
        if self._next:
            oldest = self._frames[min(self._next, len(self._frames) - 1)][0] - self._kept
            old = sum(frame[0] < oldest for frame in self._frames)
            self._frames, self._next = self._frames[old:], self._next - old

    def _track(self, frames: list[tuple[float, np.ndarray, np.ndarray]]) -> Track2D:
        times, keypoints, scores = zip(*frames, strict=True)
        return Track2D(times=np.array(times), keypoints=np.stack(keypoints), scores=np.stack(scores), **self.of_video)
