from dataclasses import replace

import numpy as np

from mpm_mmpose.formats.placing import every_frame, level_axes, stand, upright, y_up

from .conftest import moving, scene_of_poses, standing


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
    (first, second), notes = upright(scene)
    assert notes == []
    np.testing.assert_allclose(first[0, 0], (0, 0.86, 0))
    assert np.isnan(first[1, 3]).all() and np.isfinite(np.delete(first[1], 3, axis=0)).all()
    assert np.isnan(second).all() and not recwarn.list


def walking(metres, tilt, seconds=6):
    """A scene of a person who walks round a loop of so many metres, seen by a camera that looks down by degrees."""
    frames = round(30 * seconds)
    angle = np.linspace(0, 2 * np.pi, frames)
    room = np.stack((metres / 2 * np.sin(angle), np.zeros(frames), 5 + metres / 2 * np.cos(angle)), -1)
    sin, cos = np.sin(np.deg2rad(tilt)), np.cos(np.deg2rad(tilt))
    look_down = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    poses = moving(frames) @ look_down.T
    return scene_of_poses(poses, trajectory=(room + (0, 0.6, 0)) @ look_down.T), look_down


def test_the_floor_that_people_walk_on_is_level():
    scene, look_down = walking(3, tilt=15)
    axes, notes = level_axes(scene)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.rad2deg(np.arccos(axes @ look_down @ (0, -1, 0) @ (0, 1, 0))) < 2
    assert len(notes) == 1 and notes[0].endswith("degrees; the floor people walk on is level")
    ((places,), _) = upright(scene)
    feet = places[:, [3, 6], 1].min(1)
    assert feet[:45].min() < 0.1 and feet[-45:].min() < 0.1 and feet[60:120].min() < 0.1


def test_up_is_what_the_scene_says():
    poses = np.array([standing()] * 2)
    sine, cosine = np.sin(np.pi / 9), np.cos(np.pi / 9)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])  # the image of a rolled camera
    level, _ = upright(scene_of_poses(poses))
    scene = replace(scene_of_poses(poses @ turn.T), up=turn @ [0, -1, 0], up_source="as given")
    leaning, notes = upright(scene)
    np.testing.assert_allclose(leaning[0], level[0], atol=1e-6)
    assert notes == ["turned by 20.0 degrees; up is as given"]


def test_what_was_never_seen_is_left_out_when_asked():
    masked = np.zeros((4, 17), bool)
    masked[:, 3] = True
    scene = scene_of_poses(moving(4), masked=masked)
    (whole,), notes = upright(scene)
    assert np.isfinite(whole).all() and notes == []
    (seen,), notes = upright(replace(scene, leave_out_unseen=True))
    assert np.isnan(seen[:, 3]).all() and np.isfinite(np.delete(seen, 3, axis=1)).all()
    assert notes == ["person 1 is without right_ankle, which were never seen"]
