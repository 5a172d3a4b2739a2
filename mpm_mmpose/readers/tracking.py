"""Who is who from image to image: people keep their id through short misses."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np

from ..errors import UsageError
from .boxes import MIN_OVERLAP, box_overlaps, detection_boxes
from .detections import Detections

TRACKERS = ("iou", "oks")
#: A person who is not found for so long, in s, comes back as somebody new.
MAX_MISS = 1.0


@dataclass
class _Person:
    identity: int
    time: float
    keypoints: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def shift(self, time: float) -> np.ndarray:
        """(2,) px that the person has moved since they were last seen, if they went on as they did then."""
        return self.velocity * (time - self.time)


class PersonTracker:
    """Gives the people of one image after the other their ids.

    MMPose's trackers compare with the image before only, person by person. Here all pairs of a person known and a
    person found are decided together, for the greatest sum of likeness; known is a person who was seen within
    ``max_miss`` seconds, at the place where they would be by now. likeness: 'iou', intersection over union of boxes,
    or 'oks', MMPose's similarity of keypoints; pairs below ``threshold`` are nobody's.
    """

    def __init__(self, likeness: str = "iou", max_miss: float = MAX_MISS, threshold: float = MIN_OVERLAP) -> None:
        if likeness not in TRACKERS:
            raise UsageError(f"track is {likeness!r}; give {' or '.join(map(repr, TRACKERS))}")
        self.likeness, self.max_miss, self.threshold = likeness, max_miss, threshold
        self._known: list[_Person] = []
        self._next = count()

    def update(self, time: float, keypoints: np.ndarray, scores: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(P,) int64 ids of the people at ``time`` s: keypoints (P, K, 2), scores (P, K), boxes (P, 4), px."""
        self._known = [person for person in self._known if time - person.time <= self.max_miss]
        found = [_Person(-1, time, *person) for person in zip(keypoints, scores, boxes, strict=True)]
        likeness = np.zeros((len(self._known), len(found)))
        if likeness.size:
            likeness = self._overlaps(time, boxes) if self.likeness == "iou" else self._similarities(time, found)
        # What is below the threshold must not win a pair for its sum.
        rows, columns = _best_pairs(np.where(likeness >= self.threshold, likeness, 0))
        followed = set()
        for row, column in zip(rows, columns, strict=True):
            if likeness[row, column] >= self.threshold:
                before, now = self._known[row], found[column]
                step = (_centre(now.box) - _centre(before.box)) / max(time - before.time, 1e-6)
                # Boxes tremble: half of what is seen now, half of what was believed.
                now.identity, now.velocity = before.identity, (before.velocity + step) / 2
                followed.add(row)
        for person in found:
            if person.identity < 0:
                person.identity = next(self._next)
        self._known = [person for row, person in enumerate(self._known) if row not in followed] + found
        return np.array([person.identity for person in found], dtype=np.int64)

    def _overlaps(self, time: float, boxes: np.ndarray) -> np.ndarray:
        known = np.stack([person.box + np.tile(person.shift(time), 2) for person in self._known])
        return box_overlaps(known[:, None], boxes)

    def _similarities(self, time: float, found: list[_Person]) -> np.ndarray:
        # Imported here: boxes need no MMPose.
        from mmpose.evaluation.functional.nms import oks_iou

        people = np.stack([_flat(person) for person in found])
        areas = np.array([_area(person.box) for person in found])
        # COCO's of a shoulder for every keypoint: sets differ in what they have.
        sigmas = np.full(len(found[0].scores), 0.079)
        rows = [
            oks_iou(_flat(person, person.shift(time)), people, _area(person.box), areas, sigmas=sigmas)
            for person in self._known
        ]
        return np.stack(rows)


def follow(detections: Detections, times: np.ndarray, likeness: str = "iou") -> np.ndarray:
    """(N,) int64 ids of the rows of a recording without ids, at times (N,) s, by :class:`PersonTracker`."""
    tracker = PersonTracker(likeness)
    boxes = detection_boxes(detections)
    tracks = np.empty(len(detections), np.int64)
    order = np.argsort(detections.frames, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(detections.frames[order])) + 1):
        tracks[rows] = tracker.update(
            float(times[rows[0]]), detections.keypoints[rows], detections.scores[rows], boxes[rows]
        )
    return tracks


def _best_pairs(likeness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (P,) of the pairs of (rows, columns) with the greatest sum, each row and column once."""
    if min(likeness.shape) <= 1:
        # The usual case of one person needs no SciPy, which the runtime does without.
        best = np.argwhere(likeness == likeness.max())[:1] if likeness.size else np.empty((0, 2), np.int64)
        return best[:, 0], best[:, 1]
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise UsageError(
            "several people in a frame and no track ids: tracking them needs SciPy; install it (pip install "
            "scipy), or give a file in which people have ids"
        ) from None
    return linear_sum_assignment(likeness, maximize=True)


def _centre(box: np.ndarray) -> np.ndarray:
    return (box[:2] + box[2:]) / 2


def _area(box: np.ndarray) -> float:
    return float(max((box[2:] - box[:2]).prod(), 1.0))


def _flat(person: _Person, shift: np.ndarray | float = 0.0) -> np.ndarray:
    return np.concatenate((person.keypoints + shift, person.scores[:, None]), axis=1).ravel()
