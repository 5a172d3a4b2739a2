"""Skeletons in 2D drawn onto images with OpenCV, each person in a colour of their own."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..pose.keypoints import KeypointSet, get_keypoint_set
from .upright import bones

#: BGR of Okabe and Ito, which colour-blind readers tell from each other.
PALETTE = tuple(
    tuple(int(code[i : i + 2], 16) for i in (4, 2, 0))
    for code in ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "8B6F00")
)
#: Below, a 2D keypoint is not drawn.
MIN_SCORE = 0.3


def colour_of(identity: str) -> tuple[int, int, int]:
    """The colour (BGR) of an id, the same in every video."""
    number = int(identity) if identity.isdecimal() else sum(identity.encode())
    return PALETTE[number % len(PALETTE)]


def draw_keypoints(
    canvas: np.ndarray, keypoints: np.ndarray, scores: np.ndarray, identity: str, keypoint_set: str
) -> None:
    """One person, keypoints (K, 2) px of the canvas and scores (K,)."""
    seen = np.isfinite(keypoints).all(-1) & (scores >= MIN_SCORE)
    if not seen.any():
        return
    points, colour = np.where(seen[:, None], keypoints, 0), colour_of(identity)
    draw_bones(canvas, points, get_keypoint_set(keypoint_set), colour, seen, 3)
    for point in points[seen]:
        cv2.circle(canvas, pixel(point), 3, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(canvas, pixel(point), 3, colour, 1, cv2.LINE_AA)
    x, y = points[seen].min(0)
    write_text(canvas, identity, pixel((x, max(y - 8, 14))), colour)


def draw_bones(
    canvas: np.ndarray,
    points: np.ndarray,
    keypoints: KeypointSet,
    colour: tuple[int, int, int],
    seen: np.ndarray,
    width: int,
    thin: np.ndarray | None = None,
    shaded: bool = True,
) -> None:
    """Bones between points (K, 2) px that are seen (K,): the person's right darker, and thin where an end is."""
    for parent, child, side in bones(keypoints):
        if not (seen[parent] and seen[child]):
            continue
        shade = tuple(int(0.6 * part) for part in colour) if shaded and side == "right" else colour
        narrow = thin is not None and (thin[parent] or thin[child])
        cv2.line(canvas, pixel(points[parent]), pixel(points[child]), shade, 1 if narrow else width, cv2.LINE_AA)


def pixel(point: Sequence[float]) -> tuple[int, int]:
    """The nearest pixel to a point (2,) px, as OpenCV takes it."""
    # What is far outside of the picture need not be exact, but must fit OpenCV's integers.
    x, y = np.clip(point, -(2**14), 2**14)
    return round(float(x)), round(float(y))


def write_text(canvas: np.ndarray, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Text that is read on any ground; place is its lower left corner, px."""
    for width, shade in ((4, (255, 255, 255)), (1, colour)):
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, shade, width, cv2.LINE_AA)
