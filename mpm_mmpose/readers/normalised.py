"""Keypoints that are shares of the image, as MediaPipe, Ultralytics and OpenPose's ``--keypoint_scale`` give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .detections import Detections


def in_pixels(detections: Detections, width: int = 0, height: int = 0) -> Detections:
    """The same people in px. Shares go from 0 to 1, or, where some lie well below 0, from -1 to 1.

    width, height: px, for files that do not say. Raises ValueError (file, fix) where neither does.
    """
    if not detections.normalised:
        return detections
    if not (width > 0 and height > 0):
        width, height = detections.width, detections.height
    if not (width > 0 and height > 0):
        raise ValueError(f"{detections.path}: its keypoints are shares of the image; give its width and height in px")
    size = np.array((width, height), np.float32)
    found = detections.scores > 0
    # OpenPose's --keypoint_scale 4; what MediaPipe sees beyond the edge of the image is a little below 0.
    centred = (detections.keypoints[found] < 0).any(-1).mean() > 0.25
    shares = (detections.keypoints + 1) / 2 if centred else detections.keypoints
    boxes = (detections.boxes + 1) / 2 if centred else detections.boxes
    in_shares = np.nan_to_num(np.abs(detections.boxes)).max(initial=0) <= 3
    return replace(
        detections,
        keypoints=np.where(found[..., None], shares * size, 0).astype(np.float32),
        boxes=(boxes * np.tile(size, 2)).astype(np.float32) if in_shares else detections.boxes,
        normalised=False,
    )
