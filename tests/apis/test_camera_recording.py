import cv2
import numpy as np
import pytest

from mpm_mmpose.apis.camera_recording import RecordedImages, Recorder

#: Of a camera that is said to give 10 images a second; the third and the fourth are in one frame of the video.
TIMES = [0.0, 0.31, 0.58, 0.61, 1.0]


def picture(shade):
    return np.full((48, 64, 3), shade, np.uint8)


@pytest.fixture
def path(tmp_path):
    recorder = Recorder(tmp_path / "camera.mp4", 10.0, 64, 48)
    for index, time in enumerate(TIMES):
        recorder.write(5 + time, picture(50 * index))
    recorder.release()
    return tmp_path / "camera.mp4"


def test_images_are_seen_at_their_times(path):
    capture = cv2.VideoCapture(str(path))
    shades = [capture.read()[1].mean() for _ in range(11)]
    assert not capture.read()[0]
    np.testing.assert_allclose(shades, [0] * 3 + [50] * 3 + [100] + [150] * 3 + [200], atol=4)


def test_they_are_read_again_one_by_one_as_often_as_asked(path):
    images = RecordedImages(path, TIMES)
    assert (images.name, images.width, images.height, images.total, images.fps) == ("camera", 64, 48, 5, 10)
    for _ in range(2):
        times, shades = zip(*[(time, image.mean()) for time, image in images], strict=True)
        assert list(times) == TIMES
        np.testing.assert_allclose(shades, [0, 50, 100, 100, 200], atol=4)


def test_a_recording_that_is_cut_off_ends_with_its_last_image(path):
    images = list(RecordedImages(path, [*TIMES, 2.0]))
    assert len(images) == 6 and images[-1][1].mean() == pytest.approx(200, abs=4)


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match=r"a\.mp4: the images of the camera cannot be written there"):
        Recorder(tmp_path / "nowhere/a.mp4", 10.0, 64, 48)
