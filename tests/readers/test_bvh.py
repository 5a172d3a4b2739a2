import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers.bvh import place_joints, read_bvh
from mpm_mmpose.readers.bvh_text import parse


def pose(motion, frame=0):
    """Keypoints of a frame by name, m."""
    return dict(zip(H36M_17.names, motion.keypoints_3d[frame].astype(float), strict=True))


def test_standing(write_bvh):
    """World: x where the person faces, y its left, z up; metres."""
    motion = read_bvh(write_bvh("someone/walk.bvh"))
    points = pose(motion)
    expected = {
        "pelvis": (0, 0, 0.92),
        "right_hip": (0, -0.09, 0.92),
        "left_knee": (0, 0.09, 0.50),
        "left_ankle": (0, 0.09, 0.08),
        "spine": (0, 0, 1.07),
        "thorax": (0, 0, 1.41),
        "left_wrist": (0, 0.16, 0.84),
        "right_shoulder": (0, -0.16, 1.37),
        # the trunk is 0.15 + 0.34 m long
        "nose": (0, 0, 1.41 + 0.247 * 0.49),
        "head_top": (0, 0, 1.41 + 0.482 * 0.49),
    }
    for name, position in expected.items():
        np.testing.assert_allclose(points[name], position, atol=1e-6, err_msg=name)
    assert (motion.name, motion.subject, motion.action, motion.fps) == ("walk", "someone", "walk", 30.0)


def test_names_of_bandai_files(write_bvh):
    motion = read_bvh(write_bvh("dataset-1_raise-up-both-hands_not-confident_012.bvh"))
    assert (motion.subject, motion.action) == ("not-confident", "raise-up-both-hands")


def test_turns_and_places(write_bvh):
    frames = [
        dict(Hips=(100, 95, 0, 0, 0, 90)),  # a step to the left, then a turn by 90 degrees to the left
        dict(Head=(0, 90, 0)),  # face to the floor
        dict(UpperArm_L=(90, 0, 0)),  # left arm sideways
        dict(LowerLeg_R=(0, 90, 0)),  # right shin back
    ]
    motion = read_bvh(write_bvh(frames=frames))
    turned, nod, arm, leg = (pose(motion, frame) for frame in range(4))
    np.testing.assert_allclose(turned["left_hip"] - turned["pelvis"], (-0.09, 0, 0), atol=1e-6)
    np.testing.assert_allclose(turned["pelvis"], (0, 1.0, 0.92), atol=1e-6)
    np.testing.assert_allclose(nod["head_top"], (0.482 * 0.49 - 0.09, 0, 1.50), atol=1e-6)
    np.testing.assert_allclose(arm["left_wrist"], (0, 0.16 + 0.53, 1.37), atol=1e-6)
    np.testing.assert_allclose(leg["right_ankle"], (-0.42, -0.09, 0.50), atol=1e-6)


def test_rotations_apply_in_the_order_of_the_channels(write_bvh):
    angles = dict(UpperArm_L=(90, 90, 0))
    first = pose(read_bvh(write_bvh(frames=[angles], channels="Zrotation Xrotation Yrotation")))
    other = pose(read_bvh(write_bvh(frames=[angles], channels="Xrotation Zrotation Yrotation")))
    # Z then X about the turned axes: the arm (-y) goes to -z, then about Z stays; X then Z: to +x, then down to... +x.
    np.testing.assert_allclose(first["left_wrist"] - first["left_shoulder"], (-0.53, 0, 0), atol=1e-6)
    np.testing.assert_allclose(other["left_wrist"] - other["left_shoulder"], (0, 0.53, 0), atol=1e-6)


def test_mixamo_names(write_bvh):
    names = {"Hips": "mixamorig:Hips", "Spine": "mixamorig:Spine", "Neck": "mixamorig:Neck", "Head": "mixamorig:Head"}
    parts = dict(UpperArm="Arm", LowerArm="ForeArm", Hand="Hand", UpperLeg="UpLeg", LowerLeg="Leg", Foot="Foot")
    for side in ("Left", "Right"):
        names |= {f"{ours}_{side[0]}": f"mixamorig:{side}{theirs}" for ours, theirs in parts.items()}
    np.testing.assert_array_equal(
        read_bvh(write_bvh("a.bvh", names=names)).keypoints_3d, read_bvh(write_bvh("b.bvh")).keypoints_3d
    )


def bvhio_positions(path, frames):
    """World positions by joint (len(frames), 3) as bvhio computes them."""
    import bvhio

    root = bvhio.readAsHierarchy(str(path))
    positions = {}
    for frame in frames:
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            positions.setdefault(joint.Name, []).append(tuple(joint.PositionWorld))
    return {name: np.array(values) for name, values in positions.items()}


def compare_with_bvhio(path, frames, tolerance):
    joints, values, _ = parse(path)
    positions, _ = place_joints(joints, values)
    theirs = bvhio_positions(path, frames)
    assert set(theirs) == {joint.Name for joint, _ in joints}
    for (joint, _), ours in zip(joints, positions, strict=True):
        np.testing.assert_allclose(ours[frames], theirs[joint.Name], atol=tolerance, err_msg=joint.Name)


def test_joints_are_where_bvhio_puts_them(write_bvh):
    random = np.random.default_rng(0)
    names = ("Spine", "Chest", "Head", "UpperArm_L", "LowerArm_L", "UpperLeg_R", "LowerLeg_R")
    frames = [
        dict(Hips=tuple(random.uniform(-90, 90, 6))) | {name: tuple(random.uniform(-180, 180, 3)) for name in names}
        for _ in range(5)
    ]
    compare_with_bvhio(write_bvh(frames=frames), [0, 1, 4], 1e-3)


def test_recorded_joints_are_where_bvhio_puts_them(motion_dir):
    compare_with_bvhio(motion_dir / "bandai-1" / "dataset-1_kick_normal_001.bvh", [0, 17], 1e-3)


def assert_sides(motion, forward):
    """Left is on the left of where the feet point, forward (T, 3), in nearly every frame."""
    left = np.cross((0, 0, 1), forward)
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    for part in ("hip", "shoulder"):
        across = (
            motion.keypoints_3d[:, H36M_17.index(f"left_{part}")]
            - motion.keypoints_3d[:, H36M_17.index(f"right_{part}")]
        )
        assert ((across * left).sum(-1) > 0.03).mean() > 0.95, part


@pytest.mark.parametrize("name", ["bow_normal_001", "walk_normal_001", "bye_angry_001"])
def test_recorded_people_stand_upright(motion_dir, name):
    path = motion_dir / "bandai-1" / f"dataset-1_{name}.bvh"
    motion = read_bvh(path)
    points = pose(motion)
    joints, values, _ = parse(path)
    positions, _ = place_joints(joints, values)
    places = {joint.Name: position[:, [2, 0, 1]] / 100 for (joint, _), position in zip(joints, positions, strict=True)}
    skull = places["Head"][0, 2]
    assert 0.8 < points["pelvis"][2] < 1.0
    assert 1.3 < skull < 1.6  # its base
    assert skull < points["nose"][2] < points["head_top"][2] < 1.75
    assert 0 < min(points["left_ankle"][2], points["right_ankle"][2]) < 0.2
    forward = sum(places[f"Toes_{side}"] - places[f"Foot_{side}"] for side in "LR")
    assert_sides(motion, forward)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: "", "has no 'MOTION'"),
        (lambda text: text[: text.index("MOTION")], "has no 'MOTION'.*cut off or no BVH file"),
        (lambda text: text[:200], "has no 'MOTION'"),
        (lambda text: "\x00\xff" + text, "has no 'HIERARCHY' at the start"),
        (lambda text: text.replace("}\nMOTION", "MOTION"), "hierarchy or frame time is not as BVH has it"),
        (lambda text: text.replace("OFFSET 0 22 0", "OFFSET 0 22"), "hierarchy .*Offset must be a 3-part tuple"),
        (lambda text: text.replace("0.0333333", "fast"), "frame time is not as BVH has it"),
        (lambda text: text.replace("0.0333333", "0"), "'Frame Time' is 0"),
        (lambda text: text.replace("0.0333333", "1000"), "'Frame Time' is 1000; write the seconds a frame, 0.001 to 1"),
        (lambda text: text.replace("0.0333333", "1e-9"), "'Frame Time' is 1e-9; write the seconds a frame"),
        (lambda text: text.replace("0 95 0", "0 1e9 0"), "of frame 0 is 1e.07 m away, and people are"),
        (lambda text: text.replace("0.0333333", "nan"), "'Frame Time' is nan"),
        (lambda text: text.replace("Frames:\t2", "Frames: 0"), "'Frames' is 0"),
        (
            lambda text: text.replace("Frames:\t2", "Frames: 999999999999"),
            "'Frames' says 999999999999, but there are 2",
        ),
        (lambda text: text.replace("OFFSET 0 22 0", "OFFSET 0 nan 0"), "keypoints_3d is not finite at frame 0"),
        (lambda text: text.replace("CHANNELS 3", "CHANNELS 300000000000", 1), "Channel count mismatch"),
        (lambda text: text.replace("Frames:\t2", "Frames: 3"), "'Frames' says 3, but there are 2"),
        (lambda text: text[:-20], r"line \d+ has \d+ values, not 54 finite numbers"),
        (lambda text: text[:-3] + " x\n", r"line \d+ has 54 values, not 54 finite numbers"),
        (lambda text: text[:-3] + " nan\n", r"line \d+ has .*finite numbers"),
        (lambda text: text.replace("Neck", "Nape"), r"no joint for neck \(looked for neck, neck1, .*--joint-map"),
        (lambda text: text.replace("3 Zrotation", "3 Wrotation", 1), "CHANNELS has Wrotation"),
    ],
)
def test_damaged_files_are_refused(write_bvh, damage, message):
    path = write_bvh("bad.bvh", frames=[{}, {}])
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=rf"bad\.bvh: .*{message}"):
        read_bvh(path)


def scaled(text, factor, up="y"):
    """The BVH text in another unit, and with another axis up."""
    turn = {"y": lambda x, y, z: (x, y, z), "z": lambda x, y, z: (x, -z, y), "-y": lambda x, y, z: (x, -y, -z)}[up]
    lines = text.splitlines()
    start = lines.index("MOTION") + 3
    for index, line in enumerate(lines):
        if "OFFSET" in line:
            values = turn(*(float(word) * factor for word in line.split()[1:]))
            lines[index] = "OFFSET " + " ".join(map(str, values))
        elif index >= start:
            values = [float(word) for word in line.split()]
            lines[index] = " ".join(map(str, [*turn(*(value * factor for value in values[:3])), *values[3:]]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("m", 0.01), ("cm", 1), ("mm", 10), ("inch", 1 / 2.54), ("foot", 1 / 30.48), ("cmu", 0.45 / 2.54)],
)
def test_units_are_found_by_the_length_of_legs(write_bvh, unit, factor):
    path = write_bvh()
    expected = read_bvh(path)
    path.write_text(scaled(path.read_text(), factor))
    motion = read_bvh(path)
    np.testing.assert_allclose(motion.keypoints_3d, expected.keypoints_3d, atol=1e-5)
    assert motion.notes == (() if unit == "cm" else (f"the unit is {unit}, by the length of the legs",))
    assert not read_bvh(path, unit=unit).notes


def test_units_that_are_nobodys(write_bvh):
    path = write_bvh()
    path.write_text(scaled(path.read_text(), 0.02))  # a leg of 1.68: in feet it is 0.51 m
    with pytest.raises(ValueError, match=r"clip.bvh: OFFSET: a leg is 1.68 long, .* in none of m, cm, .*--unit"):
        read_bvh(path)
    assert read_bvh(path, unit="foot").keypoints_3d[0, 0, 2] == pytest.approx(0.92 * 0.6096, rel=1e-4)
    with pytest.raises(ValueError, match=r"a leg of 1.68 cm is 0.017 m, a person's is about 0.9 m: say another unit"):
        read_bvh(path, unit="cm")


@pytest.mark.parametrize("up", ["y", "z"])
def test_the_axis_up_is_found(write_bvh, up):
    path = write_bvh()
    expected = read_bvh(path).keypoints_3d
    path.write_text(scaled(path.read_text(), 1, up))
    motion = read_bvh(path)
    if up == "z":  # turned about the vertical, as Blender's exporter does
        expected = expected[..., [1, 0, 2]] * [1, -1, 1]
    np.testing.assert_allclose(motion.keypoints_3d, expected, atol=1e-5)
    assert motion.notes == (() if up == "y" else ("z is up",))


def test_who_lies_does_not_turn_the_world(write_bvh):
    """Somebody on the back along z: the rest pose says that y is up, the movement z."""
    lying = [dict(Hips=(0, 20, 0, 0, -90, 0))] * 3
    path = write_bvh(frames=lying)
    with pytest.raises(
        ValueError, match=r"the rest pose stands along y, the people move along -?z; .*--up y if they lie"
    ):
        read_bvh(path)
    motion = read_bvh(path, up="y")
    assert np.ptp(motion.keypoints_3d[..., 2]) < 0.2
    both = read_bvh(write_bvh(frames=[{}, dict(Hips=(0, 20, 0, 0, -90, 0)), dict(Hips=(0, 20, 0, 90, 0, 0))]))
    assert both.keypoints_3d[0, 10, 2] > 1.5  # a person who stands and lies says nothing, the rest pose does


def test_a_skeleton_nested_too_deep(write_bvh):
    path = write_bvh()
    text = path.read_text()
    joint = "JOINT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    start = text.index("JOINT")
    path.write_text(text[:start] + joint * 3000 + "}\n" * 3000 + text[start:])
    with pytest.raises(ValueError, match=r"clip\.bvh: hierarchy .* not as BVH has it \(maximum recursion depth"):
        read_bvh(path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: ("\ufeff" + text).encode(),
        lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        lambda text: text.replace("Chest", "\u4e0a\u534a\u8eab").encode("cp932"),
        lambda text: text.replace("Chest", "Brustk\xf6rb\xe9").encode("latin-1"),
        lambda text: text.replace("Chest", "Bip01 Upper Body").encode(),
        lambda text: text.replace("Frames:\t1", "Frames:1").replace("Frame Time:\t", "Frame Time :").encode(),
        lambda text: text.replace("0.0333333", "0,0333333").encode(),
        lambda text: text.replace("End Site", "End site").replace("ROOT Hips\n{", "ROOT Hips {").encode(),
    ],
)
def test_how_programs_write_it(write_bvh, edit):
    path = write_bvh()
    expected = read_bvh(path)
    path.write_bytes(edit(path.read_text()))
    motion = read_bvh(path)
    np.testing.assert_array_equal(motion.keypoints_3d, expected.keypoints_3d)
    assert motion.fps == expected.fps


def test_decimal_commas(write_bvh):
    path = write_bvh(frames=[dict(UpperArm_L=(12.5, 0, 0))])
    expected = read_bvh(path)
    path.write_text(path.read_text().replace(".", ","))
    np.testing.assert_array_equal(read_bvh(path).keypoints_3d, expected.keypoints_3d)


def test_another_rate(write_bvh):
    assert read_bvh(write_bvh(), fps=60).fps == 60


def test_reading_says_nothing(write_bvh, capfd, recwarn):
    read_bvh(write_bvh())
    assert tuple(capfd.readouterr()) == ("", "") and not recwarn.list
