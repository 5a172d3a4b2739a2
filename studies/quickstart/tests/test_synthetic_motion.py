import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.pose.keypoints import H36M_17

from ..synthetic_motion import KINDS, generate_motion

PARENTS = np.array(H36M_17.parents)
FPS = 50


@pytest.fixture(scope="module")
def clips():
    return {kind: [generate_motion(kind, 8.0, FPS, seed) for seed in range(3)] for kind in KINDS}


def at(motion, name):
    return motion.keypoints_3d[:, H36M_17.index(name)]


def bone_lengths(motion):
    poses = motion.keypoints_3d
    return np.linalg.norm(poses[:, 1:] - poses[:, PARENTS[1:]], axis=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_bones_are_rigid_symmetric_and_the_persons_own(clips, kind):
    lengths = [bone_lengths(motion) for motion in clips[kind]]
    for length in lengths:
        np.testing.assert_allclose(length, length[:1].repeat(len(length), 0), atol=2e-4)
        mean = np.insert(length.mean(0), 0, 0)
        np.testing.assert_allclose(mean[list(H36M_17.left)], mean[list(H36M_17.right)], atol=2e-4)
    assert np.abs(lengths[0].mean(0) - lengths[1].mean(0)).max() > 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_people_stand_on_the_floor(clips, kind):
    for motion in clips[kind]:
        ankles = np.minimum(at(motion, "left_ankle")[:, 2], at(motion, "right_ankle")[:, 2])
        assert 0.03 < ankles.min() and ankles.max() < 0.25
        assert (motion.keypoints_3d[..., 2] > 0).all()


def test_standing_height(clips):
    for motion in clips["waving"]:
        assert 0.75 < np.median(at(motion, "pelvis")[:, 2]) < 1.1
        assert 1.4 < np.median(at(motion, "head_top")[:, 2]) < 2.0


def test_sitting_and_squatting_go_down(clips):
    for kind in ("sitting", "squatting"):
        heights = np.concatenate([at(motion, "pelvis")[:, 2] for motion in clips[kind]])
        assert heights.min() < 0.7 < 0.8 < heights.max()


@pytest.mark.parametrize("kind", KINDS)
def test_knees_bend_backwards_only(clips, kind):
    for motion in clips[kind]:
        for side in ("left", "right"):
            thigh = at(motion, f"{side}_knee") - at(motion, f"{side}_hip")
            shank = at(motion, f"{side}_ankle") - at(motion, f"{side}_knee")
            leftward = at(motion, "left_hip") - at(motion, "right_hip")
            # Bent back, the shank turns against the thigh about the person's leftward axis, never the other way.
            turn = (np.cross(thigh, shank) * leftward).sum(-1)
            turn /= np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shank, axis=-1) * np.linalg.norm(leftward, axis=-1)
            assert turn.min() > -0.15 and turn.max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_teleports(clips, kind):
    for motion in clips[kind]:
        speed = np.linalg.norm(np.diff(motion.keypoints_3d, axis=0), axis=-1) * FPS
        assert speed.max() < 10


def test_walking_goes_somewhere(clips):
    for motion in clips["walking"]:
        path = np.linalg.norm(np.diff(at(motion, "pelvis")[:, :2], axis=0), axis=-1).sum()
        assert path > 2


def test_clip_depends_on_its_seed_only():
    first, second = (generate_motion(KINDS[index], 1.0, 30, (4, index)) for index in range(2))
    again = generate_motion(KINDS[1], 1.0, 30, (4, 1))
    np.testing.assert_array_equal(second.keypoints_3d, again.keypoints_3d)
    assert np.abs(first.keypoints_3d - again.keypoints_3d).max() > 0.05
    assert (len(second), second.fps, second.action) == (30, 30, KINDS[1])


def test_cameras_can_film_it():
    sequence = next(project_views(generate_motion("mixed", 2.0, 30, 1), cameras=1))
    assert (sequence.keypoints >= 0).all() and (sequence.keypoints <= 1002).all()


def test_unknown_kind_lists_the_known():
    with pytest.raises(ValueError, match="'flying'; there are .*walking.*sitting"):
        generate_motion("flying")
    with pytest.raises(ValueError, match="makes no frame"):
        generate_motion("walking", seconds=0.0)
