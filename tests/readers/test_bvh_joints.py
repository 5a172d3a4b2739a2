from pathlib import Path

import pytest

from mpm_mmpose.readers.bvh_joints import PARTS, find_joints, read_joint_map

PATH = Path("x.bvh")
# Trunk, then a leg and an arm with {0} for the side, as programs name them; * marks what is not a part of ours.
PROGRAMS = {
    "mixamo": (
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Neck mixamorig:Head",
        "mixamorig:{0}UpLeg mixamorig:{0}Leg mixamorig:{0}Foot mixamorig:{0}ToeBase",
        "mixamorig:{0}Shoulder* mixamorig:{0}Arm mixamorig:{0}ForeArm mixamorig:{0}Hand",
        ("Left", "Right"),
    ),
    "bandai": (
        "Hips Spine Chest Neck Head",
        "UpperLeg_{0} LowerLeg_{0} Foot_{0} Toes_{0}",
        "Shoulder_{0}* UpperArm_{0} LowerArm_{0} Hand_{0}",
        "LR",
    ),
    "rokoko": (
        "Hips Spine Spine2 Neck Head",
        "{0}Thigh {0}Shin {0}Foot {0}Toe",
        "{0}Shoulder* {0}Arm {0}ForeArm {0}Hand",
        ("Left", "Right"),
    ),
    "xsens": (
        "Hips Chest Chest2 Neck Head",
        "{0}Hip {0}Knee {0}Ankle {0}Toe",
        "{0}Collar* {0}Shoulder {0}Elbow {0}Wrist",
        ("Left", "Right"),
    ),
    "xsens mvn": (
        "Pelvis L5 L3 Neck Head",
        "{0}UpperLeg {0}LowerLeg {0}Foot {0}Toe",
        "{0}Shoulder* {0}UpperArm {0}ForeArm {0}Hand",
        ("Left", "Right"),
    ),
    "3ds max": (
        "Bip01 Bip01_Pelvis Bip01_Spine Bip01_Neck Bip01_Head",
        "Bip01_{0}_Thigh Bip01_{0}_Calf Bip01_{0}_Foot Bip01_{0}_Toe0",
        "Bip01_{0}_Clavicle* Bip01_{0}_UpperArm Bip01_{0}_Forearm Bip01_{0}_Hand",
        "LR",
    ),
    "character creator": (
        "CC_Base_Hip CC_Base_Waist CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head",
        "CC_Base_{0}_Thigh CC_Base_{0}_Calf CC_Base_{0}_Foot CC_Base_{0}_ToeBase",
        "CC_Base_{0}_Clavicle* CC_Base_{0}_Upperarm CC_Base_{0}_Forearm CC_Base_{0}_Hand",
        "LR",
    ),
    "daz": (
        "hip abdomenLower chestLower neckLower head",
        "{0}ThighBend {0}Shin {0}Foot {0}Toe",
        "{0}Collar* {0}ShldrBend {0}ForearmBend {0}Hand",
        "lr",
    ),
    "daz of old": (
        "hip abdomen chest neck head",
        "{0}Thigh {0}Shin {0}Foot {0}Toe",
        "{0}Collar* {0}Shldr {0}ForeArm {0}Hand",
        "lr",
    ),
    "unreal": (
        "pelvis spine_01 spine_02 neck_01 head",
        "thigh_{0} calf_{0} foot_{0} ball_{0}",
        "clavicle_{0}* upperarm_{0} lowerarm_{0} hand_{0}",
        "lr",
    ),
    "smpl": (
        "Pelvis Spine1 Spine2 Neck Head",
        "{0}_Hip {0}_Knee {0}_Ankle {0}_Foot",
        "{0}_Collar* {0}_Shoulder {0}_Elbow {0}_Wrist {0}_Hand",
        "LR",
    ),
    "a leg and a shin": (
        "Hips Spine Chest Neck Head",
        "{0}Leg {0}Shin {0}Foot {0}Toe",
        "{0}Shoulder* {0}Arm {0}Forearm {0}Hand",
        ("Left", "Right"),
    ),
}


def skeleton(program):
    """Names of the joints, parents, and the part of those that are one."""
    trunk, leg, arm, sides = PROGRAMS[program]
    names, parents, parts = [], [], {}

    def add(chain, of, parent):
        for name, part in zip(chain, [*of, *[None] * len(chain)], strict=False):
            names.append(name.removesuffix("*"))
            parents.append(parent)
            parent = len(names) - 1
            if part:
                parts[part] = names[-1]

    add([name.replace("_", " ") if program == "3ds max" else name for name in trunk.split()], [], -1)
    parts |= dict(neck=names[3], head=names[4])
    for side, letter in zip(("left", "right"), sides, strict=True):
        add([n.format(letter) for n in leg.split()], [f"{side}_{p}" for p in ("hip", "knee", "ankle")], 0)
        add(
            [n.format(letter) for n in arm.split()], [None, *(f"{side}_{p}" for p in ("shoulder", "elbow", "wrist"))], 2
        )
    return names, parents, parts


@pytest.mark.parametrize("program", PROGRAMS)
def test_names_of_programs(program):
    names, parents, parts = skeleton(program)
    found = find_joints(PATH, names, parents)
    assert {part: names[index] for part, index in found.items() if part != "spine"} == parts
    assert found.get("spine") in ((None,) if program == "xsens mvn" else (1, 2))


def test_a_map_goes_first():
    names, parents, _ = skeleton("smpl")
    renamed = [f"Bone_{index}" for index in range(len(names))]
    table = {part: f"Bone_{index}" for part, index in find_joints(PATH, names, parents).items()}
    assert find_joints(PATH, renamed, parents, table) == find_joints(PATH, names, parents)
    with pytest.raises(ValueError, match="x.bvh: no joint for left_hip .*--joint-map.* of Bone_0, Bone_1"):
        find_joints(PATH, renamed, parents)
    with pytest.raises(ValueError, match="x.bvh: has no joint 'Bone_99' .for left_hip.; it has Bone_0"):
        find_joints(PATH, renamed, parents, {"left_hip": "Bone_99"})


def test_limbs_hang_together():
    names, parents, _ = skeleton("smpl")
    parents[names.index("L_Knee")] = 0
    with pytest.raises(ValueError, match="'L_Knee' does not hang on 'L_Hip', which were taken for left knee and hip"):
        find_joints(PATH, names, parents)


def test_no_joint_in_the_spine():
    names, parents, _ = skeleton("mixamo")
    names = [name.replace("Spine", "Bone") for name in names]
    assert "spine" not in find_joints(PATH, names, parents)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "is no table of names"),
        ('{"left_hip": 3}', "is no table of names"),
        ('{"tail": "x"}', "'tail' is no part of the body that is known; there are left_hip"),
    ],
)
def test_bad_maps(tmp_path, text, message):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_joint_map(tmp_path / "map.json")


def test_map_of_a_file(tmp_path):
    (tmp_path / "map.json").write_text('\ufeff{"left_hip": "Bone_1"}')
    assert read_joint_map(tmp_path / "map.json") == {"left_hip": "Bone_1"}
    assert len(PARTS) == 15
