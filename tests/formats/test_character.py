import json
import random
import struct
from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.formats import write_scene
from mpm_mmpose.formats.character import read_character
from mpm_mmpose.formats.gltf import Glb, read_glb
from mpm_mmpose.formats.motion import motions_of
from mpm_mmpose.pose.keypoints import H36M_17, get_keypoint_set
from mpm_mmpose.pose.rotations import unit

from .characters import JOINTS, write_character
from .conftest import moving, scene_of_poses
from .gltf_scenes import Played

LIMBS = {"UpLeg": ("hip", "knee", "Leg"), "Leg": ("knee", "ankle", "Foot")}
LIMBS |= {"Arm": ("shoulder", "elbow", "ForeArm"), "ForeArm": ("elbow", "wrist", "Hand")}

KINDS = [
    dict(),
    dict(matrix=True),
    dict(prefix="", seed=1, unit=1.0),
    dict(prefix="Bip01 ", turned=False, size=1.3),
    dict(prefix="rig_", seed=2, unit=0.0254, size=0.5),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_limbs_point_where_the_pose_has_them_and_keep_their_lengths(tmp_path, kind):
    scene = replace(scene_of_poses(moving(12), fps=24.0), character=write_character(tmp_path / "my.glb", **kind))
    written = write_scene(tmp_path / "walk.glb", scene)
    assert "GLB: my.glb had 1 animations, which are left out" in written.notes
    (motion,), _ = motions_of(tmp_path / "walk.glb", scene, ".glb")
    played = Played(written.paths[0])
    np.testing.assert_allclose(played.times, np.arange(12) / 24, rtol=1e-5)
    prefix = kind.get("prefix", "mixamorig:")
    rest = played.places()
    for frame in (0, 5, 11):
        places, pose = played.places(frame), motion.fitted.positions[frame]
        for side in ("Left", "Right"):
            for start, (ours, ours_end, end) in LIMBS.items():
                theirs = places[f"{prefix}{side}{end}"] - places[f"{prefix}{side}{start}"]
                bone = [pose[H36M_17.index(f"{side.lower()}_{one}")] for one in (ours_end, ours)]
                np.testing.assert_allclose(unit(theirs), unit(bone[0] - bone[1]), atol=1e-4)
        for name, (parent, _) in JOINTS.items():
            if parent is not None:
                names = prefix + name, prefix + parent
                length, before = (np.linalg.norm(one[names[0]] - one[names[1]]) for one in (places, rest))
                assert length == pytest.approx(before, rel=1e-4)
        across = places[f"{prefix}LeftUpLeg"] - places[f"{prefix}RightUpLeg"]
        hips = pose[H36M_17.index("left_hip")] - pose[H36M_17.index("right_hip")]
        np.testing.assert_allclose(unit(across), unit(hips), atol=1e-4)


def test_the_way_is_as_long_as_the_legs_and_soles_are_on_the_floor(tmp_path):
    poses = moving(20)
    way = np.stack((np.linspace(0, 2, 20), np.zeros(20), np.full(20, 5.0)), 1)
    size = 0.5
    scene = scene_of_poses(poses, trajectory=way)
    scene = replace(scene, character=write_character(tmp_path / "my.glb", size=size))
    (motion,), _ = motions_of(tmp_path / "walk.glb", scene, ".glb")
    played = Played(write_scene(tmp_path / "walk.glb", scene).paths[0])
    hips = np.array([played.places(frame)["mixamorig:Hips"] for frame in range(20)])
    lengths = motion.fitted.lengths
    legs = sum(lengths[H36M_17.index(f"left_{one}")] for one in ("knee", "ankle"))
    places = {name: size * np.array(place) for name, (_, place) in JOINTS.items()}
    leg = np.linalg.norm(places["LeftUpLeg"] - places["LeftLeg"]) + np.linalg.norm(
        places["LeftLeg"] - places["LeftFoot"]
    )
    assert np.ptp(hips[:, 0]) == pytest.approx(2 * leg / legs, abs=0.05)
    lowest = min(played.places(frame)[f"mixamorig:{side}Foot"][1] for frame in range(20) for side in ("Left", "Right"))
    assert lowest == pytest.approx(0.09 * size, abs=0.05)


def test_what_does_not_turn_stays_as_it_is(tmp_path):
    path = write_character(tmp_path / "my.glb")
    scene = replace(scene_of_poses(moving(6)), character=path)
    played = Played(write_scene(tmp_path / "walk.glb", scene).paths[0])
    turned = {played.nodes[node]["name"] for node, what in played.moved if what == "rotation"}
    assert "mixamorig:LeftHandThumb1" not in turned and "mixamorig:LeftFoot" not in turned
    assert {node for node, what in played.moved if what == "translation"} == {1}
    before, after = read_glb(path).content, played.content
    assert before["nodes"] == after["nodes"] and before["skins"] == after["skins"]


def test_a_file_a_person(tmp_path):
    scene = scene_of_poses(moving(4), moving(4, seed=1))
    written = write_scene(tmp_path / "walk.glb", replace(scene, character=write_character(tmp_path / "my.glb")))
    assert [path.name for path in written.paths] == ["walk_1.glb", "walk_2.glb"]
    assert len([note for note in written.notes if "left out" in note]) == 1


def spoil(path, change):
    file = read_glb(path)
    change(file.content)
    return file.write(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.pop("skins"), "has no skeleton"),
        (lambda content: content.pop("nodes"), "cannot be read"),
        (lambda content: content["nodes"][3].update(children=[1]), "cannot be read"),
        (lambda content: content["nodes"][3].update(children=[99]), "cannot be read"),
        (lambda content: content["nodes"][3].update(rotation=[0, 0, 0, 0]), "cannot be read"),
        (lambda content: content["nodes"][3].update(rotation="left"), "cannot be read"),
        (lambda content: content["nodes"][0].update(scale=[0, 1, 1]), "scaled to nothing"),
        (lambda content: content["nodes"][0].update(scale=[-1, 1, 1]), "mirrored"),
        (lambda content: [node.update(name="bone") for node in content["nodes"]], "no joint for left_hip"),
        (lambda content: [node.update(translation=[0, 0, 0]) for node in content["nodes"]], "no length"),
    ],
)
def test_files_that_are_no_character(tmp_path, change, said):
    path = write_character(tmp_path / "my.glb")
    spoil(path, change)
    with pytest.raises(ValueError, match=said) as error:
        read_character(path)
    assert str(path) in str(error.value)


def test_a_stick_figure_of_ours_is_a_character(tmp_path):
    scene = scene_of_poses(moving(6))
    (figure,) = write_scene(tmp_path / "figure.glb", scene).paths
    played = Played(write_scene(tmp_path / "walk.glb", replace(scene, character=figure)).paths[0])
    whole = Played(figure)
    for start, end in (("LeftLeg", "LeftFoot"), ("RightForeArm", "RightHand")):
        theirs, ours = (unit(one.places(3)[end] - one.places(3)[start]) for one in (played, whole))
        np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_an_empty_file(tmp_path):
    Glb().write(tmp_path / "a.glb")
    with pytest.raises(ValueError, match="cannot be read"):
        read_character(tmp_path / "a.glb")


def mutated(value, rng):
    """The JSON with something else in some place."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        return {name: one for name, one in value.items() if name != key} | (
            {} if rng.random() < 0.1 else {key: mutated(value[key], rng)}
        )
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [mutated(one, rng) if index == place else one for index, one in enumerate(value)]
    return rng.choice([None, -1, 0, 1e308, float("nan"), "x", [], {}, True, 2**70, [1, 2], "mixamorig:Hips"])


@pytest.mark.filterwarnings("error")
def test_whatever_a_file_says_ends_in_a_file_or_in_one_line(tmp_path):
    rng = random.Random(0)
    path = write_character(tmp_path / "my.glb")
    raw, whole = path.read_bytes(), read_glb(path)
    scene = scene_of_poses(moving(3))
    refused = 0
    for number in range(200):
        damaged = bytearray(raw)
        if number % 2:
            text = json.dumps(mutated(whole.content, rng)).encode()
            text += b" " * (-len(text) % 4)
            size = 28 + len(text) + len(whole.data)
            damaged = struct.pack("<4s4I", b"glTF", 2, size, len(text), 0x4E4F534A) + text
            damaged += struct.pack("<2I", len(whole.data), 0x004E4942) + bytes(whole.data)
        else:
            for _ in range(rng.randrange(1, 6)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            write_scene(tmp_path / "walk.glb", replace(scene, character=path))
        except ValueError as error:
            refused += 1
            assert str(tmp_path) in str(error)
    assert 50 < refused < 190


@pytest.mark.parametrize("keypoint_set", ["common_16", "mpi_inf_3dhp_17"])
def test_other_keypoint_sets(tmp_path, keypoint_set):
    scene = scene_of_poses(moving(5, keypoint_set), keypoint_set=keypoint_set)
    (motion,), _ = motions_of(tmp_path / "walk.glb", scene, ".glb")
    scene = replace(scene, character=write_character(tmp_path / "my.glb"))
    places = Played(write_scene(tmp_path / "walk.glb", scene).paths[0]).places(2)
    pose, index = motion.fitted.positions[2], get_keypoint_set(keypoint_set).index
    bones = {("LeftUpLeg", "LeftLeg"): ("left_hip", "left_knee")}
    bones |= {("RightForeArm", "RightHand"): ("right_elbow", "right_wrist")}
    for (start, end), ours in bones.items():
        theirs = places[f"mixamorig:{end}"] - places[f"mixamorig:{start}"]
        np.testing.assert_allclose(unit(theirs), unit(pose[index(ours[1])] - pose[index(ours[0])]), atol=1e-4)
