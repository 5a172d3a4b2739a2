import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpm_mmpose.converters.virtual_camera import LIKE_HUMAN36M, CameraRanges, look_at, project_views, turn, widest_pitch
from mpm_mmpose.pose.geometry import camera_to_world, project
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers.motion import Motion


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
    sequences = list(project_views(motion, cameras=5, seed=1))
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
    for s in project_views(walk(), seed=3):
        assert (s.keypoints[:, 16, 1] < s.keypoints[:, 0, 1]).all()  # up is a smaller y
        position = -s.rotation.T @ s.translation
        seen_from_ahead = position[0] > 1.5  # the camera looks into the face: left is on the right of the image
        left, right = (s.keypoints_3d[:, list(side), 0].mean() for side in (H36M_17.left, H36M_17.right))
        assert (left > right) == seen_from_ahead


def test_distances_and_lenses_are_human36m_like():
    sequences = [s for seed in range(20) for s in project_views(walk(0.0), seed=seed)]
    distances = [np.linalg.norm(s.keypoints_3d[0, 0]) for s in sequences]
    assert 3.9 < min(distances) < 4.3 and 5.2 < max(distances) < 5.7
    lenses = np.array([s.intrinsics for s in sequences])
    np.testing.assert_allclose(lenses.mean(0)[:4], [1147.3, 1146.2, 514, 506.7], atol=2)
    assert (lenses.std(0) > 0).all()
    yaws = np.array([np.arctan2(*(-s.rotation.T @ s.translation)[1::-1]) for s in sequences])
    assert abs(np.exp(1j * yaws).mean()) < 0.1  # all around


def test_places_follow_seed_and_name():
    def first(motion, seed):
        return next(project_views(motion, seed=seed)).keypoints

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
        next(project_views(walk(), cameras=0))


def test_cameras_like_human36m_stay_what_they_were():
    """What `project_views` gave before ranges could be chosen: stores that were made then come out the same."""
    first, second = project_views(walk(), cameras=2, seed=3, ranges=LIKE_HUMAN36M)
    np.testing.assert_allclose(first.keypoints[0, [0, 10]], [[156.84291, 745.16431], [140.82706, 491.97812]], atol=1e-3)
    np.testing.assert_allclose(
        second.keypoints[0, [0, 10]], [[766.65186, 623.33972], [772.43549, 451.15967]], atol=1e-3
    )
    np.testing.assert_allclose(first.translation, [-1.309882, 0.957618, 4.103773], atol=1e-5)
    np.testing.assert_allclose(second.translation, [1.356443, 0.753218, 6.168469], atol=1e-5)
    np.testing.assert_allclose(first.intrinsics[:2], [1148.47766, 1144.2688], atol=1e-3)


def angles_of(sequence, middle):
    """Roll and pitch, degrees: how the world's up lies in the image, and how far above the middle the camera looks."""
    position = -sequence.rotation.T @ sequence.translation
    across, down, _ = sequence.rotation @ (0, 0, 1)
    to_middle = (middle - position) / np.linalg.norm(middle - position)
    elevation = np.arcsin(sequence.rotation[2, 2]) - np.arcsin(to_middle[2])
    return np.rad2deg(np.arctan2(-across, -down)), np.rad2deg(elevation)


def test_angles_distances_and_lenses_are_drawn_from_their_ranges():
    ranges = CameraRanges(roll=(-20, 10), pitch=(-4, 8), distance=(6, 9), focal=(0.8, 1.2))
    motion = walk(0.0)
    middle = (motion.keypoints_3d.min((0, 1)) + motion.keypoints_3d.max((0, 1))) / 2
    plain = [s for seed in range(25) for s in project_views(motion, seed=seed)]
    views = [s for seed in range(25) for s in project_views(motion, seed=seed, ranges=ranges)]
    roll, pitch = np.array([angles_of(s, middle) for s in views]).T
    positions = np.array([-s.rotation.T @ s.translation for s in views])
    before = np.array([-s.rotation.T @ s.translation for s in plain])
    distance = np.linalg.norm((positions - middle)[:, :2], axis=1)
    focal = np.array([s.intrinsics[0] / p.intrinsics[0] for s, p in zip(views, plain, strict=True)])
    for drawn, (low, high) in zip(
        (roll, pitch, distance, focal), ((-20, 10), (-4, 8), (6, 9), (0.8, 1.2)), strict=True
    ):
        tenth = (high - low) / 10
        assert low - 1e-3 <= drawn.min() < low + tenth and high - tenth < drawn.max() <= high + 1e-3
    # no two of them go together
    assert np.abs(np.corrcoef((roll, pitch, distance, focal)) - np.eye(4)).max() < 0.35
    # yaw, height, principal point and distortion are as without ranges
    np.testing.assert_allclose(
        np.arctan2(*(positions - middle)[:, :2].T), np.arctan2(*(before - middle)[:, :2].T), atol=1e-5
    )
    np.testing.assert_allclose(positions[:, 2], before[:, 2], atol=1e-5)
    np.testing.assert_array_equal([s.intrinsics[2:] for s in views], [p.intrinsics[2:] for p in plain])
    again = list(project_views(motion, seed=24, ranges=ranges))
    np.testing.assert_array_equal(again[3].keypoints, views[-1].keypoints)


def pair(low, high):
    return st.lists(st.floats(low, high), min_size=2, max_size=2).map(lambda two: tuple(sorted(two)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), metres=st.floats(0, 30), seed=st.integers(0, 10), lying=st.booleans())
def test_the_whole_clip_is_in_view_from_any_range(data, metres, seed, lying):
    focal = data.draw(pair(0.5, 4))
    widest = widest_pitch(focal[1])
    ranges = CameraRanges(data.draw(pair(-180, 180)), data.draw(pair(-widest, widest)), data.draw(pair(1, 20)), focal)
    motion = walk(metres)
    if lying:
        motion.keypoints_3d[..., 2] *= 0.1
    for s in project_views(motion, cameras=3, seed=seed, ranges=ranges):
        free = 0.04 * s.width - 1e-2
        assert s.keypoints.min() >= free and (s.keypoints <= np.array([s.width, s.height]) - free).all()
        assert s.keypoints_3d[..., 2].min() > 0.5
        # nothing is at the edge of the image only because `project` clamps it
        assert np.abs(s.keypoints_3d[..., :2] / s.keypoints_3d[..., 2:]).max() < 1
        np.testing.assert_allclose(s.rotation @ s.rotation.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(s.rotation) == pytest.approx(1, abs=1e-5)


def test_turning_the_camera():
    ahead, overhead = np.array([0.0, 0, 1]), np.array([0.0, -1, 0])  # camera space: x right, y down, z ahead
    up = turn(0, np.deg2rad(10)) @ ahead
    np.testing.assert_allclose(
        up, [0, np.sin(np.deg2rad(10)), np.cos(np.deg2rad(10))], atol=1e-12
    )  # lower in the image
    np.testing.assert_allclose(turn(np.pi / 2, 0) @ overhead, [-1, 0, 0], atol=1e-12)  # what was above is on the left
    np.testing.assert_allclose(turn(np.pi / 2, 0) @ ahead, ahead, atol=1e-12)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (dict(roll=(5, -5)), "roll is 5 to -5; give two numbers, the lower one first"),
        (dict(pitch=(0, float("nan"))), "pitch is 0 to nan; give two numbers"),
        (dict(roll=(-200, 0)), "roll is -200 to 0; give degrees, -180 to 180"),
        (dict(distance=(0.5, 3)), "distance is 0.5 to 3; give metres, 1 or more"),
        (dict(focal=(0.4, 1)), "focal is 0.4 to 1; give factors of 0.5 or more"),
        (
            dict(pitch=(-20, 0)),
            r"pitch is -20 to 0; with a focal length of up to 1 times .* degrees, -15\.\d to 15\.\d,",
        ),
        (
            dict(pitch=(0, 10), focal=(1, 2)),
            r"pitch is 0 to 10; with a focal length of up to 2 times .* -8\.\d to 8\.\d,",
        ),
    ],
)
def test_ranges_from_which_the_clip_would_not_be_seen(ranges, message):
    with pytest.raises(ValueError, match=message):
        CameraRanges(**ranges)


@pytest.mark.parametrize("degrees", [-40.0, 0.0, 63.0])
def test_elevation_is_the_angle_above_the_horizontal(degrees):
    motion = walk(0.0)
    sequences = list(
        project_views(motion, 4, 0, CameraRanges(elevation=(degrees, degrees), roll=(-45, 45), distance=(2, 8)))
    )
    points = motion.keypoints_3d.reshape(-1, 3)
    middle = (points.min(0) + points.max(0)) / 2
    for s in sequences:
        position = -s.rotation.T @ s.translation
        up = position - middle
        assert np.rad2deg(np.arcsin(up[2] / np.linalg.norm(up))) == pytest.approx(degrees, abs=0.1)
        assert (s.keypoints > 0).all() and (s.keypoints < (s.width, s.height)).all()
    directions = [(-s.rotation.T @ s.translation - middle)[:2] for s in sequences]
    assert (np.linalg.norm(directions, axis=-1) > 0.5).all()  # from four sides
    assert np.linalg.norm(np.sum([d / np.linalg.norm(d) for d in directions], 0)) < 0.7


def test_too_steep_cameras_are_refused():
    with pytest.raises(ValueError, match="elevation is 0 to 90; give degrees, -85 to 85"):
        CameraRanges(elevation=(0, 90))
