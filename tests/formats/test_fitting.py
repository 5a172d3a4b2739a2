import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpm_mmpose.formats.fitting import FASTEST_TWIST, fit
from mpm_mmpose.formats.placing import y_up
from mpm_mmpose.formats.skeleton import skeleton_of
from mpm_mmpose.pose.keypoints import H36M_17

from .conftest import forward, moving, standing

BODIES = ("h36m_17", "common_16", "mpi_inf_3dhp_17", "mpi_inf_3dhp_28")
coordinates = st.floats(-1, 1, allow_subnormal=False).map(lambda value: round(value, 3))
any_poses = arrays(np.float64, (4, 17, 3), elements=coordinates)
few = settings(max_examples=25, deadline=None)


def angle_between(first, second):
    """Degrees between rotations (..., 3, 3)."""
    # From the sine of half the angle, which small angles do not drown in.
    half = np.linalg.norm(first - second, axis=(-2, -1)) / np.sqrt(8)
    return np.rad2deg(2 * np.arcsin(np.clip(half, 0, 1)))


def named(fitted, rotations, name):
    return rotations[:, [joint.name for joint in fitted.skeleton.joints].index(name)]


def bend(pose, keypoint, to):
    """A standing pose (camera axes) with the limb's end from ``keypoint`` towards ``to``."""
    above, here = H36M_17.index(keypoint), H36M_17.names.index(keypoint) + 1
    bent = pose.copy()
    bent[here] = bent[above] + np.linalg.norm(pose[here] - pose[above]) * np.array(to, float)
    return bent


def test_standing_turns_no_joint_but_the_arms():
    fitted = fit(skeleton_of("h36m_17"), y_up(np.array([standing()] * 2)), 30)
    still = [joint.name for joint in fitted.skeleton.joints if "Arm" not in joint.name and "Should" not in joint.name]
    for name in still:
        np.testing.assert_allclose(named(fitted, fitted.local_rotations, name)[0], np.eye(3), atol=1e-9, err_msg=name)
    # Hanging: the left arm's x, to the left at rest, points down; the right arm's -x.
    np.testing.assert_allclose(named(fitted, fitted.rotations, "LeftArm")[0] @ [1, 0, 0], [0, -1, 0], atol=1e-9)
    np.testing.assert_allclose(named(fitted, fitted.rotations, "RightArm")[0] @ [-1, 0, 0], [0, -1, 0], atol=1e-9)


def test_bones_are_as_long_as_the_median_of_both_sides():
    poses = np.array([standing()] * 5)
    knee, ankle = H36M_17.index("left_knee"), H36M_17.index("left_ankle")
    poses[3, ankle, 1] += 0.5  # one wild frame
    poses[:, [knee, ankle], 1] += 0.04  # a longer thigh on the left
    poses[0, knee] = np.nan
    fitted = fit(skeleton_of("h36m_17"), y_up(poses), 30)
    lengths = dict(zip(H36M_17.names, fitted.lengths, strict=True))
    assert lengths["left_knee"] == lengths["right_knee"] == pytest.approx(0.44)
    assert lengths["left_ankle"] == lengths["right_ankle"] == pytest.approx(0.44)
    assert fitted.filled.tolist() == [True, False, False, False, False]


@few
@given(any_poses)
def test_joint_rotations_give_the_directions_of_any_pose(poses):
    fitted = fit(skeleton_of("h36m_17"), poses, 30)
    np.testing.assert_allclose(
        forward(fitted.skeleton, fitted.lengths, fitted.local_rotations), fitted.positions, atol=1e-7
    )
    for child, parent in enumerate(H36M_17.parents):
        bone = poses[:, child] - poses[:, parent]
        length = np.linalg.norm(bone, axis=-1, keepdims=True)
        if parent >= 0:
            there = length[:, 0] > 1e-3
            np.testing.assert_allclose(fitted.directions[there, child], bone[there] / length[there], atol=1e-9)


@pytest.mark.parametrize("keypoint_set", BODIES)
def test_joint_rotations_of_other_keypoint_sets(keypoint_set):
    rng = np.random.default_rng(0)
    skeleton = skeleton_of(keypoint_set)
    fitted = fit(skeleton, rng.normal(size=(5, len(skeleton.keypoints), 3)), 30)
    np.testing.assert_allclose(forward(skeleton, fitted.lengths, fitted.local_rotations), fitted.positions, atol=1e-9)


@few
@given(any_poses)
def test_no_bone_turns_about_itself_faster_than_it_may(poses):
    fps = 30
    fitted = fit(skeleton_of("h36m_17"), poses, fps)
    local = fitted.local_rotations
    for index, joint in enumerate(fitted.skeleton.joints):
        if joint.aim < 0 and not joint.hub:
            continue
        rest = np.array([1.0, 0, 0]) if joint.hub else fitted.skeleton.rest[joint.aim]
        direction = local[:, index] @ rest
        cosine = np.clip((direction[1:] * direction[:-1]).sum(-1), -1, 1)
        moved = np.rad2deg(np.arccos(cosine))
        turned = angle_between(local[1:, index], local[:-1, index])
        assert (turned <= moved + FASTEST_TWIST / fps + 1e-3).all(), joint.name


def test_knees_and_elbows_bend_like_hinges():
    """A thigh forward with the shin down, and an arm that hangs with the forearm ahead: about x, and about y."""
    pose = bend(bend(standing(), "left_hip", (0, 0, -1)), "left_knee", (0, 1, 0))
    pose[H36M_17.index("left_ankle")] = pose[H36M_17.index("left_knee")] + (0, 0.44, 0)
    pose = bend(pose, "left_elbow", (0, 0, -1))
    fitted = fit(skeleton_of("h36m_17"), y_up(np.array([pose] * 2)), 30)
    knee, elbow = (named(fitted, fitted.local_rotations, name)[0] for name in ("LeftLeg", "LeftForeArm"))
    np.testing.assert_allclose(knee, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-9)  # +90 degrees about x
    np.testing.assert_allclose(elbow, [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-9)  # -90 degrees about y


def test_the_upper_arm_turns_with_the_forearm():
    """The forearm goes round while the upper arm hangs still: it bends about the same axis all the time."""
    angles = np.deg2rad(np.linspace(-60, 90, 60))
    poses = np.array([bend(standing(), "left_elbow", (np.sin(angle), 0, -np.cos(angle))) for angle in angles])
    fitted = fit(skeleton_of("h36m_17"), y_up(poses), 30)
    elbow = named(fitted, fitted.local_rotations, "LeftForeArm")
    np.testing.assert_allclose(elbow, np.broadcast_to([[0, 0, -1], [0, 1, 0], [1, 0, 0]], elbow.shape), atol=1e-6)


def test_a_limb_that_is_straight_and_shakes_does_not_flip():
    rng = np.random.default_rng(0)
    poses = np.array([standing()] * 50) + rng.normal(0, 0.005, (50, 17, 3))
    fitted = fit(skeleton_of("h36m_17"), y_up(poses), 30)
    for name in ("LeftUpLeg", "LeftArm", "RightUpLeg", "RightArm"):
        local = named(fitted, fitted.local_rotations, name)
        assert angle_between(local[1:], local[:-1]).max() < 12, name


def test_a_body_that_turns_wrings_no_limb():
    angles = np.linspace(0, 4 * np.pi, 100)
    turn = np.array([[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]] for a in angles])
    fitted = fit(skeleton_of("h36m_17"), np.einsum("nij,kj->nki", turn, y_up(standing())), 30)
    np.testing.assert_allclose(named(fitted, fitted.rotations, "Hips"), turn, atol=1e-9)
    local = fitted.local_rotations[:, 1:]
    np.testing.assert_allclose(local, np.broadcast_to(local[0], local.shape), atol=1e-9)


def test_what_is_missing_is_put_between_and_what_is_never_there_refused():
    poses = y_up(moving(9))
    there = fit(skeleton_of("h36m_17"), poses, 30)
    poses[3:5, H36M_17.index("left_wrist")] = np.nan
    poses[8] = np.nan
    fitted = fit(skeleton_of("h36m_17"), poses, 30)
    assert np.isfinite(fitted.local_rotations).all()
    assert fitted.filled.tolist() == [False] * 3 + [True] * 2 + [False] * 3 + [True]
    np.testing.assert_allclose(fitted.directions[8], fitted.directions[7])
    np.testing.assert_allclose(fitted.directions[3:5], there.directions[3:5], atol=0.02)
    poses[:, H36M_17.index("left_wrist")] = np.nan
    with pytest.raises(ValueError, match="left_wrist is not there in any frame"):
        fit(skeleton_of("h36m_17"), poses, 30)


def test_a_bone_without_any_length():
    poses = np.array([y_up(standing())] * 3)
    poses[:, H36M_17.index("nose")] = poses[:, H36M_17.index("thorax")]
    fitted = fit(skeleton_of("h36m_17"), poses, 30)
    np.testing.assert_allclose(fitted.positions[:, H36M_17.index("head_top")], poses[:, H36M_17.index("head_top")])
