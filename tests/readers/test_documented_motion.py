"""Every row of the table of motion capture in docs/formats_read.md is typed."""

import json
import re
from pathlib import Path

import mocap
import numpy as np
import pytest

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.pose.keypoints import H36M_17

PAGE = Path(__file__).parents[2] / "docs/formats_read.md"
LIMBS = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
# trunk: Hips, Spine, Chest, Neck, Head; then the six of a side, {0}
SKELETONS = {
    "blender": ("Hips Spine Chest Neck Head", "{0}Arm {0}ForeArm {0}Hand {0}UpLeg {0}Leg {0}Foot", ("Left", "Right")),
    "mixamo": (
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Neck mixamorig:Head",
        "mixamorig:{0}Arm mixamorig:{0}ForeArm mixamorig:{0}Hand mixamorig:{0}UpLeg mixamorig:{0}Leg mixamorig:{0}Foot",
        ("Left", "Right"),
    ),
    "bandai": ("Hips Spine Chest Neck Head", " ".join(f"{limb}_{{0}}" for limb in LIMBS), "LR"),
    "rokoko": ("Hips Spine Spine2 Neck Head", "{0}Arm {0}ForeArm {0}Hand {0}Thigh {0}Shin {0}Foot", ("Left", "Right")),
    "xsens": (
        "Hips Chest Chest2 Neck Head",
        "{0}Shoulder {0}Elbow {0}Wrist {0}Hip {0}Knee {0}Ankle",
        ("Left", "Right"),
    ),
    "max": (
        "Bip01 Bip01_Spine Bip01_Spine1 Bip01_Neck Bip01_Head",
        "Bip01_{0}_UpperArm Bip01_{0}_Forearm Bip01_{0}_Hand Bip01_{0}_Thigh Bip01_{0}_Calf Bip01_{0}_Foot",
        "LR",
    ),
    "cc": (
        "CC_Base_Hip CC_Base_Waist CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head",
        "CC_Base_{0}_Upperarm CC_Base_{0}_Forearm CC_Base_{0}_Hand CC_Base_{0}_Thigh CC_Base_{0}_Calf CC_Base_{0}_Foot",
        "LR",
    ),
    "daz": ("hip abdomen chest neck head", "{0}Shldr {0}ForeArm {0}Hand {0}Thigh {0}Shin {0}Foot", "lr"),
    "unreal": (
        "pelvis spine_01 spine_02 neck_01 head",
        "upperarm_{0} lowerarm_{0} hand_{0} thigh_{0} calf_{0} foot_{0}",
        "lr",
    ),
    "smpl": ("Pelvis Spine1 Spine2 Neck Head", "{0}_Shoulder {0}_Elbow {0}_Wrist {0}_Hip {0}_Knee {0}_Ankle", "LR"),
    "02_01": ("Hips Spine Spine1 Neck Head", "{0}Arm {0}ForeArm {0}Hand {0}UpLeg {0}Leg {0}Foot", ("Left", "Right")),
    "other": ("a b c d e", " ".join(f"{{0}}{number}" for number in range(6)), "xy"),
}
PARTS = dict(zip(LIMBS, ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"), strict=True))
MAP = {"spine": "b", "neck": "d", "head": "e"} | {
    f"{side}_{part}": f"{letter}{number}"
    for side, letter in (("left", "x"), ("right", "y"))
    for number, part in enumerate(PARTS.values())
}


def rows():
    text = PAGE.read_text().split("\n## Motion capture\n")[1]
    return [re.findall(r"`([^`]*)`", line)[-1] for line in re.findall(r"^\| .*`.* \|$", text, re.M)][1:]


@pytest.fixture
def files(tmp_path, write_bvh, write_amc):
    """All the files of the table; in those of Blender z is up, and they are in metres."""
    for name, (trunk, limbs, sides) in SKELETONS.items():
        names = dict(zip(("Hips", "Spine", "Chest", "Neck", "Head"), trunk.split(), strict=True))
        for side, letter in zip("LR", sides, strict=True):
            names |= {f"{limb}_{side}": n.format(letter) for limb, n in zip(LIMBS, limbs.split(), strict=True)}
        write_bvh(f"{name}.bvh", names=names, frames=[{}] * 3)
    lines = (tmp_path / "blender.bvh").read_text().splitlines()
    for index, line in enumerate(lines):
        if "OFFSET" in line:
            x, y, z = (float(word) / 100 for word in line.split()[1:])
            lines[index] = f"OFFSET {x} {-z} {y}"
        elif line[:1].isdigit():
            x, y, z, *angles = line.split()
            lines[index] = " ".join([str(float(x) / 100), str(-float(z) / 100), str(float(y) / 100), *angles])
    (tmp_path / "blender.bvh").write_text("\n".join(lines) + "\n")
    (tmp_path / "map.json").write_text(json.dumps(MAP))
    write_amc("07/07_01.amc", [{}] * 3)
    pose = np.zeros((3, 17, 3))
    heights = dict(hip=900, knee=480, ankle=80, pelvis=900)
    for index, name in enumerate(H36M_17.names):
        pose[:, index, 2] = heights.get(name.split("_")[-1], 1300)
    np.savez(tmp_path / "clips.npz", positions=pose, lengths=[3], names=["a"], keypoints=H36M_17.names, fps=30)
    with np.load(tmp_path / "clips.npz") as arrays:
        np.savez(tmp_path / "clips.npz", **arrays, up="z", unit="mm", subject="s")
    return tmp_path


def test_every_row(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert len(rows()) == 14
    for row in rows():
        assert mocap.main([*row.split(), "--overwrite", "--workers", "1", "--cameras", "1"]) == 0, row
        (sequence,) = (PoseStore("STORE").sequence(0),)
        world = (sequence.keypoints_3d - sequence.translation) @ sequence.rotation
        height = world[:, H36M_17.index("thorax"), 2] - world[:, H36M_17.index("left_ankle"), 2]
        assert (abs(height - 1.3) < 0.3).all(), row
        assert ("z is up" in capsys.readouterr().err) == (row.startswith("blender"))
