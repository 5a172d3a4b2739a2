"""What every 2D stage has in common; needs no PyTorch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .tracks import Track2D


class People(NamedTuple):
    """People in one image: keypoints (P, K, 2) px, scores (P, K), boxes (P, 4) px, x1 y1 x2 y2; all float32."""

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray


class PeopleDetector(ABC):
    """A 2D stage: from images (H, W, 3) uint8 BGR to people; keypoint_set: of what it finds, by name."""

    keypoint_set: str

    @abstractmethod
    def begin(self, fps: float) -> Callable[[np.ndarray], People]:
        """What finds the people in the images of one recording of ``fps`` images a second, one after the other."""

    def mend(self, track: Track2D) -> Track2D:
        """A person of a whole recording, without the faults that this detector is known for."""
        return track
