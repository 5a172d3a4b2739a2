"""A video beside keypoints that were found in it: its images at the times of the keypoints' frames."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from ..errors import UsageError
from .images import Images

#: Shapes of images are the same within this share.
SAME_SHAPE = 0.02


class ImagesAt(Images):
    """Of another source's images the one that is seen at each of ``times`` (F,) s, width x height px.

    Images of another size are scaled. Beyond the end the last one stays. Raises UsageError for images of another shape.
    """

    def __init__(self, images: Images, times: np.ndarray, width: int, height: int) -> None:
        if abs(images.width * height / (images.height * width) - 1) > SAME_SHAPE:
            raise UsageError(
                f"{images.name}: has {images.width} x {images.height} px, its keypoints are of {width} x {height}; "
                "give the video in which they were found, or --width and --height"
            )
        self.images, self.times = images, times
        super().__init__(images.name, images.fps, width, height, len(times))
        self.notes += images.notes

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        frames = iter(self.images)
        shown = next(frames, None)
        following = next(frames, None)
        for time in self.times:
            while following is not None and following[0] <= time + 0.5 / self.fps:
                shown, following = following, next(frames, None)
            if shown is None:
                return
            image = shown[1]
            if image.shape[:2] != (self.height, self.width):
                image = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA)
            yield float(time), image
        self.problem = self.images.problem
