"""What is behind and before people: procedural noise, gradients and shapes, all from a seed."""

from __future__ import annotations

import cv2
import numpy as np


def random_backdrop(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(H, W, 3) float32, 0 to 1: a wall, maybe a floor, blotches of several sizes, and shapes, some like limbs."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = _gradient(rng, height)[:, None]
    if rng.random() < 0.6:  # where the floor begins
        horizon = int(height * rng.uniform(0.35, 0.8))
        image[horizon:] = _gradient(rng, height - horizon)[:, None]
    for _ in range(rng.integers(0, 25)):
        _shape(rng, image)
    for cells, most in ((5, 0.2), (16, 0.12), (50, 0.08), (150, 0.05)):
        if rng.random() < 0.5:
            image += rng.uniform(0, most) * _blotches(rng, cells, width, height)
    return np.clip(image, 0, 1, out=image)


def random_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) BGR, 0 to 1: any brightness, mostly pale."""
    return (rng.uniform(0.08, 0.92) + rng.beta(1.2, 3) * rng.uniform(-1, 1, 3)).clip(0.02, 0.98)


def random_occluder(
    rng: np.random.Generator, box: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """What stands before a person with box (4,) px, x1 y1 x2 y2: where, (H, W) bool, and its colours, (H, W, 3).

    It is a tenth to a half as long as the box, or a post as high as the image.
    """
    size = box[2:] - box[:2]
    centre = box[:2] + rng.uniform(0, 1, 2) * size
    reach = rng.uniform(0.1, 0.5, 2) * size.max() / 2
    corners = centre + reach * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    if rng.random() < 0.2:  # a post
        corners = centre + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (0.3 * reach[0], 2 * height)
    mask = np.zeros((height, width), np.uint8)
    if rng.random() < 0.4:
        cv2.ellipse(mask, _whole(centre), _whole(reach), rng.uniform(0, 180), 0, 360, 1, -1)
    else:
        angle = np.deg2rad(rng.normal(0, 15))
        turned = (corners - centre) @ np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        ) + centre
        cv2.fillConvexPoly(mask, np.rint(turned).astype(np.int32), 1)
    colours = np.empty((height, width, 3), np.float32)
    colours[:] = random_colour(rng)
    colours += rng.uniform(0.02, 0.12) * _blotches(rng, int(rng.choice((6, 30, 100))), width, height)
    return mask.astype(bool), colours.clip(0, 1)


def _gradient(rng: np.random.Generator, rows: int) -> np.ndarray:
    """(rows, 3) from one random colour to another that is not far from it."""
    start = random_colour(rng)
    end = (start + rng.normal(0, 0.15) + rng.normal(0, 0.05, 3)).clip(0, 1)
    return np.linspace(start, end, rows)


def _blotches(rng: np.random.Generator, cells: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3) float32 about 0: random spots, ``cells`` a side, blended, more light and dark than coloured."""
    small = rng.standard_normal((cells, cells, 1), dtype=np.float32)
    small = small + 0.4 * rng.standard_normal((cells, cells, 3), dtype=np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _shape(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    colour = tuple(random_colour(rng).tolist())
    first, second = rng.uniform(-0.1, 1.1, (2, 2)) * (width, height)
    size = rng.uniform(0.02, 0.3, 2) * (width, height)
    kind = rng.integers(4)
    if kind == 0:
        cv2.rectangle(image, _whole(first - size), _whole(first + size), colour, -1)
    elif kind == 1:
        cv2.ellipse(image, _whole(first), _whole(size), rng.uniform(0, 180), 0, 360, colour, -1)
    elif kind == 2:  # as thick as a limb
        cv2.line(image, _whole(first), _whole(second), colour, int(1 + 0.06 * width * rng.random()), cv2.LINE_AA)
    else:
        cv2.circle(image, _whole(first), int(1 + 0.08 * width * rng.random()), colour, -1, cv2.LINE_AA)


def _whole(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(value) for value in np.rint(values))
