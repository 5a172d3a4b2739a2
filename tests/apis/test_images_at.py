import json

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis.images import ArrayImages
from mpm_mmpose.apis.images_at import ImagesAt
from mpm_mmpose.apis.sources import read_recordings
from mpm_mmpose.errors import UsageError


def clip(frames=6, fps=10.0, width=64, height=48):
    return ArrayImages(np.stack([np.full((height, width, 3), 10 * n, np.uint8) for n in range(frames)]), fps)


def shades(images):
    return [(round(time, 3), int(image[0, 0, 0])) for time, image in images]


def test_the_image_that_is_seen_at_each_time():
    images = ImagesAt(clip(), np.array([0.0, 0.2, 0.21, 0.5]), 64, 48)
    for _ in range(2):
        assert shades(images) == [(0, 0), (0.2, 20), (0.21, 20), (0.5, 50)]


def test_beyond_the_end_the_last_one_stays():
    assert shades(ImagesAt(clip(2), np.array([0.0, 0.1, 0.2]), 64, 48)) == [(0, 0), (0.1, 10), (0.2, 10)]


def test_images_of_another_size_are_scaled_and_of_another_shape_refused():
    assert {image.shape for _, image in ImagesAt(clip(), np.array([0.0, 0.1]), 128, 96)} == {(96, 128, 3)}
    with pytest.raises(
        UsageError, match="array: has 64 x 48 px, its keypoints are of 480 x 640; give the video in which"
    ):
        ImagesAt(clip(), np.zeros(1), 480, 640)


@pytest.fixture
def found(tmp_path):
    """A video of 8 frames at 20 Hz, and COCO results of frames 2 to 7 of it."""
    writer = cv2.VideoWriter(str(tmp_path / "walk.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 20, (320, 240))
    for number in range(8):
        writer.write(np.full((240, 320, 3), 30 * number, np.uint8))
    writer.release()
    body = np.random.default_rng(0).uniform(20, 200, (17, 2))
    people = [
        dict(image_id=number, keypoints=np.c_[body + number, np.ones(17)].ravel().tolist()) for number in range(2, 8)
    ]
    (tmp_path / "walk.json").write_text(json.dumps(people))
    return tmp_path


def test_a_video_says_rate_and_size_and_is_drawn_on(found):
    (recording,) = read_recordings(found / "walk.json", video=found / "walk.mp4")
    (track,) = recording.tracks
    assert (track.fps, track.width, track.height) == (20, 320, 240)
    drawn = [image.mean() for _, image in recording.images]
    np.testing.assert_allclose(drawn, 30 * np.arange(8), atol=4)
    (given,) = read_recordings(found / "walk.json", video=found / "walk.mp4", fps=10, width=640, height=480)
    assert given.fps == 10 and given.images.width == 640
