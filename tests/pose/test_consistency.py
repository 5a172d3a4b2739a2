import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.pose.consistency import (
    LIMIT,
    body_misfit,
    likely_cause,
    misfit,
    person_misfit,
)
from mpm_mmpose.pose.keypoints import COCO_17, H36M_17
from studies.quickstart.synthetic_motion import generate_motion

RNG = np.random.default_rng(0)
POSES = RNG.normal(0, 0.4, (20, 17, 3))
ALL = np.ones((20, 17), bool)


def test_what_is_only_moved_and_scaled_fits():
    keypoints = 300 * POSES[..., :2] + (900, 500)
    np.testing.assert_allclose(misfit(POSES, keypoints, ALL), 0, atol=1e-9)


def test_the_residual_is_a_share_of_the_spread():
    keypoints = 300 * POSES[..., :2]
    noise = RNG.normal(0, 1, keypoints.shape)
    found = misfit(POSES, keypoints + 30 * noise, ALL)
    assert np.mean(found) == pytest.approx(30 / np.hypot(120, 30), rel=0.08)  # 0.4 of 300, and 30
    # Upside down is not fitted by a negative scale.
    np.testing.assert_allclose(misfit(POSES, -keypoints, ALL), 1)


def test_what_is_not_seen_does_not_count():
    keypoints = 300 * POSES[..., :2]
    seen = ALL.copy()
    seen[:, 3] = False
    keypoints[:, 3] = 1e6
    poses = POSES.copy()
    poses[:, 5] = np.nan
    np.testing.assert_allclose(misfit(poses, keypoints, seen), 0, atol=1e-9)
    seen[4, 6:] = seen[4, :1] = False  # 1, 2, 4 are left
    assert np.isnan(misfit(poses, keypoints, seen)[4])
    assert np.isnan(misfit(poses, np.zeros_like(keypoints), ALL)).all()


@pytest.fixture(scope="module")
def walkers():
    """2D (T, 17, 2) px of people from all sides."""
    clips = [project_views(generate_motion("mixed", 6, 10, seed), cameras=4, seed=seed) for seed in range(2)]
    return [sequence.keypoints.astype(np.float64) for clip in clips for sequence in clip]


def as_coco(keypoints):
    return keypoints[:, [H36M_17.index(name if name in H36M_17.names else "nose") for name in COCO_17.names]]


def seen(keypoints):
    return np.ones(keypoints.shape[:2], bool)


def test_people_look_like_people_from_all_sides(walkers):
    for keypoints in walkers:
        assert person_misfit(keypoints, seen(keypoints), "h36m_17") < 0.25
        assert person_misfit(as_coco(keypoints), seen(keypoints), "coco_17") < 0.25
        assert not likely_cause(keypoints, seen(keypoints), "h36m_17")
        half = seen(keypoints)
        half[:, [1, 2, 3, 4, 5, 6]] = False
        assert person_misfit(keypoints, half, "h36m_17") < LIMIT


@pytest.mark.parametrize(
    ("read", "keypoint_set", "cause"),
    [
        (lambda k: k, "coco_17", "they look like h36m_17: give --keypoint-set h36m_17"),
        (as_coco, "h36m_17", "they look like coco_17: give --keypoint-set coco_17"),
        (lambda k: (1920, 1080) - k, "h36m_17", "upside down"),
        (lambda k: k * (1, -1), "h36m_17", "upside down"),
        (lambda k: k[:, RNG.permutation(17)], "h36m_17", ""),
    ],
)
def test_wrong_readings_are_found_and_named(walkers, read, keypoint_set, cause):
    for keypoints in walkers:
        wrong = read(keypoints)
        assert person_misfit(wrong, seen(wrong), keypoint_set) > 0.5
        found = likely_cause(wrong, seen(wrong), keypoint_set)
        assert cause in found and bool(found) == bool(cause)


def test_an_image_on_its_side_is_named(walkers):
    turned = [keypoints[..., ::-1] * (1, -1) for keypoints in walkers]
    assert np.median([person_misfit(one, seen(one), "h36m_17") for one in turned]) > LIMIT
    causes = [likely_cause(one, seen(one), "h36m_17") for one in turned]
    assert sum("turned by 90 degrees" in cause for cause in causes) > len(causes) / 2


def test_too_few_keypoints_say_nothing():
    few = np.zeros((3, 17), bool)
    few[:, :5] = True
    assert np.isnan(body_misfit(RNG.normal(size=(3, 17, 2)), few)).all()
    assert np.isnan(person_misfit(RNG.normal(size=(3, 17, 2)), few, "h36m_17"))
