import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mpm_mmpose.readers.asf import ordered_rotation, read_asf
from mpm_mmpose.readers.asf_amc import _read_channels, read_asf_amc
from mpm_mmpose.readers.bvh import read_bvh
from mpm_mmpose.readers.cmu import is_conversion, missing_thorax_bone, recorded_fps

# joint of the conversions: (parent, bone that it turns, bone at whose end it is)
JOINTS = {"Hips": (None, "root", None), "LowerBack": ("Hips", "lowerback", None)} | {
    "Spine": ("LowerBack", "upperback", "lowerback"),
    "Spine1": ("Spine", "thorax", "upperback"),
    "Neck": ("Spine1", "lowerneck", "thorax"),
    "Neck1": ("Neck", "upperneck", "lowerneck"),
    "Head": ("Neck1", "head", "upperneck"),
}
for _side in ("Left", "Right"):
    _s = _side[0].lower()
    JOINTS |= {
        f"{_side[0]}HipJoint": ("Hips", f"{_s}hipjoint", None),
        f"{_side}UpLeg": (f"{_side[0]}HipJoint", f"{_s}femur", f"{_s}hipjoint"),
        f"{_side}Leg": (f"{_side}UpLeg", f"{_s}tibia", f"{_s}femur"),
        f"{_side}Foot": (f"{_side}Leg", f"{_s}foot", f"{_s}tibia"),
        f"{_side}Shoulder": ("Spine1", f"{_s}clavicle", "thorax"),
        f"{_side}Arm": (f"{_side}Shoulder", f"{_s}humerus", f"{_s}clavicle"),
        f"{_side}ForeArm": (f"{_side}Arm", f"{_s}radius", f"{_s}humerus"),
        f"{_side}Hand": (f"{_side}ForeArm", f"{_s}wrist", f"{_s}radius"),
    }


def conversion(skeleton, values, without_thorax):
    """BVH text of a trial, as the well-known conversions write it; they leave the thorax bone out."""
    frames = len(values["root"])
    turns = {}
    for name, bone in skeleton.bones.items():
        channels = dict(zip(bone.channels, values[name].T, strict=True)) if bone.channels else {}
        angles = {c[1]: v * skeleton.radians_per_unit for c, v in channels.items() if c[0] == "r"}
        matrix = bone.axes @ ordered_rotation(bone.order, angles) @ bone.axes.T
        matrix = np.broadcast_to(matrix, (frames, 3, 3))
        turns[name] = Rotation.from_matrix(matrix).as_euler("ZYX", degrees=True)
    columns, text = [], []

    def joint(name, depth):
        _, turned, at = JOINTS[name]
        offset = np.zeros(3) if at is None or (at == "thorax" and without_thorax) else skeleton.bones[at].offset
        position = "Xposition Yposition Zposition " if depth == 0 else ""
        text.extend(
            [
                f"{'JOINT' if depth else 'ROOT'} {name}",
                "{",
                "OFFSET " + " ".join(f"{value:.9f}" for value in offset),
                f"CHANNELS {6 if position else 3} {position}Zrotation Yrotation Xrotation",
            ]
        )
        if depth == 0:
            order = skeleton.bones["root"].channels
            columns.extend(values["root"][:, order.index(channel)] for channel in ("tx", "ty", "tz"))
        columns.extend(turns[turned].T)
        children = [child for child, (parent, *_) in JOINTS.items() if parent == name]
        for child in children:
            joint(child, depth + 1)
        if not children:
            end = " ".join(f"{value:.9f}" for value in skeleton.bones[turned].offset)
            text.extend(["End Site", "{", f"OFFSET {end}", "}"])
        text.append("}")

    joint("Hips", 0)
    lines = [" ".join(f"{value:.9f}" for value in row) for row in np.stack(columns, -1)]
    return "\n".join(["HIERARCHY", *text, "MOTION", f"Frames: {frames}", "Frame Time: 0.00833333", *lines]) + "\n"


@pytest.mark.parametrize("subject", ["01", "02"])
def test_conversions_are_the_original(motion_dir, tmp_path, subject):
    amc = motion_dir / f"cmu/{subject}/{subject}_02.amc"
    skeleton = read_asf(amc.with_name(f"{subject}.asf"))
    values = {name: array[::40] for name, array in _read_channels(amc, skeleton).items()}
    expected = read_asf_amc(amc).keypoints_3d[::40]
    (tmp_path / f"0{subject}").mkdir()
    path = tmp_path / f"0{subject}/{subject}_02.bvh"
    path.write_text(conversion(skeleton, values, without_thorax=False))
    whole = read_bvh(path)
    np.testing.assert_allclose(whole.keypoints_3d, expected, atol=1e-5)
    assert whole.notes == ("the unit is cmu, by the length of the legs",)
    path.write_text(conversion(skeleton, values, without_thorax=True))
    mended = read_bvh(path)
    off = np.linalg.norm(mended.keypoints_3d - expected, axis=-1)
    assert off.max() < 0.006 and any("thorax bone" in note for note in mended.notes)
    assert mended.fps == 120 and mended.subject == subject


def test_the_thorax_bone_is_missed_only_where_it_is_missing():
    names = ["LHipJoint", "RHipJoint", "LowerBack", "Spine1", "Neck", "Neck1", "LeftShoulder", "RightShoulder"]
    offsets = np.zeros((8, 3))
    offsets[3] = (0, 2, 0)
    assert is_conversion(names) and not is_conversion(names[:-1])
    np.testing.assert_array_equal(missing_thorax_bone(names, offsets), (0, 2, 0))
    offsets[4:] = (0, 2, 0)
    assert missing_thorax_bone(names, offsets) is None


@pytest.mark.parametrize(
    ("name", "fps", "note"),
    [
        ("60_03.amc", 60, "subject 60 was recorded at 60 Hz"),
        ("088_backflip.bvh", 60, "subject 88"),
        ("136_05.amc", 120, "some trials of CMU's subject 136 were recorded at 60 Hz"),
        ("02_01.amc", 120, ""),
        ("walk.amc", 120, ""),
    ],
)
def test_rates(name, fps, note):
    found = recorded_fps(name)
    assert found[0] == fps and note in found[1] and bool(note) == bool(found[1])


def test_rates_of_files(write_amc, write_bvh):
    slow = read_asf_amc(write_amc("60/60_01.amc"))
    assert slow.fps == 60 and "60 Hz" in slow.notes[0]
    told = read_asf_amc(write_amc("60/60_01.amc"), fps=120)
    assert told.fps == 120 and told.notes == ()
    assert read_bvh(write_bvh("60_01.bvh")).fps == 30  # no conversion of CMU's
