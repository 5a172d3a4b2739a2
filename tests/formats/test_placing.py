import numpy as np

from mpm_mmpose.formats.placing import every_frame, stand, upright, y_up

from .conftest import scene_of_poses, standing


def test_y_up_turns_half_round_the_cameras_right():
    np.testing.assert_array_equal(y_up(np.array([[1.0, 2.0, 3.0]])), [[1, -2, -3]])
    assert np.linalg.det(y_up(np.eye(3))) == 1  # left stays left


def test_every_frame_leaves_gaps_empty():
    filled = every_frame(np.array([3, 4, 7]), np.array([[1.0], [2.0], [3.0]]))
    np.testing.assert_array_equal(filled, [[1], [2], [np.nan], [np.nan], [3]])


def test_without_a_trajectory_everybody_stands_on_the_floor():
    low, high = np.array([[[0, -0.9, 0]], [[0, -0.5, 0]]]), np.array([[[0, -0.7, 0]]])
    roots = stand([low, high], [None, None])
    np.testing.assert_allclose(roots[0], [(0, 0.9, 0), (0, 0.9, 0)])
    np.testing.assert_allclose(roots[1], [(0, 0.7, 0)])


def test_with_trajectories_people_share_a_floor():
    person = np.array([[[0, -0.9, 0]], [[0, -0.5, 0]]])
    stair = [np.array([(0, 1, -4), (0, 0.5, -4)], float), np.array([(1, 2, -5), (1, np.nan, -5)], float)]
    roots = stand([person, person], stair)
    np.testing.assert_allclose(roots[0], [(0, 1, -4), (0, 0.5, -4)])  # the second frame's feet are at y = 0
    np.testing.assert_allclose(roots[1][0], (1, 2, -5))


def test_upright_keeps_what_is_not_known(recwarn):
    poses = np.array([standing()] * 2)
    poses[1, 3] = np.nan
    scene = scene_of_poses(poses, np.full((2, 17, 3), np.nan))
    first, second = upright(scene)
    np.testing.assert_allclose(first[0, 0], (0, 0.86, 0))
    assert np.isnan(first[1, 3]).all() and np.isfinite(np.delete(first[1], 3, axis=0)).all()
    assert np.isnan(second).all() and not recwarn.list
