"""People in a whole image: where their hips are, how large they are and which way up.

An SSD on a 224 x 224 px image with bands; Bazarevsky et al., BlazePose (2020), section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..readers.boxes import box_overlaps
from .model_files import DETECTION, TfliteModel, installed_file, sigmoid
from .region import Region, tensor

#: Rows of the model's grids, and answers in each of their cells.
GRIDS = ((28, 2), (14, 2), (7, 6))
#: Answers with a lower score are nobody; those that overlap further are about the same person.
MIN_SCORE, MAX_OVERLAP = 0.5, 0.3
#: Which of the 4 points of an answer are between the hips, and on the circle around the person.
HIPS, RIM = 0, 1


class PersonDetector:
    """Finds people in an image; threads: of the CPU. Raises UsageError where the model is not installed."""

    def __init__(self, model: str | Path | None = None, threads: int | None = None) -> None:
        self.model = TfliteModel(model or installed_file(DETECTION), threads)
        self.anchors = anchors()

    def __call__(self, image: np.ndarray, known: Sequence[np.ndarray] = (), closely: bool = False) -> list[Region]:
        """A region for each person in an image (H, W, 3) uint8 BGR, best first.

        known: boxes (4,) px x1 y1 x2 y2 of people who are not to be found again; they are painted over, because of two
        who stand together the model sees one. closely: where nobody is found, look at parts of the image as well, for
        people who are small in it; half a person at the edge of a part may be taken for a small one.
        """
        height, width = image.shape[:2]
        found = self._look(image, [Region.of_image(width, height)], known)
        if not found and closely:
            found = self._look(image, parts(width, height), known)
        return [Region.of_person(*one[[HIPS, RIM]]) for one in found]

    def _look(self, image: np.ndarray, squares: list[Region], known: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Points (4, 2) px of each person that is found in some squares of an image, best first."""
        answers = [self._answers(image, square, known) for square in squares]
        return merge(*(np.concatenate(arrays) for arrays in zip(*answers, strict=True)))

    def _answers(
        self, image: np.ndarray, square: Region, known: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (N, 4) and points (N, 4, 2) px of the image, and scores (N,), of the answers that are sure enough."""
        crop = square.cut(image, self.model.size)
        corner, scale = (square.x - square.side / 2, square.y - square.side / 2), self.model.size / square.side
        for box in known:
            left, top, right, bottom = ((box - (*corner, *corner)) * scale).round().clip(0, self.model.size).astype(int)
            crop[top:bottom, left:right] = 0
        answers, logits = self.model(tensor(crop, low=-1.0))
        scores = sigmoid(logits[:, 0])
        sure = scores >= MIN_SCORE
        boxes, points = decode(answers[sure], self.anchors[sure], self.model.size)
        boxes = square.to_image(boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        return boxes, square.to_image(points), scores[sure]


def parts(width: int, height: int) -> list[Region]:
    """Squares half as large as the longer side of an image, each over half of the next, over all of the image."""
    side = max(width, height) / 2
    columns, rows = (
        np.linspace(side / 2, max(size - side / 2, side / 2), _steps(size, side)) for size in (width, height)
    )
    return [Region(float(x), float(y), side) for y in rows for x in columns]


def _steps(size: float, side: float) -> int:
    return 1 + int(np.ceil(max(size - side, 0) / (side / 2)))


def anchors() -> np.ndarray:
    """(A, 2) centres of the cells that the model's answers are relative to, x and y from 0 to 1, in its order."""
    centres = []
    for rows, answers in GRIDS:
        line = (np.arange(rows) + 0.5) / rows
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, answers, axis=0))
    return np.concatenate(centres)


def decode(answers: np.ndarray, centres: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) x1 y1 x2 y2 and points (N, 4, 2), from 0 to 1, of answers (N, 12) px of the model's image."""
    place = answers.reshape(len(answers), 6, 2) / size
    middle, half = place[:, 0] + centres, place[:, 1] / 2
    return np.concatenate((middle - half, middle + half), axis=1), place[:, 2:] + centres[:, None]


def merge(boxes: np.ndarray, points: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Points (4, 2) of each person, best first: the mean, by score (N,), of all answers that overlap with the best."""
    people = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        same = box_overlaps(boxes[left[0]], boxes[left]) > MAX_OVERLAP
        same[0] = True  # a box without area overlaps with nothing
        rows = left[same]
        people.append(np.average(points[rows], axis=0, weights=scores[rows]))
        left = left[~same]
    return people
