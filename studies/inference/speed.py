"""How fast tracks are lifted, beside MMPose's lifters on the same keypoints."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.lifting.windows import cut_windows
from mpm_mmpose.pose.geometry import normalize_screen

from .look_ahead import run_stream

#: Frames in one call at a time, of which the median is taken.
SINGLE = 40


@dataclass(frozen=True)
class Speed:
    """Frames a second, and ms of a frame that comes alone (None where that is no way to use it)."""

    frames_per_second: float
    single_ms: float | None = None


def join_clips(store: PoseStore, frames: int) -> Track2D:
    """One track of clips one after the other, again from the first where they do not last; it jumps between them.

    The speed does not depend on what is in a track.
    """
    keypoints = np.resize(np.asarray(store.keypoints[:frames]), (frames, *store.keypoints.shape[1:]))
    fps = float(store.fps[0])
    return Track2D(
        person="0",
        times=np.arange(frames) / fps,
        keypoints=keypoints.clip(0, (int(store.widths[0]), int(store.heights[0]))),
        scores=np.ones(keypoints.shape[:2]),
        keypoint_set=store.keypoint_set,
        width=int(store.widths[0]),
        height=int(store.heights[0]),
        fps=fps,
    )


def first_frames(track: Track2D, frames: int) -> Track2D:
    """The beginning of a track."""
    arrays = {name: getattr(track, name)[:frames] for name in ("times", "keypoints", "scores")}
    return replace(track, **arrays)


def speed_of_lifter(lifter: TrackLifter, track: Track2D, repeats: int = 1, single: bool = False) -> Speed:
    """All that lifting does; single: `MPMStream` too, whose windows are as long whatever its look-ahead."""
    lifter.lift(first_frames(track, min(len(track), 2 * lifter.batch_size)))
    seconds = [elapsed(lambda: lifter.lift(track)) for _ in range(repeats)]
    streamed = first_frames(track, SINGLE + min(lifter.window, SINGLE))
    return Speed(
        len(track) / statistics.median(seconds),
        float(np.median(run_stream(lifter, streamed, 0)[1][-SINGLE:])) if single else None,
    )


class MMPoseLifter:
    """MMPose's lifter of a config in MMPose's package, with random weights; its network alone."""

    def __init__(self, config: str, device: str) -> None:
        cfg = get_config(f"mmpose::body_3d_keypoint/{config}")
        init_default_scope("mmpose")
        self.model = MODELS.build(cfg.model).to(device).eval()
        self.device = device
        #: MotionBERT gives all frames of a window, VideoPose3D its middle one.
        self.whole = cfg.model.backbone.type == "DSTFormer"
        dataset = cfg.val_dataloader.dataset
        self.window = dataset.multiple_target if self.whole else dataset.seq_len

    @torch.inference_mode()
    def __call__(self, windows: torch.Tensor, mirrored: bool) -> None:
        """Windows (B, T, K, 2) normalised to poses, which are thrown away; twice for a mirrored input."""
        ones = windows.new_ones(*windows.shape[:3], 1)
        shown = torch.cat([windows, ones], -1) if self.whole else windows.flatten(2).transpose(1, 2)
        for _ in range(1 + mirrored):
            self.model.head.forward(self.model.extract_feat(shown.to(self.device))).cpu()


def speed_of_mmpose(lifter: MMPoseLifter, track: Track2D, mirrored: bool, batch: int = 64) -> Speed:
    """Windows end to end where all of their frames are given, else one window per frame."""
    frames = normalize_screen(track.keypoints, track.width, track.height)
    step = lifter.window if lifter.whole else 1
    starts = np.arange(0, len(track), step) - (0 if lifter.whole else lifter.window // 2)

    def run(starts: np.ndarray) -> None:
        for first in range(0, len(starts), batch):
            windows = cut_windows(frames, starts[first : first + batch], lifter.window, 1)
            lifter(torch.from_numpy(windows), mirrored)

    run(starts[:1])
    single = [elapsed(lambda: run(starts[:1])) for _ in range(3)]
    return Speed(len(track) / elapsed(lambda: run(starts)), 1e3 * statistics.median(single))


def elapsed(action: Callable[[], object]) -> float:
    """Seconds on the wall clock."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
