"""What every 2D stage gives of an image."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class People(NamedTuple):
    """People in one image: keypoints (P, K, 2) px, scores (P, K), boxes (P, 4) px, x1 y1 x2 y2; all float32."""

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray


class PeopleFinder(Protocol):
    """The 2D stage of one recording: a function from its images (H, W, 3) uint8 BGR, in order, to their people."""

    def __call__(self, image: np.ndarray) -> People:
        """The people in the next image."""
        ...


class Detector2D(Protocol):
    """A 2D stage; keypoint_set: of what it finds, by name."""

    keypoint_set: str

    def begin(self, fps: float) -> PeopleFinder:
        """What finds the people of one recording of ``fps`` images a second."""
        ...
