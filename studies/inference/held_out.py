"""Clips of a store whose 3D is known, as tracks of true 2D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.pose.geometry import root_relative
from mpm_mmpose.pose.keypoints import get_keypoint_set


@dataclass(frozen=True)
class Clip:
    """One person's track (N frames) of true 2D, all seen, and ground_truth (N, K, 3) root-relative m, camera axes."""

    track: Track2D
    ground_truth: np.ndarray


def read_clips(store: PoseStore, number: int, frames: int | None = None) -> list[Clip]:
    """``number`` clips, spread evenly over the store's; each by one of its cameras, in turn.

    So no motion counts twice. frames: of each clip at most, from its beginning. Raises ValueError where the store has
    no clip, or no 2D or 3D.
    """
    if store.keypoints is None or store.keypoints_3d is None or not len(store):
        raise ValueError(f"{store.path}: has no clips with 2D and 3D; give a store of motion, see docs/data.md")
    cameras: dict[str, list[int]] = {}
    for index, (name, camera) in enumerate(zip(store.names, store.cameras, strict=True)):
        cameras.setdefault(name.removesuffix(f".{camera}"), []).append(index)
    names = list(cameras)
    chosen = np.unique(np.linspace(0, len(names) - 1, min(number, len(names))).round().astype(int))
    views = [cameras[names[clip]] for clip in chosen]
    return [_read(store, indices[turn % len(indices)], frames) for turn, indices in enumerate(views)]


def _read(store: PoseStore, index: int, frames: int | None) -> Clip:
    sequence = store.sequence(index)
    keypoints = np.array(sequence.keypoints[:frames])
    track = Track2D(
        person=sequence.name,
        times=np.arange(len(keypoints)) / sequence.fps,
        keypoints=keypoints,
        scores=np.ones(keypoints.shape[:2]),
        keypoint_set=sequence.keypoint_set,
        width=sequence.width,
        height=sequence.height,
        fps=sequence.fps,
        intrinsics=sequence.intrinsics,
    )
    root = get_keypoint_set(sequence.keypoint_set).root
    return Clip(track, root_relative(np.array(sequence.keypoints_3d[:frames]), root))
