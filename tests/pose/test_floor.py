import numpy as np
import pytest

from mpm_mmpose.pose import floor
from mpm_mmpose.pose.floor import CAMERA_UP, angle_between, scene_up
from mpm_mmpose.pose.scene import LiftedPerson, Scene

FEET_APART = np.array([(0.0, 0, 0), (-0.12, 0.86, 0), (0.12, 0.86, 0), (0, -0.6, 0)])  # m, camera axes


def walking(metres, tilt, seconds=6, noise=0.0):
    """A scene of a person who walks round a loop of so many metres, seen by a camera that looks down by degrees.

    And which way is up for that camera.
    """
    frames = round(30 * seconds)
    angle = np.linspace(0, 2 * np.pi, frames)
    room = np.stack((metres / 2 * np.sin(angle), np.zeros(frames), 5 + metres / 2 * np.cos(angle)), -1)
    room *= 1 + noise * np.random.default_rng(0).normal(size=(frames, 1))  # wrong distance: along the line of sight
    sin, cos = np.sin(np.deg2rad(tilt)), np.cos(np.deg2rad(tilt))
    look_down = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    lift = 0.1 * np.sin(np.arange(frames) / 5)[:, None] * np.array([0, -1, 1, 0])  # one foot, then the other
    poses = np.tile(FEET_APART, (frames, 1, 1))
    poses[..., 1] -= lift.clip(0)
    person = LiftedPerson(
        "1", "h36m_17", np.arange(frames), poses @ look_down.T, trajectory=(room + (0, 0.6, 0)) @ look_down.T
    )
    return Scene("walk", [person], np.arange(frames) / 30, 30.0), look_down @ CAMERA_UP


@pytest.mark.parametrize("tilt", [15, -10])
def test_the_floor_that_people_walk_on_is_level(tilt):
    scene, up = walking(3, tilt)
    found, source = scene_up(scene)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert angle_between(found, up) < 2 and source == "the floor people walk on is level"


def test_who_stands_still_shows_no_floor():
    """Only the error of the distance moves them: up stays the camera's, but for a degree or two."""
    scene, _ = walking(0, tilt=0, noise=0.02)
    assert angle_between(scene_up(scene)[0], CAMERA_UP) < 2
    few, _ = walking(3, tilt=15, seconds=1)
    assert scene_up(few) == (CAMERA_UP, "up is the camera's")


def test_a_floor_as_steep_as_no_camera_tilts_is_not_believed():
    scene, _ = walking(4, tilt=45)
    assert scene_up(scene)[1] == "up is the camera's"


def test_what_the_scene_says_comes_first():
    scene, up = walking(3, tilt=15)
    given = Scene(scene.name, scene.people, scene.times, scene.fps, up=np.array([1.0, 0, 0]), up_source="as given")
    assert scene_up(given)[1] == "up is as given" and angle_between(scene_up(given)[0], up) > 80


def test_nobody_whose_place_is_known():
    poses = np.tile(FEET_APART, (30, 1, 1))
    person = LiftedPerson("1", "h36m_17", np.arange(30), poses)
    unknown = LiftedPerson("2", "h36m_17", np.arange(30), poses, trajectory=np.full((30, 3), np.nan))
    for people in ([], [person], [unknown]):
        assert scene_up(Scene("s", people, np.arange(30) / 30, 30.0)) == (CAMERA_UP, "up is the camera's")


def test_steps_of_fewer_frames_than_steps():
    """A photo, or a frame per second."""
    places = np.zeros((1, 17, 3)) + np.arange(17)[:, None]
    np.testing.assert_array_equal(floor._steps(places, 1.0), [[16, 16, 16]])
