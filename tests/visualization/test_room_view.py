import numpy as np
import pytest

from mpm_mmpose.pose.floor import CAMERA_UP
from mpm_mmpose.visualization.room_view import find_room


def walkers(slope_degrees, steps=200, seed=0):
    """Poses (N, 3, 3) and trajectory (N, 3) of somebody upright who walks about before a camera that looks down.

    And what is up for that camera, and where they walked.
    """
    random = np.random.default_rng(seed)
    x, y = random.uniform(-2, 2, steps), random.uniform(3, 7, steps)
    a = np.deg2rad(slope_degrees)
    # Room axes (x right, y away, z up) to those of the camera (x right, y down, z away), 1.5 m above the floor.
    turn = np.array([[1, 0, 0], [0, -np.sin(a), -np.cos(a)], [0, np.cos(a), -np.sin(a)]])
    body = np.array([[0, 0, 0.95], [0, 0, 0], [0, 0, 1.7]])
    points = (np.stack([x, y, np.full(steps, -1.5)], -1)[:, None] + body) @ turn.T
    return points - points[:, :1], points[:, 0], turn @ (0, 0, 1), np.stack([x, y], -1)


@pytest.mark.parametrize("slope", [0, 12, -5])
def test_the_floor_is_level_and_everybody_stands_on_it(slope):
    poses, trajectory, up, walked = walkers(slope)
    room = find_room([poses[:120], poses[120:]], [trajectory[:120], trajectory[120:]], up)
    placed = room.place(poses, trajectory)
    np.testing.assert_allclose(placed[:, 1, 2], 0, atol=1e-6)
    np.testing.assert_allclose(placed[:, 2, 2], 1.7, atol=1e-6)
    # Distances are those that were walked, and the middle is at 0.
    np.testing.assert_allclose(np.ptp(placed[:, 0, :2], axis=0), np.ptp(walked, axis=0), rtol=0.01)
    assert np.abs(np.median(placed[:, 0, :2], axis=0)).max() < 0.3
    np.testing.assert_allclose(room.half, 2, atol=0.1)


def test_by_default_the_room_is_the_cameras():
    poses, trajectory, _, _ = walkers(0)
    np.testing.assert_allclose(find_room([poses], [trajectory], CAMERA_UP).rotation, np.eye(3), atol=1e-12)


def test_frames_that_are_not_known_do_not_count():
    poses, trajectory, up, _ = walkers(12)
    known = find_room([poses], [trajectory], up)
    gaps = trajectory.copy()
    gaps[::7] = np.nan
    np.testing.assert_allclose(find_room([poses], [gaps], up).shift, known.shift, atol=0.1)
    assert find_room([poses], [np.full_like(trajectory, np.nan)], up) is None


def test_a_single_wild_frame_does_not_move_the_room():
    poses, trajectory, up, _ = walkers(12)
    room = find_room([poses], [trajectory], up)
    trajectory[7] += 100 * up
    np.testing.assert_allclose(find_room([poses], [trajectory], up).shift, room.shift, atol=0.05)
