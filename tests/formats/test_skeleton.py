import numpy as np
import pytest

from mpm_mmpose.formats.skeleton import skeleton_of

from .conftest import forward

BODIES = ("h36m_17", "common_16", "mpi_inf_3dhp_17", "mpi_inf_3dhp_28")


@pytest.mark.parametrize("keypoint_set", BODIES)
def test_every_keypoint_has_one_joint_and_bones_leave_in_tree_order(keypoint_set):
    skeleton = skeleton_of(keypoint_set)
    names = [joint.name for joint in skeleton.joints]
    assert len(set(names)) == len(names) and names[0] == "Hips"
    assert {joint.keypoint for joint in skeleton.joints} == set(range(len(skeleton.keypoints)))
    assert all(joint.parent < index for index, joint in enumerate(skeleton.joints))
    # Lengths that differ tell which bone is where.
    lengths = np.linspace(0.1, 0.9, len(skeleton.keypoints))
    rest = forward(skeleton, lengths, np.tile(np.eye(3), (1, len(names), 1, 1)))[0]
    for keypoint, parent in enumerate(skeleton.keypoints.parents):
        if parent >= 0:
            np.testing.assert_allclose(rest[keypoint] - rest[parent], lengths[keypoint] * skeleton.rest[keypoint])


def test_names_are_those_that_motion_software_knows():
    skeleton = skeleton_of("h36m_17")
    parents = {joint.name: skeleton.joints[joint.parent].name for joint in skeleton.joints[1:]}
    chain = ["LeftHand", "LeftForeArm", "LeftArm", "LeftShoulder", "Spine1", "Spine", "LowerBack", "Hips"]
    assert [parents[name] for name in chain[:-1]] == chain[1:]
    chain = ["RightFoot", "RightLeg", "RightUpLeg", "RHipJoint", "Hips"]
    assert [parents[name] for name in chain[:-1]] == chain[1:]
    assert (parents["HeadTop_End"], parents["Head"], parents["Neck"]) == ("Head", "Neck", "Spine1")


@pytest.mark.parametrize("keypoint_set", ["coco_17", "halpe_26", "body_25"])
def test_sets_without_a_skeleton_are_refused(keypoint_set):
    with pytest.raises(ValueError, match=f"keypoint set {keypoint_set} has no skeleton .* h36m_17, common_16"):
        skeleton_of(keypoint_set)
