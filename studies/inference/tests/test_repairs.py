import numpy as np
import pytest

from mpm_mmpose.lifting.tracks import Track2D

from ..repairs import believed, interpolated, repeated


@pytest.fixture
def track():
    """The first keypoint goes 10, 20, ... px; frames 2 to 4 and the first of the second are not to be believed."""
    keypoints = np.zeros((7, 17, 2))
    keypoints[:, 0] = 10 * np.arange(1, 8)[:, None]
    keypoints[2:5, 0] = 500
    keypoints[:, 1], keypoints[0, 1] = 7, 300
    keypoints[:, 2] = 40  # never believed
    scores = np.ones((7, 17))
    scores[2:5, 0] = scores[0, 1] = 0.1
    scores[:, 2] = 0.2
    return Track2D("0", np.arange(7) / 30, keypoints, scores, "h36m_17", 1000, 1000, 30.0)


def test_in_a_straight_line(track):
    found = interpolated(track, 0.3)
    np.testing.assert_allclose(found.keypoints[:, 0, 0], [10, 20, 30, 40, 50, 60, 70], atol=1e-4)
    np.testing.assert_allclose(found.keypoints[0, 1], 7)
    assert (found.scores == 1).all()


def test_where_it_was_last(track):
    found = repeated(track, 0.3)
    np.testing.assert_array_equal(found.keypoints[:, 0, 0], [10, 20, 20, 20, 20, 60, 70])
    np.testing.assert_array_equal(found.keypoints[0, 1], [7, 7])
    np.testing.assert_array_equal(found.keypoints[:, 2], track.keypoints[:, 2])
    assert (found.scores == 1).all()


def test_as_the_detector_says(track):
    found = believed(track, 0.3)
    np.testing.assert_array_equal(found.keypoints, track.keypoints)
    assert (found.scores == 1).all() and track.scores.min() < 0.3
