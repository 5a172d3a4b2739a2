import re
from dataclasses import replace

import bvhio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpm_mmpose.formats import LiftedPerson, Scene, write_scene
from mpm_mmpose.formats.fitting import fit
from mpm_mmpose.formats.placing import y_up
from mpm_mmpose.formats.skeleton import skeleton_of
from mpm_mmpose.pose.keypoints import H36M_17, get_keypoint_set
from mpm_mmpose.readers.bvh import read_bvh

from .conftest import moving, scene_of_poses, standing

JOINTS = dict(
    pelvis="Hips",
    right_hip="RightUpLeg",
    right_knee="RightLeg",
    right_ankle="RightFoot",
    left_hip="LeftUpLeg",
    left_knee="LeftLeg",
    left_ankle="LeftFoot",
    spine="Spine",
    thorax="Spine1",
    nose="Head",
    head="Head",
    head_top="HeadTop_End",
    left_shoulder="LeftArm",
    left_elbow="LeftForeArm",
    left_wrist="LeftHand",
    right_shoulder="RightArm",
    right_elbow="RightForeArm",
    right_wrist="RightHand",
)


def read(path, frames, keypoint_set="h36m_17"):
    """Keypoints (len(frames), K, 3) cm where bvhio puts their joints."""
    root = bvhio.readAsHierarchy(str(path))
    poses = []
    for frame in frames:
        root.loadPose(int(frame))
        places = {joint.Name: tuple(joint.PositionWorld) for joint, _, _ in root.layout()}
        poses.append([places[JOINTS[name]] for name in get_keypoint_set(keypoint_set).names])
    return np.array(poses)


def fixed(poses, keypoint_set="h36m_17"):
    """The pose of fixed bone lengths (N, K, 3) m, y up, by the definition: each bone's own direction, the median of the
    lengths of it and its mirror image."""
    keypoints, poses = get_keypoint_set(keypoint_set), y_up(poses)
    order = [keypoints.root]
    for parent in order:
        order += [child for child, above in enumerate(keypoints.parents) if above == parent]
    placed = np.zeros_like(poses)
    for child in order[1:]:
        parent, mirrored = keypoints.parents[child], keypoints.flip_indices[child]
        bones = [poses[:, one] - poses[:, keypoints.parents[one]] for one in (child, mirrored)]
        length = np.mean([np.median(np.linalg.norm(bone, axis=-1)) for bone in bones])
        placed[:, child] = placed[:, parent] + length * bones[0] / np.linalg.norm(bones[0], axis=-1, keepdims=True)
    return placed


def worst(path, poses, frames, keypoint_set="h36m_17"):
    """mm from the pose of fixed bone lengths, relative to the pelvis."""
    root = get_keypoint_set(keypoint_set).root
    found = read(path, frames, keypoint_set)
    wanted = fixed(poses, keypoint_set)[frames]
    return np.linalg.norm(10 * (found - found[:, [root]]) - 1000 * (wanted - wanted[:, [root]]), axis=-1).max()


@pytest.mark.parametrize("keypoint_set", ["h36m_17", "common_16", "mpi_inf_3dhp_17"])
def test_another_package_finds_the_joints_within_a_hundredth_of_a_millimetre(tmp_path, keypoint_set):
    poses = moving(20, keypoint_set)
    write_scene(tmp_path / "walk.bvh", scene_of_poses(poses, keypoint_set=keypoint_set))
    assert worst(tmp_path / "walk.bvh", poses, range(20), keypoint_set) < 0.01


@settings(max_examples=15, deadline=None)
@given(
    arrays(np.float64, (3, 17, 3), elements=st.floats(-1, 1, allow_subnormal=False).map(lambda x: round(x, 2))).map(
        # No two keypoints in one place, which has no direction.
        lambda poses: poses + np.linspace(0, 1e-2, 17 * 3).reshape(17, 3) ** [1, 2, 3]
    )
)
def test_any_poses_can_be_read_again(tmp_path_factory, poses):
    path = tmp_path_factory.mktemp("bvh") / "any.bvh"
    write_scene(path, scene_of_poses(poses))
    assert worst(path, poses, range(3)) < 0.02


@pytest.mark.parametrize(
    "clip",
    ["bandai-1/dataset-1_walk_normal_001", "bandai-1/dataset-1_kick_normal_001", "bandai-1/dataset-1_dash_angry_001"],
)
def test_recorded_motion(motion_dir, tmp_path, clip):
    """Recorded bones are fixed, so the way through our file changes no more than reading it does."""
    motion = read_bvh(motion_dir / f"{clip}.bvh")
    # A camera before the person, who faces it: x to their left, y down, z away.
    poses = motion.keypoints_3d.astype(np.float64)[..., [1, 2, 0]] * (1, -1, -1)
    relative = poses - poses[:, :1]
    write_scene(tmp_path / "clip.bvh", scene_of_poses(relative, fps=motion.fps))
    frames = range(0, len(poses), 9)
    assert worst(tmp_path / "clip.bvh", relative, frames) < 0.01
    found = read(tmp_path / "clip.bvh", frames)
    found -= found[:, :1]
    assert np.linalg.norm(found / 100 - y_up(relative[frames]), axis=-1).mean() < 0.003
    # Our reader makes people of BVH files by the same names.
    again = read_bvh(tmp_path / "clip.bvh")
    limbs = [H36M_17.index(name) for name in H36M_17.names if "_" in name and name != "head_top"]
    ours, theirs = (pose[:, limbs] - pose[:, :1] for pose in (again.keypoints_3d, motion.keypoints_3d))
    assert np.linalg.norm(ours - theirs, axis=-1).mean() < 0.005


def test_upright_facing_z_with_left_on_the_left(tmp_path):
    """A person who looks at the camera faces z; Blender's importer makes that its front (-Y), with z up."""
    pose = standing()
    pose[H36M_17.index("left_wrist")] = (0.16, -0.2, -0.25)  # points at the camera
    write_scene(tmp_path / "walk.bvh", scene_of_poses(np.array([pose] * 2)))
    place = dict(zip(H36M_17.names, read(tmp_path / "walk.bvh", [0])[0], strict=True))
    np.testing.assert_allclose(place["left_ankle"], (12, 0, 0), atol=1e-3)  # on the floor
    np.testing.assert_allclose(place["pelvis"], (0, 86, 0), atol=1e-3)
    np.testing.assert_allclose(place["head_top"], (0, 86 + 72, 0), atol=0.5)
    assert place["left_wrist"][2] > 24 and abs(place["left_wrist"][0] - 16) < 0.5


def test_the_file_as_text(tmp_path):
    """The rest pose is a T-pose: legs down, arms to the sides; the root alone moves."""
    write_scene(tmp_path / "walk.bvh", scene_of_poses(np.array([standing()] * 3), fps=25))
    lines = [line.strip() for line in (tmp_path / "walk.bvh").read_text().splitlines()]
    assert lines[:2] == ["HIERARCHY", "ROOT Hips"] and lines[3] == "OFFSET 0.000000 0.000000 0.000000"
    channels = [line for line in lines if line.startswith("CHANNELS")]
    assert channels[0] == "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    assert set(channels[1:]) == {"CHANNELS 3 Zrotation Xrotation Yrotation"}
    offset = {name: lines[index + 2] for index, line in enumerate(lines) for name in re.findall(r"JOINT (\w+)", line)}
    assert offset["LeftLeg"] == "OFFSET 0.000000 -42.000000 0.000000"
    assert offset["LeftForeArm"] == "OFFSET 28.000000 0.000000 0.000000"
    assert offset["RightForeArm"] == "OFFSET -28.000000 0.000000 0.000000"
    assert offset["LHipJoint"] == "OFFSET 0.000000 0.000000 0.000000"
    start = lines.index("MOTION")
    assert lines[start + 1 : start + 3] == ["Frames: 3", "Frame Time: 0.04"]
    rows = [list(map(float, line.split())) for line in lines[start + 3 :]]
    assert len(rows) == 3 and {len(row) for row in rows} == {3 * (len(channels) + 1)}
    assert rows[0][:6] == [0, 86, 0, 0, 0, 0] and "-0.000000" not in lines[-1]


def test_people_gaps_and_trajectories(tmp_path, walk):
    written = write_scene(tmp_path / "walk.bvh", walk)
    assert written.paths == [tmp_path / "walk_1.bvh", tmp_path / "walk_b_2.bvh"]
    assert written.notes == [
        "BVH: person b/2 has no pose in 3 of 5 frames; those are interpolated",
        "BVH: person b/2 begins with frame 3",
    ]
    first, second = (read(path, [0, count - 1]) for path, count in zip(written.paths, (10, 5), strict=True))
    # x and z of the trajectory, from the camera; its height is that of the lowest keypoint on the floor.
    np.testing.assert_allclose(first[:, 0, [0, 2]], [(0, -400), (100, -400)], atol=1e-3)
    np.testing.assert_allclose(second[:, 0, [0, 2]], 0, atol=1e-3)
    for path, count in zip(written.paths, (10, 5), strict=True):
        assert read(path, range(count))[..., 1].min() == pytest.approx(0, abs=1e-3)


def test_a_trajectory_with_a_gap(tmp_path):
    trajectory = np.array([(0, 0, 3), (np.nan,) * 3, (0.2, 0, 3)], float)
    write_scene(tmp_path / "walk.bvh", scene_of_poses(moving(3), trajectory=trajectory))
    np.testing.assert_allclose(read(tmp_path / "walk.bvh", range(3))[:, 0, 0], (0, 10, 20), atol=1e-3)
    write_scene(tmp_path / "walk.bvh", scene_of_poses(moving(3), trajectory=np.full((3, 3), np.nan)))
    np.testing.assert_allclose(read(tmp_path / "walk.bvh", range(3))[:, 0, [0, 2]], 0, atol=1e-3)


def test_who_cannot_be_written_is_left_out_and_said(tmp_path, walk):
    one_pose = replace(walk.people[1], keypoints_3d=np.where([[[True]], [[False]], [[False]]], moving(3), np.nan))
    written = write_scene(tmp_path / "walk.bvh", replace(walk, people=[walk.people[0], one_pose]))
    assert [path.name for path in written.paths] == ["walk_1.bvh"]
    assert written.notes == ["BVH: person b/2 is left out: 1 frames have a pose, and a motion needs 2"]


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ([], r"walk\.bvh: there is nobody to write; the recording has no people"),
        (
            [LiftedPerson("7", "h36m_17", np.arange(1), moving(1))],
            "person 7 is left out: 1 frames have a pose.*needs",
        ),
        ([LiftedPerson("7", "h36m_17", np.arange(0), moving(0))], "person 7 is left out: 0 frames have a pose"),
        ([LiftedPerson("7", "coco_17", np.arange(2), np.zeros((2, 17, 3)))], "keypoint set coco_17 has no skeleton"),
    ],
)
def test_nobody_to_write(tmp_path, people, message):
    with pytest.raises(ValueError, match=message):
        write_scene(tmp_path / "walk.bvh", Scene("walk", people, np.arange(2) / 30, 30.0))
    assert not list(tmp_path.iterdir())


def read_first_of_two(folder, poses):
    """The first frame of somebody who stands still for two."""
    write_scene(folder / "still.bvh", scene_of_poses(np.repeat(poses, 2, axis=0)))
    return read(folder / "still.bvh", [0])


def test_a_still_image_is_a_motion_of_one_frame(tmp_path):
    poses = moving(1)
    written = write_scene(tmp_path / "photo.bvh", scene_of_poses(poses))
    assert not written.notes and "Frames: 1\n" in (tmp_path / "photo.bvh").read_text()
    np.testing.assert_allclose(read(tmp_path / "photo.bvh", [0]), read_first_of_two(tmp_path, poses), atol=1e-3)
    for suffix in (".glb", ".smpl.npz"):
        write_scene(tmp_path / f"photo{suffix}", scene_of_poses(poses))
        assert (tmp_path / f"photo{suffix}").is_file()


def test_angles_do_not_jump(motion_dir):
    """From one frame of a dance to the next no angle changes by half a turn."""
    from mpm_mmpose.pose.rotations import euler_zxy

    motion = read_bvh(motion_dir / "bandai-1/dataset-1_dance-short_normal_001.bvh")
    poses = motion.keypoints_3d.astype(np.float64)[..., [1, 2, 0]]
    fitted = fit(skeleton_of("h36m_17"), poses - poses[:, :1], motion.fps)
    assert np.rad2deg(np.abs(np.diff(euler_zxy(fitted.local_rotations), axis=0))).max() < 120


def test_limbs_that_were_never_seen_are_left_out_when_asked(tmp_path):
    masked = np.zeros((6, 17), bool)
    masked[:, [H36M_17.index(f"right_{one}") for one in ("shoulder", "elbow", "wrist")]] = True
    masked[:3, H36M_17.index("left_wrist")] = True  # seen later
    scene = scene_of_poses(moving(6), masked=masked)
    assert "RightHand" in write_scene(tmp_path / "whole.bvh", scene).paths[0].read_text()
    written = write_scene(tmp_path / "seen.bvh", replace(scene, leave_out_unseen=True))
    assert written.notes == ["BVH: person 1 is without right_elbow, right_wrist, which were never seen"]
    root = bvhio.readAsHierarchy(str(written.paths[0]))
    names = {joint.Name for joint, _, _ in root.layout()}
    assert "RightArm" in names and "LeftHand" in names and not names & {"RightForeArm", "RightHand"}
