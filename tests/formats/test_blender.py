"""The steps of docs/for_animators.md in Blender itself, where there is the package bpy (`uv run --with bpy`)."""

import os
from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.formats import write_scene
from mpm_mmpose.formats.motion import motions_of
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.pose.rotations import unit

from .characters import write_character
from .conftest import moving, scene_of_poses

bpy = pytest.importorskip("bpy")
FRAMES = (0, 4, 19)
JOINTS = dict(
    left_knee="LeftLeg", left_ankle="LeftFoot", right_wrist="RightHand", head_top="HeadTop_End", pelvis="Hips"
)


@pytest.fixture
def walk():
    way = np.stack((np.linspace(0, 1, 20), np.full(20, 0.3), np.full(20, 4.0)), 1)
    return scene_of_poses(moving(20), trajectory=way, fps=25.0)


def armature():
    (found,) = (one for one in bpy.context.scene.objects if one.type == "ARMATURE")
    return found


def places(frame, fps):
    """Where bones begin, by name, as Blender has it: (3,) m, z up, y away from the viewer."""
    at = frame * fps
    bpy.context.scene.frame_set(int(np.floor(at)), subframe=float(at - np.floor(at)))
    found = armature()
    return {bone.name.rpartition(":")[2]: np.array(found.matrix_world @ bone.head) for bone in found.pose.bones}


def as_blender(points):
    """y up, z towards the viewer, to z up."""
    return points[..., [0, 2, 1]] * (1, -1, 1)


def wanted(tmp_path, scene):
    (motion,), _ = motions_of(tmp_path / "walk.bvh", scene, ".bvh")
    return as_blender(motion.fitted.positions + motion.root[:, None])


def start():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def test_bvh_as_the_page_says(tmp_path, walk):
    (path,) = write_scene(tmp_path / "walk.bvh", walk).paths
    start()
    bpy.ops.import_anim.bvh(
        filepath=os.fspath(path), global_scale=0.01, update_scene_fps=True, update_scene_duration=True
    )
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(25)
    assert scene.frame_end >= 20
    for frame in FRAMES:
        found = places(frame + 1, 1)  # Blender's first frame is 1
        for name, joint in JOINTS.items():
            np.testing.assert_allclose(found[joint], wanted(tmp_path, walk)[frame, H36M_17.index(name)], atol=1e-4)


def test_glb_as_the_page_says(tmp_path, walk):
    (path,) = write_scene(tmp_path / "walk.glb", walk).paths
    start()
    bpy.context.scene.render.fps = 25
    bpy.ops.import_scene.gltf(filepath=os.fspath(path))
    assert [one.name for one in bpy.data.actions] == ["motion"]
    for frame in FRAMES:
        found = places(frame / 25, 25)
        for name, joint in JOINTS.items():
            np.testing.assert_allclose(found[joint], wanted(tmp_path, walk)[frame, H36M_17.index(name)], atol=1e-4)
    # The figure is there and moves with the bones: its lowest point is a foot on the floor.
    figure = next(one for one in bpy.context.scene.objects if one.type == "MESH" and one.find_armature())
    mesh = figure.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    corners = np.array([figure.matrix_world @ corner.co for corner in mesh.vertices])
    assert -0.3 < corners[:, 2].min() < 0.1 and 1.2 < corners[:, 2].max() < 2.0


def test_a_character_moves_as_the_person(tmp_path, walk):
    scene = replace(walk, character=write_character(tmp_path / "my.glb"))
    (path,) = write_scene(tmp_path / "walk.glb", scene).paths
    start()
    bpy.context.scene.render.fps = 25
    bpy.ops.import_scene.gltf(filepath=os.fspath(path))
    pose = wanted(tmp_path, walk)
    for frame in FRAMES:
        found = places(frame / 25, 25)
        for bone, end, names in (
            ("LeftUpLeg", "LeftLeg", ("left_hip", "left_knee")),
            ("LeftLeg", "LeftFoot", ("left_knee", "left_ankle")),
            ("RightForeArm", "RightHand", ("right_elbow", "right_wrist")),
        ):
            first, last = (pose[frame, H36M_17.index(name)] for name in names)
            np.testing.assert_allclose(unit(found[end] - found[bone]), unit(last - first), atol=1e-3)
