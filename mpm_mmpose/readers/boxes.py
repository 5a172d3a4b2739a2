"""Boxes around people in images, x1 y1 x2 y2 px; pure numpy."""

from __future__ import annotations

import numpy as np

from .detections import Detections

#: Boxes of one person overlap at least so far from a frame to the next; as in MMPose's demos.
MIN_OVERLAP = 0.3


def keypoint_boxes(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(N, 4) x1 y1 x2 y2 around the keypoints (N, K, 2) with a score (N, K) above 0, in their unit."""
    found = (scores > 0)[..., None]
    low = np.where(found, keypoints, np.inf).min(axis=1)
    return np.concatenate((low, np.where(found, keypoints, -np.inf).max(axis=1)), axis=-1)


def detection_boxes(detections: Detections) -> np.ndarray:
    """(N, 4) x1 y1 x2 y2 px of the rows: the file's, else those around the keypoints that were found."""
    return np.where(
        np.isnan(detections.boxes), keypoint_boxes(detections.keypoints, detections.scores), detections.boxes
    )


def box_overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union (...) of boxes (..., 4) x1 y1 x2 y2 in px; MMPose's, for arrays that broadcast."""
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    common = (high - low).clip(0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return common / np.maximum(sum(areas) - common, 1e-6)
