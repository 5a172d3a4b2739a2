import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from mpm_mmpose.pose.rotations import (
    angle_about,
    axis_rotation,
    euler_zxy,
    interpolate_directions,
    perpendicular,
    quaternions,
    rotation_vectors,
    shortest_turn,
    turn_about,
    unit,
)

X, Y, Z = np.eye(3)
vectors = arrays(np.float64, 3, elements=st.floats(-1, 1, allow_subnormal=False)).filter(
    lambda vector: np.linalg.norm(vector) > 1e-3
)
few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("axis", "xyzZ")
def test_rotation_about_a_coordinate_axis(axis):
    angles = np.linspace(-7, 7, 12).reshape(3, 4)
    expected = [Rotation.from_euler(axis.lower(), angle).as_matrix() for angle in angles.ravel()]
    np.testing.assert_allclose(axis_rotation(axis, angles).reshape(-1, 3, 3), expected, atol=1e-12)


def assert_rotation(matrix):
    np.testing.assert_allclose(matrix @ matrix.swapaxes(-1, -2), np.broadcast_to(np.eye(3), matrix.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(matrix), 1, atol=1e-9)


@few
@given(vectors, vectors)
def test_shortest_turn_takes_one_to_the_other_by_the_angle_between(start, end):
    start, end = unit(start), unit(end)
    turn = shortest_turn(start, end)
    assert_rotation(turn)
    np.testing.assert_allclose(turn @ start, end, atol=1e-9)
    angle = np.arctan2(np.linalg.norm(np.cross(start, end)), start @ end)
    np.testing.assert_allclose(np.trace(turn), 1 + 2 * np.cos(angle), atol=1e-9)


@pytest.mark.parametrize("off", [0, 1e-12, 1e-6, 1e-4, 2e-4])
def test_shortest_turn_of_opposite_directions(off):
    start, end = X, unit(np.array([-1, off, 0]))
    turn = shortest_turn(start, end)
    assert_rotation(turn)
    np.testing.assert_allclose(turn @ start, end, atol=1e-9)


def test_turn_about_follows_the_right_hand():
    np.testing.assert_allclose(turn_about(Z, np.pi / 2) @ X, Y, atol=1e-12)
    assert angle_about(Z, X, Y) == pytest.approx(np.pi / 2)
    assert angle_about(Z, X, -Y + 5 * Z) == pytest.approx(-np.pi / 2)


@few
@given(vectors)
def test_perpendicular(vector):
    aside = perpendicular(vector)
    assert abs(aside @ unit(vector)) < 1e-9 and np.linalg.norm(aside) == pytest.approx(1)


def test_unit_of_nothing_is_nothing():
    np.testing.assert_array_equal(unit(np.array([[0, 0, 0], [0, 3, 4]])), [[0, 0, 0], [0, 0.6, 0.8]])


def test_directions_are_put_on_the_great_circle():
    known = np.array([False, True, False, False, True, False])
    directions = np.where(known[:, None], [X, X, X, X, Y, Y], np.nan)
    third = [np.cos(np.pi / 6), np.sin(np.pi / 6), 0]
    filled = interpolate_directions(directions, known)
    np.testing.assert_allclose(filled, [X, X, third, [third[1], third[0], 0], Y, Y], atol=1e-12)
    opposite = interpolate_directions(np.array([X, X, -X]), np.array([True, False, True]))
    assert abs(opposite[1] @ X) < 1e-9 and np.linalg.norm(opposite[1]) == pytest.approx(1)
    with pytest.raises(ValueError, match="no direction is known"):
        interpolate_directions(directions, np.zeros(6, bool))


def matrices(angles):
    """Rz Rx Ry of angles (..., 3) rad in that order."""
    z, x, y = np.moveaxis(angles, -1, 0)
    turns = [turn_about(np.broadcast_to(axis, (*z.shape, 3)), angle) for axis, angle in ((Z, z), (X, x), (Y, y))]
    return turns[0] @ turns[1] @ turns[2]


@few
@given(arrays(np.float64, (6, 2, 3), elements=st.floats(-7, 7)))
def test_euler_angles_are_of_the_rotation(angles):
    np.testing.assert_allclose(matrices(euler_zxy(matrices(angles))), matrices(angles), atol=1e-9)


def test_euler_angles_go_on_beyond_a_turn_and_through_gimbal_lock():
    steps = np.deg2rad(np.arange(0, 800, 7.5))
    for axis in range(3):
        angles = np.zeros((len(steps), 1, 3))
        angles[:, 0, axis] = steps
        np.testing.assert_allclose(euler_zxy(matrices(angles)), angles, atol=1e-7)
    # Near the lock, where z and y swing round: through it with both as they were before.
    angles[...] = np.deg2rad((20, 0, -35))
    angles[:, 0, 1] = steps
    np.testing.assert_allclose(euler_zxy(matrices(angles)), angles, atol=1e-7)


def rotations(seed, *shape):
    axes = unit(np.random.default_rng(seed).normal(size=(*shape, 3)))
    return turn_about(axes, np.random.default_rng(seed + 1).uniform(-np.pi, np.pi, shape))


def test_quaternions_and_vectors_are_those_of_scipy():
    turns = rotations(0, 50, 4)
    known = Rotation.from_matrix(turns.reshape(-1, 3, 3))
    found = quaternions(turns).reshape(-1, 4)
    np.testing.assert_allclose(np.abs((found * known.as_quat()).sum(-1)), 1, atol=1e-12)
    np.testing.assert_allclose(rotation_vectors(turns).reshape(-1, 3), known.as_rotvec(), atol=1e-9)


def test_quaternions_go_the_shorter_way_from_frame_to_frame():
    angles = np.linspace(0, 6 * np.pi, 200)
    found = quaternions(turn_about(np.tile(Y, (200, 1)), angles))
    assert (found[1:] * found[:-1]).sum(-1).min() > 0.99


@pytest.mark.parametrize("axis", [X, Y, Z, unit(X + Y), unit(X - Y + Z)])
def test_half_turns_and_none(axis):
    half = turn_about(axis, np.array(np.pi))[None]
    np.testing.assert_allclose(np.abs(quaternions(half)[0]), [*np.abs(axis), 0], atol=1e-9)
    assert np.linalg.norm(rotation_vectors(half)) == pytest.approx(np.pi)
    np.testing.assert_array_equal(rotation_vectors(np.eye(3)[None]), [[0, 0, 0]])
