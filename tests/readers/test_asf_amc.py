import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers.asf import read_asf
from mpm_mmpose.readers.asf_amc import _place, _read_channels, find_skeleton, read_asf_amc

UNIT = 0.0254 / 0.45  # m


def pose(motion, frame=0):
    """Keypoints of a frame by name, in file units."""
    return dict(zip(H36M_17.names, motion.keypoints_3d[frame].astype(float) / UNIT, strict=True))


def test_standing(write_amc):
    """World: x where the person faces, y its left, z up. Legs of 14 units from hips at 15: ankles at about 1."""
    motion = read_asf_amc(write_amc())
    points = pose(motion)
    expected = {
        "pelvis": (0, 0, 15),
        "left_hip": (0, 1.5, 15),
        "right_hip": (0, -1.5, 15),
        "right_knee": (0, -1.5, 8),
        "right_ankle": (0, -1.5, 1),
        "left_ankle": (0, 1.5 + 14 * 0.34202, 15 - 14 * 0.939693),
        "spine": (0, 0, 19),
        "thorax": (0, 0, 25),
        "nose": (0, 0, 27),
        "head_top": (0, 0, 29),
        "left_shoulder": (0, 3, 23),
        "left_wrist": (0, 12, 23),
        "right_elbow": (0, -8, 23),
    }
    for name, position in expected.items():
        np.testing.assert_allclose(points[name], position, atol=1e-5, err_msg=name)
    assert (motion.name, motion.subject, motion.action, motion.fps) == ("07_01", "07", "07_01", 120.0)


def test_bones_turn_about_their_own_axes(write_amc):
    frames = [
        dict(lfemur=(-90, 0, 0)),  # straight ahead, though its rest pose slants: its x axis lies across it
        dict(root=(0, 17, 0, 0, 90, 0)),  # about the vertical: facing left
        dict(rfemur=(-90, 0, 90)),  # axis ZYX: z first, then x
        dict(head=(90,)),  # face down
        dict(root=(2, 17, 3, 0, 0, 0)),
    ]
    motion = read_asf_amc(write_amc(frames=frames))
    knee, turned, order, nod, moved = (pose(motion, frame) for frame in range(5))
    np.testing.assert_allclose(knee["left_knee"] - knee["left_hip"], (7, 0, 0), atol=1e-5)
    np.testing.assert_allclose(turned["left_hip"] - turned["pelvis"], (-1.5, 0, 0), atol=1e-5)
    # down (file -y); z by 90: to file x, which is left; x turns about it. Were x first: to file z, and z keeps that.
    np.testing.assert_allclose(order["right_knee"] - order["right_hip"], (0, 7, 0), atol=1e-5)
    np.testing.assert_allclose(nod["head_top"] - nod["nose"], (2, 0, 0), atol=1e-5)
    np.testing.assert_allclose(moved["pelvis"], (3, 2, 15), atol=1e-5)


def naive_ends(skeleton, channels, frame):
    """Bone ends of one frame, bone by bone, angle by angle."""

    def turn(order, angles):
        matrix = np.eye(3)
        for axis in order:
            c, s = np.cos(angles.get(axis, 0)), np.sin(angles.get(axis, 0))
            single = {
                "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
                "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
                "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
            }[axis]
            matrix = np.array(single) @ matrix
        return matrix

    ends, turns = {}, {}
    for name, bone in skeleton.bones.items():
        values = dict(zip(bone.channels, channels.get(name, [[]] * (frame + 1))[frame], strict=False))
        angles = {key[1]: np.radians(value) for key, value in values.items() if key[0] == "r"}
        local = bone.axes @ turn(bone.order, angles) @ np.linalg.inv(bone.axes)
        if bone.parent is None:
            turns[name], ends[name] = local, np.array([values["tx"], values["ty"], values["tz"]])
        else:
            turns[name] = turns[bone.parent] @ local
            ends[name] = ends[bone.parent] + turns[name] @ bone.offset
    return ends


def test_placing_equals_a_naive_one(write_amc):
    random = np.random.default_rng(0)
    frames = [
        dict(root=tuple(random.uniform(-90, 90, 6)))
        | {name: tuple(random.uniform(-180, 180, 3)) for name in ("lfemur", "rfemur", "lowerback")}
        | dict(ltibia=(40,), lhumerus=(70,))
        for _ in range(4)
    ]
    path = write_amc(frames=frames)
    skeleton = read_asf(find_skeleton(path))
    channels = _read_channels(path, skeleton)
    _, ends = _place(skeleton, channels)
    for frame in range(4):
        for name, end in naive_ends(skeleton, channels, frame).items():
            np.testing.assert_allclose(ends[name][frame], end, atol=1e-9, err_msg=name)


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


@pytest.mark.parametrize("trial", ["02/02_01", "02/02_05", "01/01_01"])
def test_recorded_people_stand_upright(motion_dir, trial):
    path = motion_dir / "cmu" / f"{trial}.amc"
    motion = read_asf_amc(path)
    points = {name: position * UNIT for name, position in pose(motion).items()}
    assert 0.8 < points["pelvis"][2] < 1.0
    assert 1.3 < points["nose"][2] < 1.6  # the base of the skull
    assert points["nose"][2] < points["head_top"][2] < 1.75
    assert 0 < min(points["left_ankle"][2], points["right_ankle"][2]) < 0.2
    skeleton = read_asf(find_skeleton(path))
    starts, ends = _place(skeleton, _read_channels(path, skeleton))
    forward = sum((ends[f"{side}foot"] - starts[f"{side}foot"])[:, [2, 0, 1]] for side in "lr")
    assert_sides(motion, forward)


def test_recorded_bones_keep_their_length(motion_dir):
    motion = read_asf_amc(motion_dir / "cmu/02/02_03.amc")
    thigh = np.linalg.norm(motion.keypoints_3d[:, 2] - motion.keypoints_3d[:, 1], axis=-1)
    np.testing.assert_allclose(thigh, thigh[0], atol=1e-5)
    assert 0.38 < thigh[0] < 0.48


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: "", "has no frames"),
        (lambda text: "\x00\xff\x00", "line 1: '.*' is no bone"),
        (lambda text: text[: text.rindex("head")], r"line \d+: frame 2 ends without head"),
        (lambda text: text[: text.rindex("rfemur") + 10], r"line \d+: rfemur needs 3 finite numbers"),
        (lambda text: text.replace("ltibia 0", "ltibia 0 0", 1), r"line 7: ltibia needs 1 finite numbers"),
        (lambda text: text.replace("ltibia 0", "ltibia x", 1), r"line 7: ltibia needs 1 finite numbers"),
        (lambda text: text.replace("ltibia 0", "ltibia nan", 1), r"line 7: ltibia needs 1 finite numbers"),
        (lambda text: text.replace("ltibia", "lwing"), r"line 7: 'lwing' is no bone of the skeleton"),
        (lambda text: text.replace("ltibia 0\n", "", 1), r"line \d+: frame 1 ends without ltibia"),
    ],
)
def test_damaged_trials_are_refused(write_amc, damage, message):
    path = write_amc(frames=[{}, {}])
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=rf"07_01\.amc: {message}"):
        read_asf_amc(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":hierarchy", ":tree", "has no section :hierarchy; it is cut off"),
        ("  length 0.45\n", "", "section :units has no 'length', which says how long a unit is"),
        ("length 0.45", "length 0", r"line 6, section :units: 'length' is 0"),
        ("angle deg", "angle turns", r"'angle' is 'turns', neither deg nor rad"),
        ("order TX TY TZ RX RY RZ", "order TX TY TZ", r"section :root: 'order' is tx ty tz, not"),
        ("axis 0 0 20 XYZ", "axis 0 0 20 XYX", r"line \d+, section :bonedata: 'axis' order is 'xyx'"),
        ("dof rx ry rz", "dof rx ry tz", "only rotations rx, ry, rz can be read"),
        ("direction 0 2 0", "direction 0 two 0", "does not start with 3 numbers"),
        ("    length 4\n", "", "the bone that ends here has no 'length'"),
        ("direction 0 2 0", "direction 0 0 0", "'direction' is 0 0 0"),
        ("length 0.45", "length 45", r"section :units, 'length': a unit of 0.0005644 m makes a leg 0.0079\d* m long"),
        ("length 0.45", "length 0.00045", "makes a leg 790.* m long, .*the unit is another one: correct the unit"),
        ("root lhipjoint", "belly lhipjoint", "'belly' has no parent of its own"),
        ("root lhipjoint", "root tail", "'tail' is not in :bonedata"),
    ],
)
def test_damaged_skeletons_are_refused(write_amc, old, new, message):
    path = write_amc()
    skeleton = path.parent / "07.asf"
    assert old in skeleton.read_text()
    skeleton.write_text(skeleton.read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf"07\.asf: .*{message}"):
        read_asf_amc(path)


def test_other_skeletons(write_amc):
    path = write_amc()
    skeleton = path.parent / "07.asf"
    skeleton.write_text(skeleton.read_text().replace("upperneck", "neck2"))
    with pytest.raises(ValueError, match=r"07\.asf: has no .*upperneck"):
        read_asf_amc(path)
    (path.parent / "08.asf").write_text("")
    skeleton.rename(path.parent / "09.asf")
    with pytest.raises(FileNotFoundError, match=r"07_01.amc: 2 .asf files .*add its skeleton as 07.asf"):
        read_asf_amc(path)


def test_radians_and_a_skeleton_of_any_name(write_amc):
    path = write_amc(frames=[dict(lfemur=(-np.pi / 2, 0, 0))])
    skeleton = path.parent / "07.asf"
    text = skeleton.read_text().replace("angle deg", "angle rad").replace("0 0 20 XYZ", f"0 0 {np.radians(20)} XYZ")
    skeleton.rename(path.parent / "someone.asf").write_text(text.replace("180 -30 -90", "0 0 0"))
    points = pose(read_asf_amc(path))
    np.testing.assert_allclose(points["left_knee"] - points["left_hip"], (7, 0, 0), atol=1e-5)
