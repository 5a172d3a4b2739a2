from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import H36M_17, get_keypoint_set
from mpm_mmpose.readers.keypoint_choice import choose_keypoints, read_keypoint_map

PATH = Path("x.json")
COCO = get_keypoint_set("coco_17").names


def noise(number, rows=20):
    """Keypoints that are nobody's, all found."""
    return np.random.default_rng(0).uniform(0, 500, (rows, number, 2)), np.ones((rows, number), bool)


@pytest.mark.parametrize(
    ("number", "keypoint_set", "body"),
    [
        (16, "mpii_16", 16),
        (18, "openpose_18", 18),
        (26, "halpe_26", 26),
        (33, "blazepose_33", 33),
        (133, "coco_17", 17),
        (136, "halpe_26", 26),
    ],
)
def test_by_number(number, keypoint_set, body):
    assert choose_keypoints(PATH, *noise(number)) == (keypoint_set, list(range(body)), [])
    assert choose_keypoints(PATH, *noise(number), keypoint_set) == (keypoint_set, list(range(body)), [])


def test_what_bodies_do_not_tell_is_asked_for():
    still = np.zeros((20, 25, 2))
    with pytest.raises(ValueError, match="x.json: 25 keypoints per person are body_25 or body_25b, .*mostly body_25"):
        choose_keypoints(PATH, still, np.zeros((20, 25), bool))
    assert choose_keypoints(PATH, still, np.zeros((20, 25), bool), "body_25b")[0] == "body_25b"
    assert choose_keypoints(PATH, np.zeros((20, 17, 2)), np.zeros((20, 17), bool))[0] == "coco_17"


def h36m_person(rows):
    """Somebody who stands, in Human3.6M's order."""
    place = dict(hip=(40, 470), knee=(45, 640), ankle=(50, 800), shoulder=(60, 260), elbow=(80, 370), wrist=(85, 460))
    place |= dict(pelvis=(0, 470), spine=(0, 360), thorax=(0, 255), nose=(0, 180), head_top=(0, 120))
    pose = []
    for name in H36M_17.names:
        x, y = place.get(name) or place[name.partition("_")[2]]
        pose.append((500 + (x if name.startswith("left") else -x), y))
    return np.array([pose] * rows, float), np.ones((rows, 17), bool)


def test_human36m_order_is_noticed_and_said():
    keypoint_set, _, (note,) = choose_keypoints(PATH, *h36m_person(20))
    assert keypoint_set == "h36m_17" and "by their proportions these keypoints are h36m_17, and not coco_17" in note
    assert choose_keypoints(PATH, *h36m_person(5))[0] == "coco_17"  # too few to say so
    assert choose_keypoints(PATH, *h36m_person(20), "coco_17") == ("coco_17", list(range(17)), [])


def test_by_names():
    names = ["tail", *(name.title().replace("_", " ") for name in COCO)]
    keypoint_set, columns, _ = choose_keypoints(PATH, *noise(18), names=names)
    assert keypoint_set == "custom:" + ",".join(COCO) and columns == list(range(1, 18))
    assert choose_keypoints(PATH, *noise(17), names=COCO) == ("coco_17", list(range(17)), [])
    one_sided = ["left_knee", "left_hip", "right_hip", "left_shoulder", "right_shoulder"]
    assert choose_keypoints(PATH, *noise(5), names=one_sided)[1] == [1, 2, 3, 4]
    with pytest.raises(
        ValueError, match="x.json: none of its keypoints is called left_hip, right_hip .*--keypoint-map"
    ):
        choose_keypoints(PATH, *noise(2), names=["left_shoulder", "right_shoulder"])


def test_by_a_map():
    names = ["a", "b", "c", "d", "e"]
    table = dict(left_hip="b", right_hip="c", left_shoulder="d", right_shoulder="e")
    found = choose_keypoints(PATH, *noise(5), table, names)
    assert found == ("custom:left_hip,right_hip,left_shoulder,right_shoulder", [1, 2, 3, 4], [])
    numbers = dict(zip(table, (1, 2, 3, 4), strict=True))
    assert choose_keypoints(PATH, *noise(5), numbers) == found
    with pytest.raises(ValueError, match="x.json: has no names of keypoints; give numbers from 0 to 4"):
        choose_keypoints(PATH, *noise(5), table)
    with pytest.raises(ValueError, match="x.json: has no keypoint 'b' .for left_hip.; it has x, y"):
        choose_keypoints(PATH, *noise(2), table, ["x", "y"])
    with pytest.raises(ValueError, match="x.json: has no keypoint 4 .for right_shoulder.; it has those from 0 to 3"):
        choose_keypoints(PATH, *noise(4), numbers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no names"),
        ('{"left_hip": 1.5}', "'left_hip' is 1.5; give the name of a keypoint, or its number"),
        ('{"left_hip": true}', "'left_hip' is True; give the name"),
        ('{"tail": 1}', "keypoint 'tail' is not known"),
        ('{"left_hip": 1, "right_hip": 2}', "says nothing of left_shoulder, right_shoulder"),
    ],
)
def test_bad_maps(tmp_path, text, message):
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(ValueError, match=f"map.json: {message}"):
        read_keypoint_map(tmp_path / "map.json")
