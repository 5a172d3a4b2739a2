"""33 keypoints of the person in a region; Bazarevsky et al., BlazePose (2020), section 2.3."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .model_files import LANDMARKS, TfliteModel, installed_file, sigmoid
from .region import Region, tensor

NUMBER = 33
#: After the keypoints: the point between the hips, and the one on the circle around the person, for the next region.
HIPS, RIM = 33, 34
#: A keypoint is where its heatmap says if that is so sure somewhere among this many cells around it.
MIN_HEAT, AROUND = 0.5, 3


class Landmarks(NamedTuple):
    """keypoints (33, 2) px; visibility and presence in the image (33,), 0 to 1; score: whether it is a person at all,
    0 to 1; following: the region of this person for the next image.
    """

    keypoints: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    score: float
    following: Region


class Landmarker:
    """Finds the keypoints of one person; threads: of the CPU. Raises UsageError where the model is not installed."""

    def __init__(self, model: str | Path | None = None, threads: int | None = None) -> None:
        self.model = TfliteModel(model or installed_file(LANDMARKS), threads)

    def __call__(self, image: np.ndarray, region: Region) -> Landmarks:
        """The person in a region of an image (H, W, 3) uint8 BGR."""
        answers, score, _, heat, _ = self.model(tensor(region.cut(image, self.model.size), low=0.0))
        rows = answers.reshape(-1, 5)  # x, y px and depth, visibility and presence before the sigmoid
        points = refine(rows[:, :2] / self.model.size, heat)
        points = region.to_image(points.astype(np.float64))
        sure = sigmoid(rows[:NUMBER, 3:])
        following = Region.of_person(points[HIPS], points[RIM])
        return Landmarks(points[:NUMBER].astype(np.float32), sure[:, 0], sure[:, 1], float(score[0]), following)


def refine(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Points (N, 2), from 0 to 1, moved to where heatmaps (H, W, N), before the sigmoid, are around them.

    The mean of the cells around a point by their heat, if that is MIN_HEAT somewhere there.
    """
    height, width, _ = heat.shape
    moved = points.copy()
    cells = np.floor(points * (width, height)).astype(np.int64)
    for index, (column, row) in enumerate(cells):
        if not (0 <= column < width and 0 <= row < height):
            continue
        top, left = max(row - AROUND, 0), max(column - AROUND, 0)
        part = sigmoid(heat[top : row + AROUND + 1, left : column + AROUND + 1, index])
        if part.max() >= MIN_HEAT:
            total = part.sum()
            moved[index, 0] = (part.sum(0) * np.arange(left, left + part.shape[1])).sum() / total / width
            moved[index, 1] = (part.sum(1) * np.arange(top, top + part.shape[0])).sum() / total / height
    return moved
