"""What a camera gives comes once: it is kept in a video, and read from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..visualization.frame_times import frame_numbers
from .images import Images, VideoImages


class Recorder:
    """Writes images with their times into a video of a constant rate, in which each is seen at its time.

    Raises OSError where no video can be written.
    """

    def __init__(self, path: Path, fps: float, width: int, height: int) -> None:
        self.fps, self.written = fps, 0
        self.first, self.image = 0.0, np.empty(0)
        self.writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
        if not self.writer.isOpened():
            raise OSError(f"{path}: the images of the camera cannot be written there")

    def write(self, time: float, image: np.ndarray) -> None:
        """The next image (H, W, 3) uint8 BGR, at ``time`` s; the one before is repeated until then."""
        if not self.written:
            self.first = time
        number = int(frame_numbers([self.first, time], self.fps)[1])
        for shown in [self.image] * (number - self.written) + [image] * (number >= self.written):
            self.writer.write(shown)
        self.written, self.image = max(self.written, number + 1), image

    def release(self) -> None:
        """End the video."""
        self.writer.release()


class RecordedImages(Images):
    """The images of a camera at ``times`` (F,) s, out of the video that :class:`Recorder` made of them."""

    def __init__(self, path: Path, times: Sequence[float] | np.ndarray) -> None:
        self.video, self.times = VideoImages(path), times
        super().__init__(self.video.name, self.video.fps, self.video.width, self.video.height, len(times))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        frames = iter(self.video)
        read, image = 0, None
        for time, number in zip(self.times, frame_numbers(self.times, self.fps), strict=True):
            while read <= number:
                _, image = next(frames, (0.0, image))
                read += 1
            yield time, image
