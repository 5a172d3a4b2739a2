from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.formats import write_scene
from mpm_mmpose.formats.motion import motions_of
from mpm_mmpose.pose.keypoints import H36M_17

from .conftest import moving, scene_of_poses
from .gltf_scenes import Played
from .test_bvh import JOINTS


def test_joints_are_where_the_fitted_pose_has_them(tmp_path):
    scene = scene_of_poses(moving(30), fps=25.0)
    (path,) = write_scene(tmp_path / "walk.glb", scene).paths
    (motion,), _ = motions_of(path, scene, ".glb")
    played = Played(path)
    np.testing.assert_allclose(played.times, np.arange(30) / 25, rtol=1e-6)
    for frame in (0, 7, 29):
        places = played.places(frame)
        wanted = motion.fitted.positions[frame] + motion.root[frame]
        for index, name in enumerate(H36M_17.names):
            np.testing.assert_allclose(places[JOINTS[name]], wanted[index], atol=1e-5)


def test_the_figure_turns_with_its_bones(tmp_path):
    (path,) = write_scene(tmp_path / "walk.glb", scene_of_poses(moving(5))).paths
    played = Played(path)
    (skin,) = played.content["skins"]
    inverse = played.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    rest = played.world()
    names = [played.nodes[joint]["name"] for joint in skin["joints"]]
    np.testing.assert_allclose(
        inverse @ [rest[name] for name in names], np.tile(np.eye(4), (len(names), 1, 1)), atol=1e-6
    )
    (mesh,) = played.content["meshes"]
    assert {played.content["materials"][one["material"]]["name"] for one in mesh["primitives"]} == {
        "left",
        "right",
        "middle",
    }
    world = played.world(3)
    for part in mesh["primitives"]:
        corners = played.array(part["attributes"]["POSITION"]).reshape(-1, 24, 3)
        normals = played.array(part["attributes"]["NORMAL"]).reshape(-1, 24, 3)
        joints = played.array(part["attributes"]["JOINTS_0"])[:, 0].reshape(-1, 24)
        np.testing.assert_array_equal(
            played.array(part["attributes"]["WEIGHTS_0"]), [[1, 0, 0, 0]] * corners[..., 0].size
        )
        for bone, outward, (joint, *others) in zip(corners, normals, joints, strict=True):
            assert set(others) == {joint}
            turn = world[names[joint]] @ inverse[joint]
            moved = bone @ turn[:3, :3].T + turn[:3, 3]
            # Each bone begins at its joint, ...
            np.testing.assert_allclose(moved[0], world[names[joint]][:3, 3], atol=1e-5)
            # ... and all of it faces outwards.
            assert ((bone - bone.mean(0)) * outward).sum(-1).min() > -1e-6
            np.testing.assert_allclose(np.linalg.norm(outward, axis=-1), 1, atol=1e-5)


def test_a_file_a_person_and_nobody(tmp_path, walk):
    written = write_scene(tmp_path / "walk.glb", walk)
    assert [path.name for path in written.paths] == ["walk_1.glb", "walk_b_2.glb"]
    assert "GLB: person b/2 begins with frame 3" in written.notes
    with pytest.raises(ValueError, match="nobody"):
        write_scene(tmp_path / "none.glb", replace(walk, people=[]))


def test_limbs_that_were_never_seen_are_left_out_when_asked(tmp_path):
    masked = np.zeros((8, 17), bool)
    masked[:, [H36M_17.index(f"left_{one}") for one in ("hip", "knee", "ankle")]] = True
    scene = scene_of_poses(moving(8), masked=masked)
    whole = Played(write_scene(tmp_path / "whole.glb", scene).paths[0]).places(0)
    written = write_scene(tmp_path / "seen.glb", replace(scene, leave_out_unseen=True))
    assert "GLB: person 1 is without left_knee, left_ankle, which were never seen" in written.notes
    seen = Played(written.paths[0]).places(0)
    assert whole.keys() - seen.keys() == {"LeftLeg", "LeftFoot", "walk whole"}
    foot, before = (one["RightFoot"] - one["Hips"] for one in (seen, whole))
    np.testing.assert_allclose(foot, before, atol=1e-6)
