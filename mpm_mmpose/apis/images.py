"""Images one after the other, with their times: of a video, a webcam, files or an array."""

from __future__ import annotations

import math
import mimetypes
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..limits import HIGHEST_FPS, LOWEST_FPS, is_fps
from .errors import UsageError, check_readable

#: Frames a second that a video may claim; beyond, it is the unit of its clock, or nothing.
FPS_RANGE = (0.5, 240.0)
#: What a video's clock may be off, in s: some count in ms. A frame that is so near to its regular time is on time.
CLOCK_ERROR = 1e-3
#: Frames that the head of a video may promise too many, as a share; players do not mind either.
MISSING_FRAMES = 0.02


class Images:
    """Iterating gives (time s, image (H, W, 3) uint8 BGR), from the beginning each time unless ``live``.

    name: of the recording; fps: frames a second; width, height: px; total: number of images, None where it is not
    known; problem: why the last pass ended early, '' if it did not.
    """

    live = False

    def __init__(self, name: str, fps: float, width: int, height: int, total: int | None) -> None:
        self.name, self.fps, self.width, self.height, self.total = name, fps, width, height, total
        self.problem = ""

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        raise NotImplementedError


class VideoImages(Images):
    """A video file, each frame at the time that its stamp says; ``fps`` replaces rate and stamps."""

    def __init__(self, path: str | Path, fps: float | None = None) -> None:
        self.path = check_readable(path)
        self.stamped = fps is None
        capture = self._open()
        said, total = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        there, image = capture.read()
        capture.release()
        if not there:
            raise ValueError(f"{path}: not one frame can be read; the video is damaged, or of a kind OpenCV lacks")
        if fps is None and not FPS_RANGE[0] <= said <= FPS_RANGE[1]:
            raise UsageError(f"{path}: says that it has {said:g} frames a second; give the true number as fps (--fps)")
        # The first image is right also where the video says that it is to be turned.
        height, width = image.shape[:2]
        total = int(total) if math.isfinite(total) and 0 < total < 1e9 else None
        super().__init__(self.path.stem, fps or said, width, height, total)

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise ValueError(f"{self.path}: is no video that OpenCV can open; it may be cut off or damaged")
        return capture

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.problem = ""
        capture = self._open()
        clock = VideoClock(self.fps)
        number = 0
        try:
            while True:
                there, image = capture.read()
                if not there:
                    break
                stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                yield clock.tell(stamp) if self.stamped else number / self.fps, image
                number += 1
        finally:
            capture.release()
        if self.total is not None and number < (1 - MISSING_FRAMES) * self.total - 1:
            self.problem = f"{self.path}: frame {number} of {self.total} cannot be read; the video is damaged there"


class VideoClock:
    """Times in s of one frame after the other, from 0 on and increasing, by their stamps and the rate of the video.

    A video of a constant rate gets exactly number / fps. A frame without a stamp, or with one that is no later than
    that of the frame before, is 1 / fps later than it.
    """

    def __init__(self, fps: float) -> None:
        self.fps, self.number, self.last = fps, 0, 0.0
        self.first: float | None = None

    def tell(self, stamp: float) -> float:
        """The time of the next frame, whose stamp (s) it is."""
        stamp = stamp if math.isfinite(stamp) else 0.0
        self.first = stamp if self.first is None else self.first
        time, regular = stamp - self.first, self.number / self.fps
        if self.number and time <= self.last:
            time = self.last + 1 / self.fps
        if abs(time - regular) <= CLOCK_ERROR:
            time = regular
        self.number, self.last = self.number + 1, time
        return time


class ImageFiles(Images):
    """Images in files, all of one size."""

    def __init__(self, name: str, paths: Sequence[Path], fps: float) -> None:
        self.paths = list(paths)
        height, width = read_image(self.paths[0]).shape[:2]
        super().__init__(name, fps, width, height, len(self.paths))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.problem = ""
        for number, path in enumerate(self.paths):
            try:
                image = read_image(path)
            except (ValueError, OSError) as error:
                self.problem = str(error)
                return
            if image.shape[:2] != (self.height, self.width):
                self.problem = (
                    f"{path}: has {image.shape[1]} x {image.shape[0]} px, {self.paths[0].name} {self.width} x "
                    f"{self.height}; give images of one camera"
                )
                return
            yield number / self.fps, image


class ArrayImages(Images):
    """Images (N, H, W, 3) uint8, BGR, that are in memory."""

    def __init__(self, images: np.ndarray, fps: float) -> None:
        self.images = images
        super().__init__("array", fps, images.shape[2], images.shape[1], len(images))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for number, image in enumerate(self.images):
            yield number / self.fps, image


class WebcamImages(Images):
    """A camera, by the clock, until it is stopped or unplugged."""

    live = True

    def __init__(self, number: int) -> None:
        self.capture = cv2.VideoCapture(number)
        there, image = self.capture.read() if self.capture.isOpened() else (False, None)
        if not there:
            self.capture.release()
            raise UsageError(f"webcam:{number}: there is no such camera, or another program uses it")
        self.number = number
        said = self.capture.get(cv2.CAP_PROP_FPS)
        fps = said if FPS_RANGE[0] <= said <= FPS_RANGE[1] else 30.0
        super().__init__(f"webcam{number}", fps, image.shape[1], image.shape[0], None)

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        start, frames = time.monotonic(), 0
        try:
            while True:
                there, image = self.capture.read()
                now = time.monotonic() - start
                if not there:
                    self.problem = (
                        f"webcam:{self.number}: gave no more images after {now:.1f} s; is it still plugged in?"
                    )
                    break
                yield now, image
                frames += 1
                # What it says is seldom what the 2D model leaves of it.
                self.fps = frames / now if now > 1 else self.fps
        finally:
            self.capture.release()


def open_images(source: str | Path | np.ndarray, fps: float | None = None) -> Images:
    """The images of 'webcam' or 'webcam:N', of a video, an image, a folder of images or an array.

    fps: replaces what a video says; needed for folders and arrays of several images. Raises UsageError for what is not
    there or incomplete, ValueError or OSError for what cannot be read.
    """
    if fps is not None and not is_fps(fps):
        raise UsageError(f"fps is {fps}; give the frames a second, from {LOWEST_FPS:g} to {HIGHEST_FPS:g}")
    if isinstance(source, np.ndarray):
        return _array(source, fps)
    if str(source).lower().partition(":")[0] == "webcam":
        number = str(source).partition(":")[2] or "0"
        if not number.isdigit():
            raise UsageError(f"{source!r}: give webcam, or webcam:N with the number of the camera")
        return WebcamImages(int(number))
    path = check_readable(source)
    if path.is_dir():
        images = sorted(file for file in path.iterdir() if _kind(file) == "image")
        if not images:
            raise UsageError(f"{path}: holds no images; give a video, or a folder of images or of keypoints")
        if fps is None and len(images) > 1:
            raise UsageError(f"{path}: say how many of its {len(images)} images are a second: fps (--fps)")
        return ImageFiles(path.name, images, fps or 1.0)
    return ImageFiles(path.stem, [path], fps or 1.0) if _kind(path) == "image" else VideoImages(path, fps)


def _array(images: np.ndarray, fps: float | None) -> ArrayImages:
    images = images[None] if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or not images.size:
        raise UsageError(
            f"an array of {images.dtype}, {images.shape}, is no image: give uint8 of (H, W, 3) or (N, H, W, 3), BGR"
        )
    if fps is None and len(images) > 1:
        raise UsageError(f"say how many of the {len(images)} images of the array are a second: fps")
    return ArrayImages(images, fps or 1.0)


def _kind(path: Path) -> str:
    return (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 BGR; raises ValueError or UsageError (file, fix)."""
    try:
        image = cv2.imread(str(check_readable(path)), cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV takes
        raise ValueError(f"{path}: OpenCV cannot read it ({error.err}); make it smaller") from None
    if image is None:
        raise ValueError(f"{path}: is no image that OpenCV can read; it may be damaged")
    return image
