import struct

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis import video_file
from mpm_mmpose.apis.images import open_images
from mpm_mmpose.apis.video_file import VideoFile, container_turn

# As phones write them: the matrix's a, b, c, d by how many degrees the image is to be turned clockwise.
MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def corner(image):
    """Which corner the white mark is in."""
    height, width = image.shape[:2]
    white = np.argwhere(image.mean(-1) > 200).mean(0) / (height, width)
    return ("top" if white[0] < 0.5 else "bottom"), ("left" if white[1] < 0.5 else "right")


def edited(path, kind, edit):
    """Change the contents of the first box of a kind in an MP4 file, keeping its length."""
    content = bytearray(path.read_bytes())
    at = content.index(kind) + 4
    size = struct.unpack(">I", content[at - 8 : at - 4])[0] - 8
    content[at : at + size] = edit(bytes(content[at : at + size]))
    path.write_bytes(content)
    return path


def turned(path, matrix):
    def edit(header):
        a, b, c, d = (65536 * value for value in matrix)
        return header[:40] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + header[76:]

    return edited(path, b"tkhd", edit)


@pytest.fixture
def video(tmp_path):
    """64 x 48 px, with a white mark at the top left."""
    path = tmp_path / "walk.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 48))
    for _ in range(5):
        image = np.zeros((48, 64, 3), np.uint8)
        image[:16, :16] = 255
        writer.write(image)
    writer.release()
    return path


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize(
    ("matrix", "size", "mark"),
    [
        (MATRICES[0], (64, 48), ("top", "left")),
        (MATRICES[90], (48, 64), ("top", "right")),
        (MATRICES[180], (64, 48), ("bottom", "right")),
        (MATRICES[270], (48, 64), ("bottom", "left")),
        ((-1, 0, 0, 1), (64, 48), ("top", "right")),  # mirrored, as some front cameras
    ],
)
def test_images_are_upright_whether_opencv_tells_the_rotation_or_not(video, monkeypatch, matrix, size, mark, silent):
    turned(video, matrix)
    if silent:
        get = VideoFile.get
        deaf = (cv2.CAP_PROP_ORIENTATION_META, cv2.CAP_PROP_ORIENTATION_AUTO)
        monkeypatch.setattr(VideoFile, "get", lambda self, key: 0.0 if key in deaf else get(self, key))
    images = open_images(video)
    assert (images.width, images.height) == size
    shown = [image for _, image in images]
    assert len(shown) == 5 and {corner(image) for image in shown} == {mark}
    assert {image.shape[:2] for image in shown} == {size[::-1]}
    assert bool(images.notes) == (matrix != MATRICES[0])


def test_what_opencv_tells_is_believed_where_the_container_cannot_be_read(video, monkeypatch):
    turned(video, MATRICES[90])
    monkeypatch.setattr(video_file, "container_turn", lambda path: None)
    assert corner(VideoFile(video).read()) == ("top", "right")


def test_an_opencv_that_turns_by_itself_is_left_alone(video, monkeypatch):
    get = VideoFile.get
    monkeypatch.setattr(
        VideoFile, "get", lambda self, key: 1.0 if key == cv2.CAP_PROP_ORIENTATION_AUTO else get(self, key)
    )
    assert corner(VideoFile(turned(video, MATRICES[90])).read()) == ("top", "left")


@pytest.mark.parametrize(("across", "down", "width"), [(4, 3, 85), (16, 11, 93), (8, 9, 57), (1, 1, 64), (0, 1, 64)])
def test_pixels_become_square(video, monkeypatch, across, down, width):
    said = {cv2.CAP_PROP_SAR_NUM: across, cv2.CAP_PROP_SAR_DEN: down}
    get = VideoFile.get
    monkeypatch.setattr(VideoFile, "get", lambda self, key: float(said[key]) if key in said else get(self, key))
    images = open_images(video)
    assert (images.width, images.height) == (width, 48)
    assert next(iter(images))[1].shape == (48, width, 3)
    assert bool(images.notes) == (width != 64)
    monkeypatch.setattr(video_file, "container_turn", lambda path: video_file._TURNS[90])
    assert next(iter(open_images(video)))[1].shape == (width, 48, 3)  # stretched as stored, then turned


def test_a_damaged_container_says_nothing(video, tmp_path):
    whole = video.read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "cut.mp4").write_bytes(whole[:end])
        assert container_turn(tmp_path / "cut.mp4") in (None, video_file.Turn())
    (tmp_path / "text.mp4").write_text("no video at all")
    assert container_turn(tmp_path / "text.mp4") is None
    edited(video, b"moov", lambda inside: b"\xff" * len(inside))
    assert container_turn(video) is None
