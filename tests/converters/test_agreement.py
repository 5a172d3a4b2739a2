from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.converters.agreement import Agreement
from mpm_mmpose.converters.virtual_camera import project_views
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture
def sequence():
    return next(project_views(generate_motion("walking", 1.0, 30, 0), cameras=1))


def test_figures(sequence):
    keypoints = sequence.keypoints + np.array([3, 4], np.float32)
    keypoints[7] += np.array([60, 80], np.float32)
    agreement = Agreement()
    agreement.add("a.npz", replace(sequence, keypoints=keypoints))
    agreement.add("a.npz", replace(sequence, name="other"))
    agreement.add("a.npz", replace(sequence, intrinsics=None, keypoints=keypoints[::-1]))
    assert agreement.medians == pytest.approx([5, 0], abs=0.01) and agreement.worst == pytest.approx(105, abs=0.01)
    assert str(agreement) == (f"2D 2.5 px from the projected 3D, 105 px in the worst frame ({sequence.name}, frame 7)")
    assert str(Agreement()) == "2D and 3D not compared, no camera is known"


def negate(keypoints):
    return -keypoints


def exchange(keypoints):
    return keypoints[..., ::-1]


def enlarge(keypoints):
    return keypoints * 5


def noise(keypoints):
    return keypoints + np.random.default_rng(0).uniform(-500, 500, keypoints.shape).astype(np.float32)


def one_frame(keypoints):
    keypoints = keypoints.copy()
    keypoints[3] = 9e3
    return keypoints


@pytest.mark.parametrize("damage", [negate, exchange, enlarge, noise, one_frame])
def test_2d_of_something_else_is_refused(sequence, damage):
    sequence.keypoints = np.ascontiguousarray(damage(sequence.keypoints))
    with pytest.raises(
        ValueError, match=r"^a.npz: .*: its 2D is \d+ px from its projected 3D in the median and \d+ px"
    ):
        Agreement().add("a.npz", sequence)


def test_frames_that_do_not_count(sequence):
    scores = np.ones((len(sequence), 17), np.float32)
    scores[3] = 0
    sequence.keypoints = one_frame(sequence.keypoints)
    agreement = Agreement()
    agreement.add("a.npz", replace(sequence, keypoint_scores=scores))
    assert agreement.worst < 0.1
