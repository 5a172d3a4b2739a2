"""Plain arrays of keypoints: ``.npy``, and ``.npz`` such as the ``keypoints.npz`` of MHFormer and its like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .archives import npz_fields, read_npy, read_npz
from .detections import DetectionRows, Detections
from .keypoint_choice import KeypointMap

#: Names under which archives hold keypoints; MHFormer, StridedTransformer, MotionAGFormer, PoseFormerV2: the first.
FIELDS = ("reconstruction", "keypoints", "keypoints_2d", "kpts", "kps", "pose_2d", "poses_2d", "joints_2d", "arr_0")
SCORES = ("scores", "keypoint_scores", "confidence", "conf")


def read_npy_keypoints(path: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of an array (T, K, 2 or 3) or (people, T, K, 2 or 3): px or shares of the image, and score.

    NaN, and a score of 0 where there are scores, mean that a keypoint was not found. Raises ValueError or OSError.
    """
    return [_detections(path, name, "the array", read_npy(path), None, keypoint_set)]


def read_npz_keypoints(path: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of an archive that holds such an array under one of ``FIELDS``, and perhaps its scores.

    ``reconstruction`` is in Human3.6M's order unless a keypoint set is given. Raises ValueError or OSError.
    """
    names = npz_fields(path)
    field = next((candidate for candidate in FIELDS if candidate in names), None)
    if field is None:
        raise ValueError(
            f"{path}: has fields {', '.join(names) or 'none'}; VideoPose3D's positions_2d and metadata, or an array "
            f"(frames, keypoints, 2) called {', '.join(FIELDS)} are read"
        )
    score_field = next((candidate for candidate in SCORES if candidate in names), None)
    arrays = read_npz(path, [field, *([score_field] if score_field else [])])
    if field == "reconstruction" and keypoint_set == "auto":
        keypoint_set = "h36m_17"
    scores = arrays[score_field] if score_field else None
    return [_detections(path, name, f"field {field!r}", arrays[field], scores, keypoint_set)]


def _detections(
    path: Path, name: str, what: str, array: Any, scores: Any, keypoint_set: str | KeypointMap
) -> Detections:
    numeric = isinstance(array, np.ndarray) and array.dtype.kind in "fiu"
    if not numeric or array.ndim not in (3, 4) or array.shape[-1] not in (2, 3) or not array.size:
        given = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(
            f"{path}: {what} is {given}; give numbers (frames, keypoints, 2), (frames, keypoints, 3) with scores, or "
            "(people, frames, keypoints, 2 or 3)"
        )
    people = array[None] if array.ndim == 3 else array
    if people.shape[-1] == 3:
        if np.nanmin(people[..., 2]) < -0.5:
            raise ValueError(
                f"{path}: {what} is 3D (some third numbers are below 0); give 2D keypoints, x, y and score"
            )
        scores, people = people[..., 2], people[..., :2]
    scores = np.ones(people.shape[:3]) if scores is None else np.asarray(scores).reshape(people.shape[:3])
    rows = DetectionRows(name, path)
    for person, (poses, confidences) in enumerate(zip(people, scores, strict=True)):
        for frame, (pose, confidence) in enumerate(zip(poses, confidences, strict=True)):
            if np.isfinite(pose).any():
                rows.add(f"{what}, person {person}, frame {frame}", frame, pose, confidence, track=person)
    return rows.finish(keypoint_set)
