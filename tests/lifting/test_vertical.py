from dataclasses import replace

import numpy as np
import pytest
from lifted_walk import filmed

from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.vertical import choose_up, find_up, level
from studies.quickstart.synthetic_motion import generate_motion


def angle(a, b):
    return np.rad2deg(np.arccos(np.clip(a @ b, -1, 1)))


def test_steps_over_a_floor_tell_which_way_is_up():
    lifted, root, up = filmed("walking", seconds=20, seed=2)
    found, source = find_up(replace(lifted, trajectory=root))
    assert source == "the plane through ankles that stand still" and angle(found, up) < 1.5
    # Not the box that somebody stands on for a while.
    on_a_box = root + 0.4 * up.astype(np.float32) * ((np.arange(len(root)) % 100) > 85)[:, None]
    found, source = find_up(replace(lifted, trajectory=on_a_box))
    assert source == "the plane through ankles that stand still" and angle(found, up) < 0.3
    # A floor is told from a line: a person who stays in one place is upright instead.
    still, place, up = filmed("waving", seed=2)
    found, source = find_up(replace(still, trajectory=place))
    assert "upright on average" in source and angle(found, up) < 8


@pytest.mark.parametrize("kind", ["walking", "squatting", "sitting", "turning"])
def test_people_are_upright_on_average(kind):
    lifted, _, up = filmed(kind)
    found, source = find_up(lifted)
    assert "upright on average" in source and angle(found, up) < 20
    assert np.linalg.norm(found) == pytest.approx(1)


def test_a_room_has_a_level_floor_at_zero(said):
    lifted, root, up = filmed("walking", seconds=20, seed=2)
    room = level(replace(lifted, trajectory=root), up)
    motion = generate_motion("walking", 20, 25.0, seed=2)
    # The same as the world but for a turn about the vertical, a shift, and the height of the lowest ankles.
    height = motion.keypoints_3d[..., 2]
    np.testing.assert_allclose(room[..., 2], height - np.percentile(height.min(1), 5), atol=2e-3)
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(room[:, 0, :2], axis=0), axis=-1),
        np.linalg.norm(np.diff(motion.keypoints_3d[:, 0, :2], axis=0), axis=-1),
        atol=1e-4,
    )
    # To the right in the image is x, further away is y.
    assert np.corrcoef(room[:, 0, 0], root[:, 0])[0, 1] > 0.999
    assert np.corrcoef(room[:, 0, 1], root[:, 2])[0, 1] > 0.95
    assert not said

    relative = level(lifted)
    assert len(said) == 1 and "person 3: up is the direction from ankles to thorax" in said[0]
    np.testing.assert_array_equal(relative[..., 2].min(1), 0)
    np.testing.assert_array_equal(relative[:, 0, :2], 0)


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 0, -1), (0.6, -0.8, 0), (0, -2.0, 0.1)])
def test_any_way_can_be_up(up):
    lifted, root, _ = filmed(seconds=0.5)
    room = level(replace(lifted, trajectory=root), np.array(up))
    unit = np.array(up) / np.linalg.norm(up)
    absolute = lifted.keypoints_3d + root[:, None]
    np.testing.assert_allclose(np.diff(room[..., 2]), np.diff(absolute @ unit), atol=1e-5)
    # Right-handed, and nothing is stretched.
    edges = [np.linalg.norm(poses[:, 3] - poses[:, 13], axis=-1) for poses in (room, absolute)]
    np.testing.assert_allclose(*edges, rtol=1e-5)
    triples = [np.linalg.det(poses[:, [3, 10, 13]] - poses[:, :1]) for poses in (room, absolute)]
    np.testing.assert_allclose(*triples, atol=1e-5)


def test_frames_that_are_not_known_stay_so():
    lifted, root, up = filmed(seconds=1)
    poses, trajectory = lifted.keypoints_3d.copy(), root.copy()
    poses[5:9] = trajectory[5:9] = np.nan
    gap = replace(lifted, keypoints_3d=poses, trajectory=trajectory)
    assert np.isnan(level(gap, up)).all((1, 2)).nonzero()[0].tolist() == [5, 6, 7, 8]
    assert np.isfinite(find_up(gap)[0]).all()


def test_up_needs_ankles_and_a_thorax():
    lifted, _, _ = filmed(seconds=0.2)
    with pytest.raises(ValueError, match="coco_17 has no thorax; say how the camera was held"):
        find_up(replace(lifted, keypoint_set="coco_17"))


def test_up_is_the_mean_of_people_by_their_frames():
    walker, _, up = filmed("walking", seed=2)
    rest, _, _ = filmed("squatting", seconds=0.1, seed=2)
    found, source = choose_up([walker, rest])
    assert angle(found, find_up(walker)[0]) < 1 and angle(found, up) < 10 and "upright on average" in source
    with pytest.raises(ValueError, match="nobody is there to tell which way is up"):
        choose_up([])


@pytest.mark.parametrize(
    ("tilt", "expected"),
    [
        ((0, 0), (0, -1, 0)),
        ((90 - 1e-9, 0), (0, 0, -1)),  # looks down: up is towards the camera
        ((0, 90), (-1, 0, 0)),  # turned clockwise, as a person who stands behind it sees it: up is on its left
        ((0, -90), (1, 0, 0)),
        ((30, 0), (0, -np.cos(np.pi / 6), -0.5)),
    ],
)
def test_a_camera_as_it_was_held(tilt, expected):
    up, source = choose_up([], tilt)
    np.testing.assert_allclose(up, expected, atol=1e-8)
    assert source.startswith("as given: the camera looks down by")


@pytest.mark.parametrize("tilt", [(90, 0), (0, 181), (float("nan"), 0), (1, 2, 3), "up", 3])
def test_no_camera_is_held_like_that(tilt):
    with pytest.raises(UsageError, match="level is"):
        choose_up([], tilt)
