"""A person in BVH and in ASF/AMC, written by hand, standing and facing the file's z, with left on its x."""

from pathlib import Path

import pytest

# joint: (parent, offset cm)
BVH_JOINTS = {
    "Hips": (None, (0, 0, 0)),
    "Spine": ("Hips", (0, 12, 0)),
    "Chest": ("Spine", (0, 12, 0)),
    "Neck": ("Chest", (0, 22, 0)),
    "Head": ("Neck", (0, 9, 0)),
    "UpperArm_L": ("Chest", (16, 18, 0)),
    "LowerArm_L": ("UpperArm_L", (0, -28, 0)),
    "Hand_L": ("LowerArm_L", (0, -25, 0)),
    "UpperArm_R": ("Chest", (-16, 18, 0)),
    "LowerArm_R": ("UpperArm_R", (0, -28, 0)),
    "Hand_R": ("LowerArm_R", (0, -25, 0)),
    "UpperLeg_L": ("Hips", (9, -3, 0)),
    "LowerLeg_L": ("UpperLeg_L", (0, -42, 0)),
    "Foot_L": ("LowerLeg_L", (0, -42, 0)),
    "UpperLeg_R": ("Hips", (-9, -3, 0)),
    "LowerLeg_R": ("UpperLeg_R", (0, -42, 0)),
    "Foot_R": ("LowerLeg_R", (0, -42, 0)),
}


def bvh_text(frames: list[dict[str, tuple]], channels: str = "Zrotation Xrotation Yrotation", names=None) -> str:
    """BVH of the person; a frame gives joints' values in the order of ``channels``, Hips its position before them."""
    names = names or {}

    def joint(name: str, depth: int) -> str:
        pad = "  " * depth
        inner = channels if depth else f"Xposition Yposition Zposition {channels}"
        text = f"{pad}{'JOINT' if depth else 'ROOT'} {names.get(name, name)}\n{pad}{{\n"
        text += f"{pad}  OFFSET {' '.join(map(str, BVH_JOINTS[name][1]))}\n"
        text += f"{pad}  CHANNELS {len(inner.split())} {inner}\n"
        children = [child for child, (parent, _) in BVH_JOINTS.items() if parent == name]
        text += "".join(joint(child, depth + 1) for child in children)
        if not children:
            text += f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET 0 0 0\n{pad}  }}\n"
        return text + f"{pad}}}\n"

    def depth_first(name: str) -> list[str]:
        children = [child for child, (parent, _) in BVH_JOINTS.items() if parent == name]
        return [name] + [deeper for child in children for deeper in depth_first(child)]

    lines = []
    for frame in frames:
        values = dict.fromkeys(BVH_JOINTS, (0, 0, 0)) | dict(Hips=(0, 95, 0, 0, 0, 0)) | frame
        lines.append(" ".join(str(value) for name in depth_first("Hips") for value in values[name]))
    header = f"MOTION\nFrames:\t{len(frames)}\nFrame Time:\t0.0333333\n"
    return "HIERARCHY\n" + joint("Hips", 0) + header + "\n".join(lines) + "\n"


# bone: (parent, direction, length in file units, axis, dof); 1 unit = 2.54 / 0.45 cm
ASF_BONES = {
    "lhipjoint": ("root", "0.6 -0.8 0", 2.5, "0 0 0 XYZ", ""),
    "lfemur": ("lhipjoint", "0.34202 -0.939693 0", 7, "0 0 20 XYZ", "rx ry rz"),
    "ltibia": ("lfemur", "0.34202 -0.939693 0", 7, "0 0 20 XYZ", "rx"),
    "rhipjoint": ("root", "-0.6 -0.8 0", 2.5, "0 0 0 XYZ", ""),
    "rfemur": ("rhipjoint", "0 -1 0", 7, "0 0 0 ZYX", "rx ry rz"),
    "rtibia": ("rfemur", "0 -1 0", 7, "0 0 0 XYZ", "rx"),
    "lowerback": ("root", "0 1 0", 2, "0 0 0 XYZ", "rx ry rz"),
    "thorax": ("lowerback", "0 2 0", 4, "0 0 0 XYZ", ""),
    "lowerneck": ("thorax", "0 1 0", 2, "0 0 0 XYZ", ""),
    "upperneck": ("lowerneck", "0 1 0", 2, "0 0 0 XYZ", ""),
    "head": ("upperneck", "0 1 0", 2, "0 0 0 XYZ", "rx"),
    "lclavicle": ("thorax", "1 0 0", 3, "0 0 0 XYZ", ""),
    "lhumerus": ("lclavicle", "1 0 0", 5, "180 -30 -90 XYZ", "rz"),
    "lradius": ("lhumerus", "1 0 0", 4, "0 0 0 XYZ", ""),
    "rclavicle": ("thorax", "-1 0 0", 3, "0 0 0 XYZ", ""),
    "rhumerus": ("rclavicle", "-1 0 0", 5, "0 0 0 XYZ", ""),
    "rradius": ("rhumerus", "-1 0 0", 4, "0 0 0 XYZ", ""),
}


def asf_text() -> str:
    """ASF of the person."""
    bones = "".join(
        f"  begin\n    id {number}\n    name {name}\n    direction {direction}\n"
        f"    length {length}\n    axis {axis}\n"
        + (f"    dof {dof}\n    limits (-160.0 20.0)\n           (-70.0 70.0)\n" if dof else "")
        + "  end\n"
        for number, (name, (_, direction, length, axis, dof)) in enumerate(ASF_BONES.items(), 1)
    )
    hierarchy = "".join(f"    {parent} {name}\n" for name, (parent, *_) in ASF_BONES.items())
    return (
        "# by hand\n:version 1.10\n:name VICON\n:units\n  mass 1.0\n  length 0.45\n  angle deg\n"
        ":documentation\n  words\n"
        ":root\n   order TX TY TZ RX RY RZ\n   axis XYZ\n   position 0 0 0\n   orientation 0 0 0\n"
        f":bonedata\n{bones}:hierarchy\n  begin\n{hierarchy}  end\n"
    )


def amc_text(frames: list[dict[str, tuple]]) -> str:
    """AMC of the person; a frame gives bones' angles, the others are 0."""
    text = "#!OML:ASF person.ASF\n:FULLY-SPECIFIED\n:DEGREES\n"
    dofs = {name: len(dof.split()) for name, (*_, dof) in ASF_BONES.items() if dof}
    for number, frame in enumerate(frames, 1):
        values = dict(root=(0, 17, 0, 0, 0, 0)) | {name: (0,) * count for name, count in dofs.items()} | frame
        text += f"{number}\n" + "".join(f"{name} {' '.join(map(str, angles))}\n" for name, angles in values.items())
    return text


@pytest.fixture
def write_bvh(tmp_path):
    """Writes a BVH file below ``tmp_path`` and returns its path; see :func:`bvh_text`."""

    def write(name: str = "clip.bvh", frames: list[dict] | None = None, **options) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(bvh_text([{}] if frames is None else frames, **options))
        return path

    return write


@pytest.fixture
def write_amc(tmp_path):
    """Writes an AMC file and its skeleton below ``tmp_path`` and returns the path of the trial."""

    def write(name: str = "07/07_01.amc", frames: list[dict] | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(amc_text([{}] if frames is None else frames))
        (path.parent / f"{path.parent.name}.asf").write_text(asf_text())
        return path

    return write
