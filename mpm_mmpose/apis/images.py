"""Images one after the other, with their times: of a video, a camera, files or an array."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from ..errors import UsageError, check_readable
from ..limits import HIGHEST_FPS, LOWEST_FPS, is_fps
from .image_files import animation_durations, is_animation, natural_order, number_images, read_animation, read_image
from .source_kind import is_stream, source_kind
from .video_file import VideoFile

#: Frames a second that a video may claim; beyond, it is the unit of its clock, or nothing.
FPS_RANGE = (0.5, 240.0)
#: What a video's clock may be off, in s: some count in ms. A frame that is so near to its regular time is on time.
CLOCK_ERROR = 1e-3
#: Frames that the head of a video may promise too many, as a share; players do not mind either.
MISSING_FRAMES = 0.02


class Images:
    """Iterating gives (time s, image (H, W, 3) uint8 BGR), from the beginning each time unless ``live``.

    name: of the recording; fps: frames a second; width, height: px; total: number of images, None where it is not
    known; problem: why the last pass ended early, '' if it did not; notes: what is to be known of the images.
    """

    live = False

    def __init__(self, name: str, fps: float, width: int, height: int, total: int | None) -> None:
        self.name, self.fps, self.width, self.height, self.total = name, fps, width, height, total
        self.problem = ""
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        raise NotImplementedError


class VideoImages(Images):
    """A video file, upright, each frame at the time that its stamp says; ``fps`` replaces rate and stamps."""

    def __init__(self, path: str | Path, fps: float | None = None) -> None:
        self.path = check_readable(path)
        self.stamped = fps is None
        video = VideoFile(self.path)
        said, total = video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)
        image = video.read()
        video.release()
        if image is None:
            raise ValueError(f"{path}: not one frame can be read; the video is damaged, or of a kind OpenCV lacks")
        if fps is None and not FPS_RANGE[0] <= said <= FPS_RANGE[1]:
            raise UsageError(f"{path}: says that it has {said:g} frames a second; give the true number as fps (--fps)")
        height, width = image.shape[:2]
        super().__init__(self.path.stem, fps or said, width, height, int(total) if 0 < total < 1e9 else None)
        self.notes += [video.note] if video.note else []

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.problem = ""
        video = VideoFile(self.path)
        clock = VideoClock(self.fps)
        number = 0
        try:
            while (image := video.read()) is not None:
                stamp = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
                yield clock.tell(stamp) if self.stamped else number / self.fps, image
                number += 1
        finally:
            video.release()
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
    """Images in files, all of one size, in the order of their numbers."""

    def __init__(self, name: str, paths: Sequence[Path], fps: float) -> None:
        self.paths = natural_order(paths)
        height, width = read_image(self.paths[0]).shape[:2]
        super().__init__(name, fps, width, height, len(self.paths))
        self.frames, notes = number_images(self.paths)
        self.notes += notes

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.problem = ""
        for number, path in zip(self.frames, self.paths, strict=True):
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
            yield float(number / self.fps), image


class AnimatedImages(Images):
    """A GIF, or what else Pillow knows that holds several images; ``fps`` replaces how long each is seen."""

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self.path = path
        first = next(read_animation(path))
        durations = animation_durations(path) if fps is None else np.full(len(animation_durations(path)), 1 / fps)
        self.times = np.cumsum(durations) - durations
        height, width = first.shape[:2]
        super().__init__(path.stem, fps or float(1 / durations.mean()), width, height, len(durations))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.problem = ""
        try:
            for time, image in zip(self.times, read_animation(self.path), strict=True):
                yield float(time), image
        except ValueError as error:
            self.problem = str(error)


class ArrayImages(Images):
    """Images (N, H, W, 3) uint8, BGR, that are in memory."""

    def __init__(self, images: np.ndarray, fps: float) -> None:
        self.images = images
        super().__init__("array", fps, images.shape[2], images.shape[1], len(images))

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for number, image in enumerate(self.images):
            yield number / self.fps, image


class CameraImages(Images):
    """A camera, by the clock, until it is stopped or unplugged; source: its number, or its address in the network."""

    live = True

    def __init__(self, source: int | str) -> None:
        self.capture = cv2.VideoCapture(source)
        if isinstance(source, int):
            self.said, name = f"webcam:{source}", f"webcam{source}"
        else:
            # Without user and password, which are nobody's business who reads a message or the name of a file.
            place = urlsplit(source)
            self.said, name = f"{place.scheme}://{place.hostname}{place.path}", f"{place.hostname}"
        if self.capture.isOpened() and self.capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0 and not isinstance(source, int):
            self.capture.release()
            raise UsageError(f"{self.said}: is a video and no camera; fetch it and give the file")
        there, image = self.capture.read() if self.capture.isOpened() else (False, None)
        if not there:
            self.capture.release()
            raise UsageError(
                f"{self.said}: there is no such camera, or another program uses it"
                if isinstance(source, int)
                else f"{self.said}: no images come from there; look whether the address is right and the camera is on"
            )
        said = self.capture.get(cv2.CAP_PROP_FPS)
        fps = said if FPS_RANGE[0] <= said <= FPS_RANGE[1] else 30.0
        super().__init__(name, fps, image.shape[1], image.shape[0], None)

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        start, frames = time.monotonic(), 0
        try:
            while True:
                there, image = self.capture.read()
                now = time.monotonic() - start
                if not there:
                    self.problem = f"{self.said}: gave no more images after {now:.1f} s; is it still plugged in?"
                    break
                yield now, image
                frames += 1
                # What it says is seldom what the 2D model leaves of it.
                self.fps = frames / now if now > 1 else self.fps
        finally:
            self.capture.release()


def open_images(source: str | Path | np.ndarray, fps: float | None = None) -> Images:
    """The images of 'webcam', 'webcam:N' or a camera's address, of a video, an image, a folder of images or an array.

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
        return CameraImages(int(number))
    if is_stream(source):
        return CameraImages(str(source))
    path = check_readable(source)
    if path.is_dir():
        images = [file for file in path.iterdir() if file.is_file() and source_kind(file) == "image"]
        if not images:
            raise UsageError(f"{path}: holds no images; give a video, or a folder of images or of keypoints")
        if fps is None and len(images) > 1:
            raise UsageError(f"{path}: say how many of its {len(images)} images are a second: fps (--fps)")
        return ImageFiles(path.name, images, fps or 1.0)
    if is_animation(path):
        return AnimatedImages(path, fps)
    return ImageFiles(path.stem, [path], fps or 1.0) if source_kind(path) == "image" else VideoImages(path, fps)


def _array(images: np.ndarray, fps: float | None) -> ArrayImages:
    images = images[None] if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or not images.size:
        raise UsageError(
            f"an array of {images.dtype}, {images.shape}, is no image: give uint8 of (H, W, 3) or (N, H, W, 3), BGR"
        )
    if fps is None and len(images) > 1:
        raise UsageError(f"say how many of the {len(images)} images of the array are a second: fps")
    return ArrayImages(images, fps or 1.0)
