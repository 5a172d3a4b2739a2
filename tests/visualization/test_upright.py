import numpy as np

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.visualization import upright


def test_bones_carry_the_side_of_their_child():
    sides = {(parent, child): side for parent, child, side in upright.bones(H36M_17)}
    knee, hip = H36M_17.index("left_knee"), H36M_17.index("left_hip")
    assert len(sides) == 16
    assert sides[hip, knee] == "left"
    assert sides[H36M_17.index("right_elbow"), H36M_17.index("right_wrist")] == "right"
    assert sides[H36M_17.index("spine"), H36M_17.index("thorax")] == "middle"


def test_camera_space_turns_upright():
    right, down, forward = np.eye(3)
    np.testing.assert_array_equal(
        upright.camera_to_upright(np.array([right, -down, forward])), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    )


def test_flatten_from_straight_in_front_is_x_and_z():
    points = np.random.default_rng(0).normal(size=(4, 5, 3))
    np.testing.assert_allclose(upright.flatten(points, 0, 0), points[..., [0, 2]], atol=1e-12)


def test_flatten_from_the_side_shows_depth():
    # The viewer who went a quarter turn to the right of straight ahead has what was away from them to the right.
    np.testing.assert_allclose(upright.flatten(np.array([0.0, 1.0, 0.0]), 90, 0), [1, 0], atol=1e-12)
