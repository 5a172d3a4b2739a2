"""One person somewhere: backdrop, clothes, light and what is in front, seen frame by frame."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mpm_mmpose.pose.geometry import project

from .backdrop import random_backdrop, random_occluder
from .capsules import Light, draw_capsules
from .figure import Clothes, dress, random_clothes

SHIFT = 64  # px that the grain moves from frame to frame, at most


class Frame(NamedTuple):
    """image (H, W, 3) uint8 BGR; keypoints (17, 2) px; visible (17,) bool: in the image and behind no occluder."""

    image: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray


class Scene:
    """What stays the same from frame to frame; all of it from ``rng``.

    width, height px; intrinsics (9,) px of a camera that does not move; box (4,) px, where the person is to be, x1 y1
    x2 y2, which is where occluders stand: ``occluders`` of them.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        width: int,
        height: int,
        intrinsics: np.ndarray,
        box: np.ndarray,
        occluders: int = 0,
    ) -> None:
        self.intrinsics = np.asarray(intrinsics, np.float64)
        self.backdrop = random_backdrop(rng, width, height)
        self.clothes: Clothes = random_clothes(rng)
        self.light = _random_light(rng)
        self.occluders = [random_occluder(rng, box, width, height) for _ in range(occluders)]
        self.blur = rng.uniform(0.2, 1.2) if rng.random() < 0.4 else 0.0
        still = self.backdrop.copy()
        self._cover(still, np.s_[:, :])
        self._still = self._finish(still)
        grain = rng.normal(0, rng.uniform(0, 10), (height + SHIFT, width + SHIFT))
        self._grain = np.repeat(np.rint(grain).astype(np.int16)[..., None], 3, axis=2)
        self._frames = np.random.default_rng(rng.integers(2**63))

    def render(self, pose: np.ndarray) -> Frame:
        """The frame of a pose (17, 3) m, camera space, in front of the camera."""
        pose = np.asarray(pose, np.float64)
        height, width = self.backdrop.shape[:2]
        figure = dress(pose, self.clothes)
        ends = project(figure.ends, self.intrinsics)
        scale = float(self.intrinsics[:2].mean())
        reach = scale * (figure.radii / figure.ends[..., 2]).max() + 4
        left, top = np.floor(ends.min((0, 1)) - reach).astype(int).clip(0, (width, height))
        right, bottom = np.ceil(ends.max((0, 1)) + reach).astype(int).clip(0, (width, height))
        image, box = self._still.copy(), np.s_[top:bottom, left:right]
        if left < right and top < bottom:
            part = self.backdrop[box].copy()
            depth = np.full(part.shape[:2], np.inf, np.float32)
            draw_capsules(part, depth, figure, ends - (left, top), scale, self.light)
            self._cover(part, box)
            image[box] = self._finish(part)
        # The same grain elsewhere: as good as new, and quicker.
        row, column = self._frames.integers(0, SHIFT, 2)
        image = cv2.add(image, self._grain[row : row + height, column : column + width], dtype=cv2.CV_8U)
        keypoints = project(pose, self.intrinsics)
        visible = ((keypoints >= 0) & (keypoints <= (width - 1, height - 1))).all(1)
        columns, rows = np.rint(keypoints).astype(int).clip(0, (width - 1, height - 1)).T
        for mask, _ in self.occluders:
            visible &= ~mask[rows, columns]
        return Frame(image, keypoints.astype(np.float32), visible)

    def _cover(self, image: np.ndarray, box: tuple[slice, slice]) -> None:
        """Put what stands in front into the part ``box`` of the image."""
        for mask, colours in self.occluders:
            np.copyto(image, colours[box], where=mask[box][..., None])

    def _finish(self, image: np.ndarray) -> np.ndarray:
        """As the camera's lens and chip see it, without grain; uint8."""
        image = cv2.GaussianBlur(image, (0, 0), self.blur) if self.blur else image
        return cv2.convertScaleAbs(image.clip(0, 1), alpha=255)


def _random_light(rng: np.random.Generator) -> Light:
    """From above and from before the person, if only a little."""
    direction = np.array([rng.normal(0, 1), -rng.uniform(0, 1.5), -rng.uniform(0.1, 1.5)])
    ambient = rng.uniform(0.25, 0.7)
    return Light(
        (direction / np.linalg.norm(direction)).astype(np.float32), ambient, rng.uniform(0.3, 1.1) * (1.1 - ambient)
    )
