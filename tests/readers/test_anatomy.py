import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.readers.anatomy import CLEAR, likeliest_set, proportions_misfit

# A person seen from the front, px; what is not here lies near what is.
FRONT = {
    "nose": (500, 180),
    "eye": (15, 170),
    "ear": (30, 175),
    "shoulder": (60, 260),
    "elbow": (80, 370),
    "wrist": (85, 460),
    "hip": (40, 470),
    "knee": (45, 640),
    "ankle": (50, 800),
}
MIDDLE = {"neck": 260, "thorax": 260, "upper_neck": 230, "head_top": 120, "pelvis": 470, "spine": 360}


def person(keypoint_set, frames=20, seed=0):
    """(frames, K, 2) px of a person who sways, as the names of the set say, with 2 px of noise."""
    rng = np.random.default_rng(seed)
    pose = np.zeros((len(get_keypoint_set(keypoint_set)), 2))
    for index, name in enumerate(get_keypoint_set(keypoint_set).names):
        side, _, part = name.partition("_")
        if name == "nose" or name in MIDDLE:
            pose[index] = (500, MIDDLE.get(name, 180))
            continue
        x, y = next((place for part_, place in FRONT.items() if part.startswith(part_)), (60, 820))
        pose[index] = (500 + (x if side == "left" else -x), y)
    sway = np.sin(np.arange(frames) / 3)[:, None, None] * [8, 3]
    return pose + sway + rng.normal(size=(frames, len(pose), 2)) * 2


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("coco_17", "h36m_17"), ("h36m_17", "coco_17"), ("body_25", "body_25b"), ("body_25b", "body_25")],
)
@pytest.mark.parametrize("absent", [(), ("knee", "ankle", "toe", "heel"), ("eye", "nose")])
def test_the_right_order_fits(right, wrong, absent):
    poses = person(right)
    found = np.ones(poses.shape[:2], bool)
    for index, name in enumerate(get_keypoint_set(right).names):
        found[:, index] = not any(part in name for part in absent)
    for candidates in ((right, wrong), (wrong, right)):
        likeliest, times = likeliest_set(poses, found, candidates)
        assert likeliest == right and times > CLEAR
    assert proportions_misfit(poses, found, right) < 1.2


def test_size_and_place_do_not_matter():
    poses = person("body_25")
    found = np.ones(poses.shape[:2], bool)
    assert proportions_misfit(poses / 1000 - 7, found, "body_25") == pytest.approx(
        proportions_misfit(poses, found, "body_25")
    )


def test_nothing_to_go_by():
    poses = np.zeros((3, 25, 2))
    assert likeliest_set(poses, np.zeros((3, 25), bool), ("body_25", "body_25b")) == ("body_25", 1.0)
    assert likeliest_set(poses, np.ones((3, 25), bool), ("body_25",)) == ("body_25", 1.0)
