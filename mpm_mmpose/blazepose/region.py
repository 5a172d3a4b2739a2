"""Squares in an image, turned so that a person stands upright in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

#: Side of the square around a person, in radii of the circle around the hips that holds the whole person.
SIDE = 2 * 1.25


@dataclass(frozen=True)
class Region:
    """A square: centre x, y px; side px; angle, radians, by which it is turned clockwise in the image."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    @classmethod
    def of_person(cls, centre: np.ndarray, rim: np.ndarray) -> Region:
        """Around a person: the point between the hips, and the point above the head on the circle around it, (2,) px.

        The second tells how large the person is and which way up.
        """
        along = rim - centre
        angle = math.pi / 2 + math.atan2(along[1], along[0])
        turns = math.floor((angle + math.pi) / (2 * math.pi))
        return cls(float(centre[0]), float(centre[1]), SIDE * float(np.hypot(*along)), angle - 2 * math.pi * turns)

    @classmethod
    def of_image(cls, width: int, height: int) -> Region:
        """The smallest that holds a whole image; it has bands beside or above it."""
        return cls(width / 2, height / 2, float(max(width, height)))

    @property
    def axes(self) -> np.ndarray:
        """(2, 2) its x and y axis in the image, of length 1."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, sin], [-sin, cos]])

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the square, in which each side is 1 long, as px of the image."""
        return (self.x, self.y) + self.side * (points - 0.5) @ self.axes

    def cut(self, image: np.ndarray, size: int) -> np.ndarray:
        """The square out of an image (H, W, 3), as (size, size, 3) of its type; 0 beyond the image."""
        # Corner on corner, and not centre of a px on centre of a px: what the models were published with.
        corners = self.to_image(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        matrix = np.column_stack(((corners[1] - corners[0]) / size, (corners[2] - corners[0]) / size, corners[0]))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_CONSTANT)


def tensor(crop: np.ndarray, low: float) -> np.ndarray:
    """(size, size, 3) float32 RGB from ``low`` to 1, of a crop in uint8 BGR."""
    return crop[..., ::-1].astype(np.float32) * np.float32((1 - low) / 255) + np.float32(low)
