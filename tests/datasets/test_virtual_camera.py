import numpy as np
import pytest

from mpm_mmpose.datasets.readers.motion import Motion
from mpm_mmpose.datasets.virtual_camera import film, look_at
from mpm_mmpose.geometry import camera_to_world, project
from mpm_mmpose.keypoints import H36M_17


def walk(metres=3.0, frames=20):
    """A stick of a person that glides along x, facing x: left is y."""
    poses = np.zeros((frames, 17, 3))
    poses[..., 2] = np.linspace(0.1, 1.6, 17)
    poses[:, H36M_17.left, 1] = 0.2
    poses[:, H36M_17.right, 1] = -0.2
    poses[..., 0] += np.linspace(0, metres, frames)[:, None]
    return Motion("walk", poses, 30, "someone", "walking", "walk.bvh")


@pytest.mark.parametrize("metres", [0.0, 3.0, 30.0])
def test_the_whole_clip_is_in_view(metres):
    motion = walk(metres)
    sequences = list(film(motion, cameras=5, seed=1))
    assert [s.name for s in sequences] == [f"walk.cam{i}" for i in range(5)]
    assert [(s.width, s.height) for s in sequences[:4]] == [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]
    for s in sequences:
        assert (s.keypoints > 0).all() and (s.keypoints < (s.width, s.height)).all()
        assert s.keypoints_3d[..., 2].min() > 0.5
        np.testing.assert_allclose(s.keypoints, project(s.keypoints_3d.astype(float), s.intrinsics), atol=1e-2)
        np.testing.assert_allclose(
            camera_to_world(s.keypoints_3d, s.rotation, s.translation), motion.keypoints_3d, atol=1e-4
        )
        np.testing.assert_allclose(s.rotation @ s.rotation.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(s.rotation) == pytest.approx(1, abs=1e-5)
        assert 1.4 <= (-s.rotation.T @ s.translation)[2] <= 1.65
        assert (s.subject, s.action, s.source, s.fps) == ("someone", "walking", "walk.bvh", 30)


def test_people_stand_upright_in_the_image_and_left_is_left():
    for s in film(walk(), seed=3):
        assert (s.keypoints[:, 16, 1] < s.keypoints[:, 0, 1]).all()  # up is a smaller y
        position = -s.rotation.T @ s.translation
        seen_from_ahead = position[0] > 1.5  # the camera looks into the face: left is on the right of the image
        left, right = (s.keypoints_3d[:, list(side), 0].mean() for side in (H36M_17.left, H36M_17.right))
        assert (left > right) == seen_from_ahead


def test_distances_and_lenses_are_human36m_like():
    sequences = [s for seed in range(20) for s in film(walk(0.0), seed=seed)]
    distances = [np.linalg.norm(s.keypoints_3d[0, 0]) for s in sequences]
    assert 3.9 < min(distances) < 4.3 and 5.2 < max(distances) < 5.7
    lenses = np.array([s.intrinsics for s in sequences])
    np.testing.assert_allclose(lenses.mean(0)[:4], [1147.3, 1146.2, 514, 506.7], atol=2)
    assert (lenses.std(0) > 0).all()
    yaws = np.array([np.arctan2(*(-s.rotation.T @ s.translation)[1::-1]) for s in sequences])
    assert abs(np.exp(1j * yaws).mean()) < 0.1  # all around


def test_places_follow_seed_and_name():
    def first(motion, seed):
        return next(film(motion, seed=seed)).keypoints

    np.testing.assert_array_equal(first(walk(), 0), first(walk(), 0))
    assert not np.array_equal(first(walk(), 0), first(walk(), 1))
    other = walk()
    other.name = "other"
    assert not np.array_equal(first(walk(), 0), first(other, 0))


def test_look_at():
    rotation, translation = look_at(np.array([5.0, 0, 1]), np.array([0.0, 0, 1]))
    np.testing.assert_allclose(rotation @ [0, 0, 1] + translation, [0, 0, 5], atol=1e-12)
    np.testing.assert_allclose(rotation @ [0, 1, 1] + translation, [1, 0, 5], atol=1e-12)  # y is on the right
    np.testing.assert_allclose(rotation @ [0, 0, 2] + translation, [0, -1, 5], atol=1e-12)  # up is -y


def test_no_cameras():
    with pytest.raises(ValueError, match="cameras is 0"):
        next(film(walk(), cameras=0))
