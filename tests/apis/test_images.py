import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis import images as images_module
from mpm_mmpose.apis.images import CameraImages, VideoClock, VideoImages, check_readable, open_images
from mpm_mmpose.errors import UsageError


def picture(shade: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), shade, np.uint8)


def write_video(path: Path, frames: int = 6, fps: float = 25.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (64, 48))
    for index in range(frames):
        writer.write(picture(40 * index))
    writer.release()
    return path


def test_video_gives_times_and_images_as_often_as_asked(tmp_path):
    images = open_images(write_video(tmp_path / "walk.mp4"))
    assert (images.name, images.fps, images.width, images.height, images.total) == ("walk", 25, 64, 48, 6)
    for _ in range(2):
        times, shades = zip(*[(time, image.mean()) for time, image in images], strict=True)
        np.testing.assert_allclose(times, np.arange(6) / 25)
        np.testing.assert_allclose(shades, 40 * np.arange(6), atol=4)
    assert images.problem == ""


def hold_frames(path: Path, shares: list[float]) -> Path:
    """Make a video of a constant rate one whose frames last for these shares of 1 / fps; their mean is 1."""

    def rebuilt(boxes: bytes) -> bytes:
        made, at = b"", 0
        while at < len(boxes):
            size, kind = struct.unpack(">I4s", boxes[at : at + 8])
            inside = boxes[at + 8 : at + size]
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
                inside = rebuilt(inside)
            elif kind == b"stts":  # version and flags; number of entries; (frames, ticks of each) ...
                ticks = struct.unpack(">IIII", inside)[3]
                rows = b"".join(struct.pack(">II", 1, round(share * ticks)) for share in shares)
                inside = struct.pack(">II", 0, len(shares)) + rows
            made += struct.pack(">I4s", 8 + len(inside), kind) + inside
            at += size
        return made

    boxes = path.read_bytes()
    assert boxes.index(b"mdat") < boxes.index(b"moov")  # else what the index points to would move
    path.write_bytes(rebuilt(boxes))
    return path


def test_video_of_a_variable_rate_is_timed_by_its_stamps(tmp_path):
    path = hold_frames(write_video(tmp_path / "phone.mp4"), [0.5, 1.5, 1.0, 1.75, 0.25, 1.0])
    expected = np.array([0, 0.5, 2, 3, 4.75, 5]) / 25
    images = open_images(path)
    for _ in range(2):
        np.testing.assert_allclose([time for time, _ in images], expected, atol=1e-4)
    np.testing.assert_array_equal([time for time, _ in open_images(path, fps=50)], np.arange(6) / 50)


def test_clock_of_a_constant_rate_is_exact_whatever_the_container_rounds():
    clock = VideoClock(30000 / 1001)
    stamps = np.round(np.arange(2000) * 1001 / 30000, 3) + 0.04  # Matroska counts in ms
    assert [clock.tell(stamp) for stamp in stamps] == [number / (30000 / 1001) for number in range(2000)]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([0, 0, 0, 0], [0, 0.1, 0.2, 0.3]),  # none at all
        ([np.nan] * 3, [0, 0.1, 0.2]),
        ([0, 0.1, 0.05, 0.15, 0.5], [0, 0.1, 0.2, 0.3, 0.5]),  # back and forth
        ([2.0, 2.25, 3.0], [0, 0.25, 1.0]),  # what was before was cut off
    ],
)
def test_times_increase_whatever_the_stamps(stamps, expected):
    clock = VideoClock(10)
    np.testing.assert_allclose([clock.tell(stamp) for stamp in stamps], expected)


def test_fps_replaces_what_the_video_says(tmp_path):
    images = open_images(write_video(tmp_path / "walk.mp4"), fps=50)
    assert images.fps == 50 and [time for time, _ in images][1] == pytest.approx(0.02)


class FakeCapture:
    """OpenCV's capture of a video that says what it likes, or of a camera."""

    said = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FRAME_COUNT: 10.0}
    frames = 10

    def __init__(self, source):
        self.left = self.frames

    def isOpened(self):
        return self.frames >= 0

    def get(self, key):
        return self.said.get(key, 0.0)

    def set(self, key, value):
        return False

    def read(self):
        self.left -= 1
        return (True, picture(1)) if self.left >= 0 else (False, None)

    def release(self):
        pass


@pytest.fixture
def capture(monkeypatch):
    kind = type("Capture", (FakeCapture,), dict(said=dict(FakeCapture.said)))
    monkeypatch.setattr(images_module.cv2, "VideoCapture", kind)
    return kind


@pytest.mark.parametrize("fps", [0.0, float("nan"), 1000.0, 90000.0])
def test_wrong_rate_is_asked_for(capture, tmp_path, fps):
    (tmp_path / "a.mp4").write_bytes(b"x")
    capture.said[cv2.CAP_PROP_FPS] = fps
    with pytest.raises(UsageError, match=r"a\.mp4: says that it has .* frames a second; give the true number.*--fps"):
        open_images(tmp_path / "a.mp4")
    assert open_images(tmp_path / "a.mp4", fps=25).fps == 25


@pytest.mark.parametrize(("frames", "problem"), [(100, ""), (98, ""), (60, "frame 60 of 100 cannot be read")])
def test_video_that_ends_early_gives_what_it_has_and_says_so(capture, tmp_path, frames, problem):
    (tmp_path / "a.mp4").write_bytes(b"x")
    capture.said[cv2.CAP_PROP_FRAME_COUNT] = 100.0
    capture.frames = frames
    images = VideoImages(tmp_path / "a.mp4")
    assert len(list(images)) == frames
    assert problem in images.problem and bool(problem) == bool(images.problem)


def test_webcam_is_timed_by_the_clock_until_it_is_unplugged(capture, monkeypatch):
    clock = iter(np.arange(0, 100, 0.5))
    monkeypatch.setattr(images_module.time, "monotonic", lambda: next(clock))
    images = open_images("webcam:1")
    assert images.live and images.total is None and images.name == "webcam1"
    assert [time for time, _ in images] == [0.5 * index for index in range(1, 10)]
    assert "webcam:1: gave no more images after 5.0 s; is it still plugged in?" == images.problem
    assert images.fps == pytest.approx(9 / 4.5)


def test_no_webcam(capture):
    capture.frames = -1
    with pytest.raises(UsageError, match="webcam:3: there is no such camera, or another program uses it"):
        CameraImages(3)
    with pytest.raises(UsageError, match="give webcam, or webcam:N"):
        open_images("webcam:front")


def test_a_camera_in_the_network(capture, monkeypatch):
    capture.said[cv2.CAP_PROP_FRAME_COUNT] = -1.0
    images = open_images("rtsp://me:secret@camera.local:554/live")
    assert images.live and images.name == "camera.local" and len(list(images)) == 9
    assert images.problem.startswith("rtsp://camera.local/live: gave no more images")
    capture.said[cv2.CAP_PROP_FRAME_COUNT] = 100.0
    with pytest.raises(UsageError, match="http://a.org/walk.mp4: is a video and no camera; fetch it and give the file"):
        open_images("http://a.org/walk.mp4")
    capture.frames = -1
    with pytest.raises(UsageError, match="rtsp://camera.local/live: no images come from there; look whether the addr"):
        open_images("rtsp://me:secret@camera.local/live")


def test_folder_of_images(tmp_path):
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(10 * index))
    (tmp_path / "notes.txt").write_text("none of the images")
    with pytest.raises(UsageError, match=r"say how many of its 3 images are a second: fps \(--fps\)"):
        open_images(tmp_path)
    images = open_images(tmp_path, fps=10)
    assert [(time, int(image.mean())) for time, image in images] == [(0, 0), (0.1, 10), (0.2, 20)]
    cv2.imwrite(str(tmp_path / "1.png"), picture(10, width=32))
    assert len(list(images)) == 1
    assert "1.png: has 32 x 48 px, 0.png 64 x 48; give images of one camera" in images.problem


def test_single_image_and_arrays(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(7))
    assert [time for time, _ in open_images(tmp_path / "a.png")] == [0]
    array = np.stack([picture(1), picture(2)])
    assert [int(image[0, 0, 0]) for _, image in open_images(array, fps=2)] == [1, 2]
    assert open_images(array[0]).total == 1
    for wrong in (array.astype(np.int16), array[..., 0], array[:0]):
        with pytest.raises(UsageError, match="is no image: give uint8"):
            open_images(wrong, fps=2)
    with pytest.raises(UsageError, match="say how many of the 2 images"):
        open_images(array)


def test_what_is_no_video_is_refused_with_its_name(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ValueError, match=r"empty\.mp4: is empty"):
        open_images(tmp_path / "empty.mp4")
    good = write_video(tmp_path / "good.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(good[: len(good) // 2])
    with pytest.raises(ValueError, match=r"cut\.mp4: is no video that OpenCV can open; it may be cut off or damaged"):
        open_images(tmp_path / "cut.mp4")
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"a\.png: is no image that OpenCV can read"):
        open_images(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"none\.mp4: does not exist; give a video, image"):
        open_images(tmp_path / "none.mp4")
    (tmp_path / "void").mkdir()
    with pytest.raises(UsageError, match="void: holds no images"):
        open_images(tmp_path / "void", fps=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_closed_file(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    path.chmod(0)
    with pytest.raises(UsageError, match=r"a\.mp4: may not be read; ask for permission to it \(chmod \+r\)"):
        check_readable(path)


def test_closed_file_as_access_tells_it(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match=r"a\.mp4: may not be read"):
        check_readable(path)


def test_real_video(motion_dir):
    images = open_images(motion_dir / "video/demo.mp4")
    assert (images.width, images.height, images.total, images.fps) == (960, 540, 5, 5)
    assert len(list(images)) == 5 and images.problem == ""
