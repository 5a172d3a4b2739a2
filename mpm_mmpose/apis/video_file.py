"""Video files as people see them: upright and with square pixels, whatever OpenCV makes of what the container says."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np

#: Boxes of MP4 and QuickTime files that hold others on the way to a track's matrix; the bytes of the smallest box.
_HOLDERS, _HEAD = (b"moov", b"trak"), 8
_TRACK_HEADER = 96  # bytes, of the longer version
#: A shape of pixels beyond is damage.
_WIDEST = 4.0


class Turn(NamedTuple):
    """How stored images become upright ones: ``transpose`` first, then mirror left and right, then up and down."""

    transpose: bool = False
    mirror: bool = False
    upend: bool = False

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The image (H, W, 3), upright."""
        image = cv2.transpose(image) if self.transpose else image
        if not (self.mirror or self.upend):
            return image
        return cv2.flip(image, -1 if self.mirror and self.upend else 1 if self.mirror else 0)


#: By degrees clockwise, as OpenCV says it (CAP_PROP_ORIENTATION_META).
_TURNS = {0: Turn(), 90: Turn(True, True, False), 180: Turn(False, True, True), 270: Turn(True, False, True)}


class VideoFile:
    """A video that is read image by image, each turned and stretched as the container says.

    OpenCV reads the shape of pixels (DV, HDV) and leaves the stretching to others. Of the rotation that phones write it
    depends on its version and on FFmpeg's, whether it turns, tells, or does neither: it is told not to turn, and what
    it does not tell is read from the container (MP4 and QuickTime, where phones write it). ``note``: what was done, ''
    for most videos. Raises ValueError (file, fix) for what is no video.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.capture = path, cv2.VideoCapture(str(path))
        if not self.capture.isOpened():
            raise ValueError(f"{path}: is no video that OpenCV can open; it may be cut off or damaged")
        self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        turns_itself = self.get(cv2.CAP_PROP_ORIENTATION_AUTO) == 1
        self.turn = Turn()
        if not turns_itself:
            told = _TURNS.get(round(self.get(cv2.CAP_PROP_ORIENTATION_META)) % 360, Turn())
            self.turn = container_turn(path) or told  # the container's also knows mirrored ones
        across, down = self.get(cv2.CAP_PROP_SAR_NUM), self.get(cv2.CAP_PROP_SAR_DEN)
        shape = across / down if across > 0 and down > 0 else 1.0
        self.pixel_shape = shape if 1 / _WIDEST <= shape <= _WIDEST else 1.0

    @property
    def note(self) -> str:
        """What was done to the images, in words."""
        done = [] if self.turn == Turn() else ["its images are turned as its rotation says"]
        if self.pixel_shape != 1:
            done.append(f"its pixels are {self.pixel_shape:.3g} times as wide as high, so its images are stretched")
        return f"{self.path.name}: {' and '.join(done)}" if done else ""

    def get(self, key: int) -> float:
        """What OpenCV says of the video; NaN and what it does not know are 0."""
        value = self.capture.get(key)
        return value if np.isfinite(value) else 0.0

    def read(self) -> np.ndarray | None:
        """The next image (H, W, 3) uint8 BGR, None at the end."""
        there, image = self.capture.read()
        if not there:
            return None
        if self.pixel_shape != 1:
            size = max(round(image.shape[1] * self.pixel_shape), 1), image.shape[0]
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return self.turn(image)

    def release(self) -> None:
        """Close the file."""
        self.capture.release()


def container_turn(path: Path) -> Turn | None:
    """What the matrix of the first video track of an MP4 or QuickTime file says; None where there is none to be read.

    Source: ISO/IEC 14496-12, 8.3.2 (track header box).
    """
    try:
        with open(path, "rb") as file:
            if file.read(8)[4:] not in (b"ftyp", b"moov", b"wide", b"free", b"mdat", b"skip"):
                return None
            file.seek(0, 2)
            return _find_turn(file, 0, file.tell())
    except (OSError, struct.error):
        return None


def _find_turn(file: BinaryIO, at: int, end: int) -> Turn | None:
    while at + _HEAD <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(_HEAD))
        head = _HEAD
        if size == 1:  # longer than 4 bytes can say
            (size,), head = struct.unpack(">Q", file.read(8)), 16
        size = end - at if size == 0 else size
        if size < head:
            return None
        if kind in _HOLDERS and (found := _find_turn(file, at + head, min(at + size, end))) is not None:
            return found
        if kind == b"tkhd" and (found := _turn_of_track(file.read(min(size - head, _TRACK_HEADER)))) is not None:
            return found
        at += size
    return None


def _turn_of_track(header: bytes) -> Turn | None:
    """None for a track without images, such as sound."""
    at = 40 if header[:1] == b"\0" else 52  # times of 4 or of 8 bytes
    if len(header) < at + 44:
        return None
    a, b, _, c, d = struct.unpack(">5i", header[at : at + 20])
    width, height = struct.unpack(">2I", header[at + 36 : at + 44])
    if not (width and height):
        return None
    # x' = a x + c y, y' = b x + d y
    across = abs(b) + abs(c) > abs(a) + abs(d)
    return Turn(across, c < 0, b < 0) if across else Turn(False, a < 0, d < 0)
