"""Images in files: one, a folder of them in the order of their numbers, and animations (GIF)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import UsageError, check_readable

if TYPE_CHECKING:
    from PIL import Image

#: Formats of Pillow's that may hold several images, each with its duration.
ANIMATED = (".gif", ".png", ".apng", ".webp")
#: More numbers than this share missing, and they do not count frames.
MOST_MISSING = 0.5


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 BGR; raises ValueError or UsageError (file, fix)."""
    try:
        image = cv2.imread(str(check_readable(path)), cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV takes
        raise ValueError(f"{path}: OpenCV cannot read it ({error.err}); make it smaller") from None
    if image is None:
        raise ValueError(f"{path}: is no image that OpenCV can read; it may be damaged")
    return image


def natural_order(paths: Sequence[Path]) -> list[Path]:
    """By name, where numbers count as numbers: frame2 before frame10."""

    def key(path: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"([0-9]+)", path.name.lower())
        return [(0, int(part), part) if index % 2 else (1, 0, part) for index, part in enumerate(parts)]

    return sorted(paths, key=key)


def number_images(paths: Sequence[Path]) -> tuple[np.ndarray, list[str]]:
    """Which frame each of some images in order is, (N,) int64 from 0 on, and notes on numbers that are missing.

    Images that are numbered alike (``walk_0007.png``) are the frames of these numbers, every second, third, ... where
    all are so far apart; a number that is missing leaves a gap in time. Other names are one after the other.
    """
    one_by_one = np.arange(len(paths))
    found = [re.fullmatch(r"(.*?)([0-9]{1,18})([^0-9]*)", path.name) for path in paths]
    if len(paths) < 2 or None in found or len({(match[1], match[3].lower()) for match in found}) > 1:
        return one_by_one, []
    numbers = np.array([int(match[2]) for match in found])
    steps = np.diff(numbers)
    usual, counts = np.unique(steps, return_counts=True)
    usual = usual[counts.argmax()]
    frames = (numbers - numbers[0]) // usual if usual > 0 else one_by_one
    missing = int(frames[-1]) + 1 - len(paths)
    if not missing:
        return frames, []
    after = int(np.flatnonzero(steps > usual)[0])
    where = f"the first after {paths[after].name}"
    if (steps % usual).any() or missing > MOST_MISSING * (frames[-1] + 1):
        return one_by_one, [f"the numbers of the images have gaps ({where}); they are taken one after the other"]
    return frames, [f"{missing} of {frames[-1] + 1} numbered images are missing ({where}); time goes by the numbers"]


def _open(path: Path) -> Image.Image:
    """The file as Pillow opens it; UsageError where Pillow is missing, which only animations need."""
    try:
        from PIL import Image
    except ImportError:
        raise UsageError(f"{path}: animations need Pillow, which is not installed (pip install pillow)") from None
    return Image.open(path)


def is_animation(path: Path) -> bool:
    """Whether a file holds several images, or is a GIF, which OpenCV does not read as an image."""
    if path.suffix.lower() not in ANIMATED:
        return False
    try:
        with _open(check_readable(path)) as image:
            return image.format == "GIF" or getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError):
        return False  # the code that reads it says what is wrong


def animation_durations(path: Path) -> np.ndarray:
    """(N,) s that each image of an animation is seen, as browsers take it: 0.1 s where the file says less than 0.02."""
    said = []
    try:
        with _open(path) as image:
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                image.load()  # WebP tells it no earlier
                said.append(float(image.info.get("duration", 0)) / 1000)
    except (OSError, ValueError, SyntaxError, EOFError):
        pass  # damaged there: what is before can be read
    durations = np.array(said)
    return np.where(durations < 0.02, 0.1, durations)


def read_animation(path: Path) -> Iterator[np.ndarray]:
    """The images (H, W, 3) uint8 BGR of an animation; raises ValueError (file, fix) where it is damaged."""
    try:
        with _open(path) as image:
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                yield np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read to its end ({error}); it may be cut off or damaged") from None
