import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.keypoints import COMMON_16, H36M_17, KeypointSet, get_keypoint_set


def test_h36m_order():
    assert H36M_17.names[0] == "pelvis"
    assert [H36M_17.names[i] for i in (1, 2, 3)] == ["right_hip", "right_knee", "right_ankle"]
    assert H36M_17.names[7:11] == ("spine", "thorax", "nose", "head_top")
    assert H36M_17.left == (4, 5, 6, 11, 12, 13)
    assert H36M_17.right == (1, 2, 3, 14, 15, 16)
    assert H36M_17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert H36M_17.limbs == {
        "right_leg": (1, 2, 3),
        "left_leg": (4, 5, 6),
        "right_arm": (14, 15, 16),
        "left_arm": (11, 12, 13),
    }


def test_common_16_leaves_out_the_nose():
    assert len(COMMON_16) == 16 and "nose" not in COMMON_16.names
    assert COMMON_16.left == (4, 5, 6, 10, 11, 12)
    assert COMMON_16.right == (1, 2, 3, 13, 14, 15)
    assert COMMON_16.indices_in(H36M_17) == tuple(i for i in range(17) if i != 9)
    assert COMMON_16.parents[COMMON_16.index("head_top")] == COMMON_16.index("thorax")


@pytest.mark.parametrize("keypoint_set", [H36M_17, COMMON_16])
@given(seed=st.integers(0, 100))
def test_flipping_twice_is_identity(keypoint_set, seed):
    poses = np.random.default_rng(seed).normal(size=(3, len(keypoint_set), 3))

    def flip(poses):
        return poses[:, keypoint_set.flip_indices] * [-1, 1, 1]

    assert not np.array_equal(flip(poses), poses)
    np.testing.assert_array_equal(flip(flip(poses)), poses)


@pytest.mark.parametrize("keypoint_set", [H36M_17, COMMON_16])
def test_flip_swaps_names(keypoint_set):
    for name, other in zip(
        keypoint_set.names, np.array(keypoint_set.names)[list(keypoint_set.flip_indices)], strict=True
    ):
        swapped = name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
        assert other == swapped


def test_mistakes_are_named():
    with pytest.raises(KeyError, match="'coco' is not known; use one of common_16, h36m_17"):
        get_keypoint_set("coco")
    with pytest.raises(KeyError, match="h36m_17 has no 'toe'"):
        H36M_17.index("toe")
    with pytest.raises(ValueError, match="1 parents for 2 names"):
        KeypointSet("pair", ("a", "b"), (None,), ())
