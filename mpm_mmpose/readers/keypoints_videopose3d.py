"""VideoPose3D's ``data_2d_custom_<name>.npz``, as its ``prepare_data_2d_custom.py`` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..limits import LARGEST_IMAGE
from ..messages import brief
from .archives import read_npz
from .detections import LARGEST, LARGEST_SHARE, Detections, integer
from .keypoint_choice import KeypointMap, choose_keypoints


def read_videopose3d(path: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """One person a video and camera, all frames, scores of 1 because the file has none.

    ``positions_2d``: video -> 'custom' -> a list, one array (T, K, 2) px per camera; ``metadata``: ``layout_name`` and
    ``video_metadata``: video -> ``w``, ``h`` px. Frames in which nobody was found have been interpolated by
    VideoPose3D. Raises ValueError or OSError (file, field, fix).
    """
    fields = read_npz(path, ["positions_2d", "metadata"])
    table, metadata = fields["positions_2d"], fields["metadata"]
    for key, value in fields.items():
        if not isinstance(value, dict):
            raise ValueError(f"{path}: field {key!r} is no table; give VideoPose3D's data_2d_custom_*.npz")
    if not table:
        raise ValueError(f"{path}: field 'positions_2d' holds no videos; give another file")
    if keypoint_set == "auto":
        layout = metadata.get("layout_name")
        if not isinstance(layout, str) or layout not in ("coco", "h36m"):
            raise ValueError(
                f"{path}: field 'metadata': layout_name is {brief(layout)}, not 'coco' or 'h36m'; say which set"
            )
        keypoint_set = {"coco": "coco_17", "h36m": "h36m_17"}[layout]
    return [
        _detections(path, f"{name}/{label}", where, poses, metadata, video, keypoint_set)
        for video, label, where, poses in _arrays(path, table)
    ]


def _arrays(path: Path, table: dict) -> Iterator[tuple[str, str, str, Any]]:
    for video, actions in table.items():
        for action, cameras in actions.items() if isinstance(actions, dict) else [("", None)]:
            where = f"{path}: positions_2d of {video} {action}".rstrip()
            if not isinstance(cameras, list | tuple) or not cameras:
                raise ValueError(f"{where}: is no list of one (frames, keypoints, 2) array per camera; write it again")
            for camera, poses in enumerate(cameras):
                parts = [str(video)] + ([str(action)] if len(actions) > 1 or action != "custom" else [])
                parts += [f"camera{camera}"] if len(cameras) > 1 else []
                yield video, "/".join(parts), where + (f", camera {camera}" if len(cameras) > 1 else ""), poses


def _detections(
    path: Path, name: str, where: str, poses: Any, metadata: dict, video: str, keypoint_set: str | KeypointMap
) -> Detections:
    if not isinstance(poses, np.ndarray) or poses.dtype.kind not in "fiu" or poses.ndim != 3 or poses.shape[2] != 2:
        what = f"{poses.dtype} of shape {poses.shape}" if isinstance(poses, np.ndarray) else type(poses).__name__
        raise ValueError(f"{where}: is {what}, not numbers of shape (frames, keypoints, 2); write it again")
    if not len(poses):
        raise ValueError(f"{where}: has no frames; leave it out")
    if not np.isfinite(poses).all():
        raise ValueError(f"{where}: holds NaN or infinity; repair it or leave it out")
    if np.abs(poses).max() > LARGEST:
        raise ValueError(f"{where}: holds numbers above {LARGEST:.0f}; px are expected, write it again")
    keypoint_set, columns, notes = choose_keypoints(path, poses, np.ones(poses.shape[:2], dtype=bool), keypoint_set)
    sizes = metadata.get("video_metadata")
    size = sizes.get(video) if isinstance(sizes, dict) else None
    width, height = (
        integer(f"{path}: metadata of {video}", key, size[key]) if isinstance(size, dict) and key in size else 0
        for key in ("w", "h")
    )
    if min(width, height) < 0 or max(width, height) > LARGEST_IMAGE:
        raise ValueError(f"{path}: metadata of {video}: an image of {width} x {height} px; write it again")
    return Detections(
        name,
        path,
        keypoint_set,
        frames=np.arange(len(poses)),
        keypoints=poses[:, columns].astype(np.float32),
        scores=np.ones((len(poses), len(columns)), dtype=np.float32),
        boxes=np.full((len(poses), 4), np.nan, dtype=np.float32),
        tracks=np.zeros(len(poses), dtype=np.int64),
        width=width,
        height=height,
        normalised=bool(np.abs(poses).max() <= LARGEST_SHARE),
        notes=notes,
    )
