"""The 2D stage with BlazePose: people are found in the whole image, and then followed in regions of their own."""

from __future__ import annotations

import numpy as np

from ..lifting.people import People, PeopleDetector
from ..lifting.tracks import Track2D
from ..pose.keypoints import BLAZEPOSE_33
from .detection import PersonDetector
from .landmarks import NUMBER, Landmarker, Landmarks
from .region import Region
from .sides import mend_sides

#: A region in which it is less sure that there is a person is given up.
MIN_PERSON = 0.5
#: How often the whole image is looked at for people who have come, s; and at once where somebody was lost.
LOOK_EVERY = 0.5
#: Middles of keypoints that are in the mean nearer, as a share of the region's side, are of the same person.
SAME_PERSON = 0.04
#: A new person whose box shares more with somebody's, of the smaller box, is no other person.
MAX_SHARE = 0.4


class BlazePose(PeopleDetector):
    """Finds people and their keypoints (``blazepose_33``) in images, from files alone.

    threads: of the CPU, for each of both models; by default one less than there are cores, at most 4. Raises UsageError
    where the models or what runs them is not installed.
    """

    keypoint_set = "blazepose_33"

    def __init__(self, threads: int | None = None) -> None:
        self.detector, self.landmarker = PersonDetector(threads=threads), Landmarker(threads=threads)

    def begin(self, fps: float) -> PeopleFollower:
        """What finds the people of the images of one recording, one after the other; fps: of these."""
        return PeopleFollower(self.detector, self.landmarker, fps)

    def mend(self, track: Track2D) -> Track2D:
        """A person whose left and right are not exchanged for a while; see :func:`~.sides.mend_sides`."""
        return mend_sides(track)


class PeopleFollower:
    """The people of one image after the other: where somebody was, they are looked for first."""

    def __init__(self, detector: PersonDetector, landmarker: Landmarker, fps: float) -> None:
        self.detector, self.landmarker = detector, landmarker
        self.pause = max(round(LOOK_EVERY * fps), 1)  # images from one look at the whole image to the next
        self._regions: list[Region] = []
        self._due = 0

    def __call__(self, image: np.ndarray) -> People:
        """The people in an image (H, W, 3) uint8 BGR; a keypoint's score is how visible it is, 0 to 1."""
        found = self._look(image, self._regions)
        self._due -= 1
        if self._due <= 0 or len(found) < len(self._regions) or not found:
            found = self._find_more(image, found)
        if self._due <= 0:
            self._due = self.pause
        self._regions = [one.following for one in found]
        return _people(found)

    def _find_more(self, image: np.ndarray, found: list[Landmarks]) -> list[Landmarks]:
        """Those found, and the other people in the image."""
        height, width = image.shape[:2]
        while True:
            boxes = [_box(one, width, height) for one in found]
            there = self.detector(image, boxes, closely=self._due <= 0 and not found)
            # Where the whole body is, the landmarks of the first look say better.
            better = [one.following for one in self._look(image, there)]
            joined = join(found, self._look(image, better), width, height)
            if len(joined) == len(found):
                return found
            found = joined

    def _look(self, image: np.ndarray, regions: list[Region]) -> list[Landmarks]:
        looked = (self.landmarker(image, region) for region in regions)
        return distinct([one for one in looked if one.score >= MIN_PERSON])


def distinct(found: list[Landmarks]) -> list[Landmarks]:
    """Those found, each person once: of a person who was found twice the first stays."""
    kept: list[Landmarks] = []
    for one in found:
        limits = [SAME_PERSON * max(one.following.side, other.following.side) for other in kept]
        apart = [np.linalg.norm(_middles(one) - _middles(other), axis=1).mean() for other in kept]
        if all(distance > limit for distance, limit in zip(apart, limits, strict=True)):
            kept.append(one)
    return kept


def join(known: list[Landmarks], new: list[Landmarks], width: int, height: int) -> list[Landmarks]:
    """Those known, and of the new ones, surest first, those who are not in front of or behind one that is there.

    Half a person is often taken for a whole one, and nobody who is really there is lost for long: they are found when
    they step aside. width, height: px of the image.
    """
    joined = list(known)
    for one in sorted(new, key=lambda one: -one.score * one.visibility.mean()):
        box = _box(one, width, height)
        if all(_share(box, _box(other, width, height)) <= MAX_SHARE for other in joined):
            joined.append(one)
    return joined


def _box(one: Landmarks, width: int, height: int) -> np.ndarray:
    """(4,) px x1 y1 x2 y2 around what of a person is in the image."""
    return np.concatenate((one.keypoints.min(0), one.keypoints.max(0))).clip(0, (width, height, width, height))


def _share(one: np.ndarray, other: np.ndarray) -> float:
    """How much of the smaller of two boxes (4,) is inside the other one, 0 to 1."""
    common = (np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(0).prod()
    smaller = min((box[2:] - box[:2]).prod() for box in (one, other))
    return float(common / smaller) if smaller > 0 else 1.0


def _middles(one: Landmarks) -> np.ndarray:
    """(33, 2) px between each keypoint and its partner: the same, whichever side is taken for the left."""
    return (one.keypoints + one.keypoints[list(BLAZEPOSE_33.flip_indices)]) / 2


def _people(found: list[Landmarks]) -> People:
    if not found:
        return People(*(np.zeros((0, *shape), np.float32) for shape in ((NUMBER, 2), (NUMBER,), (4,))))
    keypoints = np.stack([one.keypoints for one in found]).astype(np.float32)
    scores = np.stack([np.minimum(one.visibility, one.presence) for one in found]).astype(np.float32)
    return People(keypoints, scores, np.concatenate((keypoints.min(1), keypoints.max(1)), axis=1))
