import logging
from dataclasses import replace

import numpy as np
import pytest
from cameras import project_linear

from mpm_mmpose.converters.virtual_camera import film
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.lifting.trajectory import Camera, add_trajectory, assumptions, choose_camera, find_up, level
from mpm_mmpose.pose.keypoints import H36M_17
from studies.quickstart.synthetic_motion import generate_motion


def filmed(kind="walking", seconds=8.0, fps=25.0, seed=1):
    """A person lifted without error, the root's true place (N, 3) m, and the true up (3,), both in camera space."""
    motion = generate_motion(kind, seconds, fps, seed=seed)
    (sequence,) = film(motion, cameras=1)
    intrinsics = sequence.intrinsics.copy()
    intrinsics[4:] = 0
    poses = sequence.keypoints_3d
    track = Track2D(
        "3",
        np.arange(len(sequence)) / fps,
        project_linear(poses, intrinsics),
        np.ones(poses.shape[:2]),
        "h36m_17",
        sequence.width,
        sequence.height,
        fps,
        intrinsics,
    )
    root = poses[:, H36M_17.root]
    lifted = Track3D(track, poses - root[:, None], "h36m_17", np.zeros(poses.shape[:2], bool))
    return lifted, root, sequence.rotation @ [0, 0, 1.0]


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(logging.getLogger("mpm_mmpose"), "info", texts.append)
    return texts


def angle(a, b):
    return np.rad2deg(np.arccos(np.clip(a @ b, -1, 1)))


def test_the_camera_is_the_best_that_is_known():
    lifted, _, _ = filmed(seconds=0.2)
    track = replace(lifted.track, width=1600, height=1200)
    assert choose_camera(track).source == "the track's own intrinsics"
    np.testing.assert_array_equal(choose_camera(track).intrinsics, track.intrinsics)
    np.testing.assert_array_equal(choose_camera(track, focal=900).intrinsics, [900, 900, 800, 600, 0, 0, 0, 0, 0])
    unknown = replace(track, intrinsics=None)
    assert choose_camera(unknown).intrinsics[0] == 2000 and "a guess" in choose_camera(unknown).source
    camera = choose_camera(unknown, focal_35mm=26)
    assert camera.intrinsics[0] == pytest.approx(26 / np.hypot(36, 24) * 2000, rel=1e-3)
    assert camera.source == "26 mm in 35 mm equivalent"
    with pytest.raises(ValueError, match="focal is -1; give a focal length above 0"):
        choose_camera(track, focal=-1)


def test_a_true_pose_and_camera_give_the_true_place(said):
    lifted, root, _ = filmed()
    placed = add_trajectory(lifted)
    assert np.linalg.norm(placed.trajectory - root, axis=-1).max() < 2e-3
    assert placed.keypoints_3d is lifted.keypoints_3d and placed.trajectory.dtype == np.float32
    assert len(said) == 1 and said[0].startswith("person 3: the trajectory assumes a camera that stands still")
    assert "the track's own intrinsics" in said[0]


def test_hidden_keypoints_have_no_say():
    lifted, root, _ = filmed(seconds=2)
    keypoints, hidden = lifted.track.keypoints.copy(), lifted.hidden.copy()
    hidden[10:20, 5:9] = hidden[15:30, 2] = True
    keypoints[hidden] += 200
    hidden[33] = True  # nothing is seen: between its neighbours
    poses = lifted.keypoints_3d.copy()
    poses[40:] = np.nan
    track = replace(lifted.track, keypoints=keypoints.clip(0, lifted.track.height))
    placed = add_trajectory(replace(lifted, track=track, hidden=hidden, keypoints_3d=poses))
    rows = np.r_[0:33, 34:40]
    assert np.linalg.norm(placed.trajectory - root, axis=-1)[rows].max() < 2e-3
    np.testing.assert_allclose(placed.trajectory[33], placed.trajectory[[32, 34]].mean(0), atol=1e-5)
    assert np.isnan(placed.trajectory[40:]).all()
    with pytest.raises(ValueError, match="person 3: no frame has 6 keypoints"):
        add_trajectory(replace(lifted, hidden=np.ones_like(hidden)))


def test_distance_goes_with_the_focal_length_and_it_is_said():
    lifted, root, _ = filmed(seconds=1)
    track = lifted.track
    longer = Camera(track.intrinsics * [1.1, 1.1, 1, 1, 1, 1, 1, 1, 1], "given")
    depth = add_trajectory(lifted, longer).trajectory[:, 2]
    np.testing.assert_allclose(depth / root[:, 2], 1.1, rtol=0.02)
    text = assumptions(Camera(np.array([900, 900, 640, 360, 0.1, 0, 0, 0, 0], np.float32), "given"))
    assert "focal length 900 px (given)" in text and "(640, 360) px" in text and "its distortion is left out" in text


def test_steps_over_a_floor_tell_which_way_is_up():
    lifted, root, up = filmed("walking", seconds=20, seed=2)
    found, source = find_up(replace(lifted, trajectory=root))
    assert source == "the plane through ankles that stand still" and angle(found, up) < 1.5
    # Not the box that somebody stands on for a while.
    on_a_box = root + 0.4 * up.astype(np.float32) * ((np.arange(len(root)) % 100) > 85)[:, None]
    found, source = find_up(replace(lifted, trajectory=on_a_box))
    assert source == "the plane through ankles that stand still" and angle(found, up) < 0.3
    # A floor is told from a line: who stays in one place is upright instead.
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
    with pytest.raises(ValueError, match="coco_17 has no thorax; give `up` yourself"):
        find_up(replace(lifted, keypoint_set="coco_17"))
