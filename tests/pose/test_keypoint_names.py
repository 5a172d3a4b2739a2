import pytest

from mpm_mmpose.pose.keypoint_names import NAMES, our_name


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (
            ("LShoulder", "Left Shoulder", "LEFT_SHOULDER", "left-shoulder", "shoulder_left", "lshoulder"),
            "left_shoulder",
        ),
        (("RAnkle", "right.ankle", "r_ankle", "rightAnkle"), "right_ankle"),
        (("RBigToe", "right big toe"), "right_big_toe"),
        (("MidHip", "Hip", "pelvis", "mid hip"), "pelvis"),
        (("MOUTH_LEFT", "mouth_left"), "mouth_left"),
        (("LeftFootIndex", "LEFT_FOOT_INDEX"), "left_foot_index"),
        (("head_bottom", "UpperNeck"), "upper_neck"),
        (("head_top", "HeadTop", "top_head"), "head_top"),
        (("Nose", "NOSE"), "nose"),
        (("paw", "lip", "radius", "tail_base", "left", ""), None),
    ],
)
def test_what_others_call_keypoints(texts, name):
    assert {our_name(text) for text in texts} == {name}


def test_our_own_names():
    assert all(our_name(name) == name for name in NAMES)
