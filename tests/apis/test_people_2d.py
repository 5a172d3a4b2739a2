from dataclasses import replace

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis.images import ArrayImages
from mpm_mmpose.apis.people_2d import Stopped, find_people
from mpm_mmpose.lifting.people import People, PeopleDetector

BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (20, 50) + 4


class Spots(PeopleDetector):
    """A 2D model: a person stands at every x that the first row of an image says."""

    keypoint_set = "h36m_17"

    def __init__(self, fails_at=None, error=None):
        self.number, self.fails_at, self.error = 0, fails_at, error

    def begin(self, fps):
        self.fps = fps
        return self

    def __call__(self, image):
        self.number += 1
        if self.number - 1 == self.fails_at:
            raise self.error
        places = [int(x) for x in image[0, :, 0] if x]
        keypoints = np.array([BODY + (x, 0) for x in places], np.float32).reshape(-1, 17, 2)
        boxes = np.array([[x, 0, x + 30, 60] for x in places], np.float32).reshape(-1, 4)
        return People(keypoints, np.full(keypoints.shape[:2], 0.9, np.float32), boxes)


def images_of(*places, live=False):
    """An image for each list of places."""
    images = np.zeros((len(places), 60, 200, 3), np.uint8)
    for image, xs in zip(images, places, strict=True):
        image[0, : len(xs), 0] = xs
    source = ArrayImages(images, 10.0)
    source.live = live
    return source


def test_people_are_followed_with_the_times_of_their_images():
    done = []
    recording = find_people(
        images_of([5, 120], [122, 7], [], [9], [11, 126]), Spots(), progress=lambda *step: done.append(step)
    )
    first, second = recording.tracks
    np.testing.assert_allclose(first.times, [0, 0.1, 0.3, 0.4])
    np.testing.assert_allclose(second.times, [0, 0.1, 0.4])
    np.testing.assert_allclose(first.keypoints[:, 0, 0] - BODY[0, 0], [5, 7, 9, 11], atol=1e-4)
    assert (first.width, first.height, first.fps, first.keypoint_set) == (200, 60, 10, "h36m_17")
    np.testing.assert_array_equal(recording.frames_of(second), [0, 1, 4])
    assert done == [(step, 5) for step in range(1, 6)]


def test_a_detector_knows_the_rate_and_mends_whole_people():
    class Mending(Spots):
        def mend(self, track):
            return replace(track, scores=np.full_like(track.scores, len(track) / 10))

    spots = Mending()
    first, second = find_people(images_of([5, 120], [122, 7], [9]), spots).tracks
    assert spots.fps == 10 and (first.scores == np.float32(0.3)).all() and (second.scores == np.float32(0.2)).all()


def test_nobody():
    recording = find_people(images_of([], []), Spots())
    assert recording.tracks == [] and len(recording.times) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_what_was_found_before_an_end_is_kept(error):
    with pytest.raises(Stopped) as stopped:
        find_people(images_of([5], [6], [7]), Spots(2, error))
    assert stopped.value.__cause__ is error
    assert len(stopped.value.recording.tracks[0]) == 2 and len(stopped.value.recording.times) == 2


def test_a_camera_ends_with_ctrl_c_and_is_recorded(tmp_path):
    recording = find_people(
        images_of([5], [6], [7], live=True), Spots(2, KeyboardInterrupt()), record=tmp_path / "camera.mp4"
    )
    assert len(recording.tracks[0]) == 2
    # The image at which it was stopped is recorded already.
    assert cv2.VideoCapture(str(tmp_path / "camera.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_why_a_source_ended_early_is_told():
    source = images_of([5])
    source.problem = "frame 1 of 9 cannot be read"
    assert find_people(source, Spots()).problem == "frame 1 of 9 cannot be read"


def test_a_view_is_given_everything_and_may_end_it():
    given = []

    class View:
        def show(self, time, image, people, ids):
            given.append((time, image.shape, len(people.keypoints), ids.tolist()))
            return len(given) < 2

    assert len(find_people(images_of([5], [6, 90], [7]), Spots(), view=View()).times) == 2
    assert given == [(0.0, (60, 200, 3), 1, [0]), (0.1, (60, 200, 3), 2, [0, 1])]
