import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.pose.keypoints import (
    _ALL,
    APPROXIMATIONS,
    BLAZEPOSE_33,
    BODY_25,
    BY_DEFINITION,
    COCO_17,
    COMMON_16,
    H36M_17,
    HALPE_26,
    MPI_INF_3DHP_17,
    MPI_INF_3DHP_28,
    KeypointSet,
    custom_keypoint_set,
    get_keypoint_set,
    released_mpi_inf_3dhp_16,
    remap,
)

sets = st.sampled_from(_ALL)
seeds = st.integers(0, 100)


def make(keypoint_set, seed, shape=(2, 3), dim=3):
    random = np.random.default_rng(seed)
    return random.normal(size=(*shape, len(keypoint_set), dim)), random.uniform(size=(*shape, len(keypoint_set)))


def mirrored(keypoint_set, poses):
    return poses[..., keypoint_set.flip_indices, :] * ([-1] + [1] * (poses.shape[-1] - 1))


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


@pytest.mark.parametrize("keypoint_set", _ALL)
@given(seed=st.integers(0, 100))
def test_flipping_twice_is_identity(keypoint_set, seed):
    poses = np.random.default_rng(seed).normal(size=(3, len(keypoint_set), 3))

    def flip(poses):
        return poses[:, keypoint_set.flip_indices] * [-1, 1, 1]

    assert not np.array_equal(flip(poses), poses)
    np.testing.assert_array_equal(flip(flip(poses)), poses)


@pytest.mark.parametrize("keypoint_set", _ALL)
def test_flip_swaps_names(keypoint_set):
    for name, other in zip(
        keypoint_set.names, np.array(keypoint_set.names)[list(keypoint_set.flip_indices)], strict=True
    ):
        swapped = name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
        assert other == swapped


def test_mistakes_are_named():
    with pytest.raises(
        KeyError, match="'coco' is not known; use one of blazepose_33, body_25, body_25b, coco_17, common_16"
    ):
        get_keypoint_set("coco")
    with pytest.raises(KeyError, match="h36m_17 has no 'toe'"):
        H36M_17.index("toe")
    with pytest.raises(ValueError, match="1 parents for 2 names"):
        KeypointSet("pair", ("a", "b"), (None,), ())


def test_published_orders():
    """Written out by hand from the data sets' own lists; 28 to 17 as in P-STMO's and MMPose's converters."""
    assert MPI_INF_3DHP_17.indices_in(MPI_INF_3DHP_28) == (
        *(7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6),
    )
    assert [MPI_INF_3DHP_17.names[i] for i in (0, 1, 14, 15, 16)] == ["head_top", "thorax", "pelvis", "spine", "head"]
    assert MPI_INF_3DHP_17.right == (2, 3, 4, 8, 9, 10) and MPI_INF_3DHP_17.left == (5, 6, 7, 11, 12, 13)
    assert MPI_INF_3DHP_28.left == (*range(8, 13), *range(18, 23))
    assert MPI_INF_3DHP_28.right == (*range(13, 18), *range(23, 28))
    assert COCO_17.left == tuple(range(1, 17, 2)) and COCO_17.right == tuple(range(2, 17, 2))
    assert HALPE_26.names[:17] == COCO_17.names and HALPE_26.names[17:20] == ("head_top", "neck", "pelvis")
    assert BODY_25.limbs["right_arm"] == (2, 3, 4) and BODY_25.limbs["left_leg"] == (12, 13, 14)
    assert BODY_25.names[8] == "pelvis" and BODY_25.names[15:19] == ("right_eye", "left_eye", "right_ear", "left_ear")
    assert BODY_25.names[19:22] == ("left_big_toe", "left_small_toe", "left_heel")
    assert [len(keypoints) for keypoints in _ALL] == [17, 16, 28, 17, 17, 26, 25, 25, 18, 16, 17, 33]


@pytest.mark.parametrize("keypoint_set", _ALL)
def test_skeletons_are_trees(keypoint_set):
    assert len(set(keypoint_set.names)) == len(keypoint_set) and keypoint_set.parents.count(-1) == 1
    for i in range(len(keypoint_set)):
        steps = 0
        while (i := keypoint_set.parents[i]) >= 0:
            steps += 1
            assert steps < len(keypoint_set)


def test_approximations_are_affine():
    for rules in APPROXIMATIONS.values():
        for rule in rules:
            assert sum(rule.values()) == pytest.approx(1)


def test_3dhp_to_h36m():
    """The head goes where the nose is, and is no more than near it; nothing else is guessed."""
    change = remap("mpi_inf_3dhp_17", "h36m_17")
    assert change.exact == tuple(name for name in H36M_17.names if name != "nose")
    assert change.approximated == {"nose": {"head": 1.0}} and change.missing == ()
    order = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]
    poses, scores = make(MPI_INF_3DHP_17, 0)
    np.testing.assert_array_equal(change(poses, scores)[0], poses[..., order, :])
    np.testing.assert_array_equal(change(poses, scores)[1], scores[..., order])

    strict = remap(MPI_INF_3DHP_17, H36M_17, approximate=False)
    assert strict.missing == ("nose",) and np.flatnonzero(~strict.available).tolist() == [9]
    poses, scores = strict(poses)
    assert (poses[..., 9, :] == 0).all() and scores.sum(-1).tolist() == [[16.0] * 3] * 2
    for source in (MPI_INF_3DHP_17, MPI_INF_3DHP_28, H36M_17):
        assert remap(source, COMMON_16).exact == COMMON_16.names


def test_2d_to_h36m():
    assert set(remap(COCO_17, H36M_17).approximated) == {"pelvis", "spine", "thorax", "head_top"}
    assert set(remap(HALPE_26, H36M_17).approximated) == {"spine", "thorax"}
    assert set(remap(BODY_25, H36M_17).approximated) == {"spine", "thorax", "head_top"}
    assert not any(remap(source, H36M_17).missing for source in _ALL if source is not COMMON_16)
    poses = np.zeros((17, 2))
    for name, place in dict(
        shoulder=(1, 144), hip=(0.5, 90), knee=(0.5, 50), ankle=(0.5, 8), ear=(0.3, 162), wrist=(2, 80)
    ).items():
        poses[COCO_17.index(f"left_{name}")] = place
        poses[COCO_17.index(f"right_{name}")] = (-place[0], place[1])
    scores = np.ones(17)
    scores[COCO_17.index("left_ear")] = 0.25
    poses, scores = remap(COCO_17, H36M_17)(poses, scores)
    expected = dict(pelvis=(0, 90), spine=(0, 117), thorax=(0, 144), head_top=(0, 174.6), left_wrist=(2, 80))
    for name, place in expected.items():
        np.testing.assert_allclose(poses[H36M_17.index(name)], place, atol=1e-12)
    assert scores[H36M_17.index("head_top")] == 0.25 and scores[H36M_17.index("pelvis")] == 1


@given(sets, seeds)
def test_remap_to_itself_is_identity(keypoint_set, seed):
    poses, scores = make(keypoint_set, seed)
    change = remap(keypoint_set, keypoint_set)
    assert change.exact == keypoint_set.names and not change.approximated and not change.missing
    for new, old in zip(change(poses, scores), (poses, scores), strict=True):
        np.testing.assert_array_equal(new, old)


@given(sets, sets, st.booleans(), seeds, st.sampled_from([2, 3]))
def test_remap_changes_nothing_exact_and_knows_no_sides(source, target, approximate, seed, dim):
    poses, scores = make(source, seed, dim=dim)
    change = remap(source, target, approximate)
    assert sorted((*change.exact, *change.approximated, *change.missing)) == sorted(target.names)
    new, new_scores = change(poses, scores)
    for name in change.exact:
        np.testing.assert_array_equal(new[..., target.index(name), :], poses[..., source.index(name), :])
        np.testing.assert_array_equal(new_scores[..., target.index(name)], scores[..., source.index(name)])
    assert (new_scores[..., ~change.available] == 0).all() and (new_scores[..., change.available] > 0).all()
    flipped, flipped_scores = change(mirrored(source, poses), scores[..., source.flip_indices])
    np.testing.assert_allclose(flipped, mirrored(target, new), atol=1e-12)
    np.testing.assert_array_equal(flipped_scores, new_scores[..., target.flip_indices])


@given(sets, sets, seeds)
def test_remap_moves_with_the_pose(source, target, seed):
    poses, _ = make(source, seed)
    change = remap(source, target)
    moved = change(poses * 2 + 5)[0][..., change.available, :]
    np.testing.assert_allclose(moved, change(poses)[0][..., change.available, :] * 2 + 5, atol=1e-12)


def test_released_mapping():
    poses, _ = make(MPI_INF_3DHP_17, 0)
    expected = poses.copy()
    expected[..., 0, :] = (poses[..., 0, :] + poses[..., 16, :]) / 2
    order = [14, 8, 9, 10, 11, 12, 13, 15, 16, 0, 5, 6, 7, 2, 3, 4]
    np.testing.assert_array_equal(released_mpi_inf_3dhp_16(poses), expected[..., order, :])


@pytest.mark.parametrize(("shape", "scores"), [((5, 16, 3), None), ((5, 17, 3), (5, 16)), ((17,), None)])
def test_remap_of_wrong_shapes(shape, scores):
    with pytest.raises(ValueError, match="are not of coco_17; give"):
        remap("coco_17", "h36m_17")(np.zeros(shape), None if scores is None else np.zeros(scores))


def test_custom_sets():
    names = ("left_hip", "right_hip", "nose", "left_shoulder", "right_shoulder", "left_knee", "right_knee")
    custom = custom_keypoint_set(names)
    assert get_keypoint_set(custom.name) is custom and custom.name == "custom:" + ",".join(names)
    assert custom.flip_pairs == ((0, 1), (3, 4), (5, 6)) and custom.root == 2
    assert custom.parents == (3, 4, -1, 2, 2, 0, 1) and not custom.limbs
    found = remap(custom, "h36m_17")
    assert found.approximated["pelvis"] == {"left_hip": 0.5, "right_hip": 0.5}
    assert found.missing[0] == "right_ankle" and "head_top" in found.missing
    whole = custom_keypoint_set(H36M_17.names)
    assert (whole.parents, whole.limbs) == (H36M_17.parents, H36M_17.limbs)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("tail",), "keypoint 'tail' is not known; there are .*head_top"),
        (("left_hip",), "keypoint 'left_hip' is there and 'right_hip' is not; give both"),
        (("nose", "nose"), "keypoint 'nose' is there twice"),
    ],
)
def test_bad_custom_sets(names, message):
    with pytest.raises(KeyError, match=message):
        custom_keypoint_set(names)


def test_orders_of_other_detectors():
    """From their documentation: where some keypoints stand."""
    places = {
        "body_25b": dict(left_shoulder=5, right_ankle=16, upper_neck=17, head_top=18, left_big_toe=19, right_heel=24),
        "openpose_18": dict(neck=1, right_shoulder=2, left_shoulder=5, right_hip=8, left_ankle=13, right_eye=14),
        "mpii_16": dict(right_ankle=0, left_hip=3, pelvis=6, thorax=7, head_top=9, right_wrist=10, left_wrist=15),
        "posetrack_17": dict(nose=0, upper_neck=1, head_top=2, left_ear=3, left_shoulder=5, right_ankle=16),
        "blazepose_33": dict(nose=0, mouth_left=9, left_shoulder=11, right_wrist=16, left_hip=23, right_foot_index=32),
    }
    for name, expected in places.items():
        keypoint_set = get_keypoint_set(name)
        assert {keypoint: keypoint_set.index(keypoint) for keypoint in expected} == expected
        assert {"pelvis", "right_hip", "left_wrist", "thorax", "head_top"} & set(
            remap(name, "h36m_17").missing
        ) == set()


def test_only_what_is_wanted_is_approximated():
    mapping = remap("blazepose_33", "h36m_17", approximate=BY_DEFINITION)
    assert mapping.missing == ("spine", "thorax", "head_top") and set(mapping.approximated) == {"pelvis"}
    assert mapping.available.sum() == 14
    assert remap("blazepose_33", "h36m_17").missing == () and len(remap("blazepose_33", "h36m_17", False).missing) == 4


def test_blazepose_pairs_the_corners_of_the_mouth():
    names = BLAZEPOSE_33.names
    pairs = {(names[left], names[right]) for left, right in BLAZEPOSE_33.flip_pairs}
    assert (
        len(pairs) == 16 and ("mouth_left", "mouth_right") in pairs and ("left_foot_index", "right_foot_index") in pairs
    )
    assert BLAZEPOSE_33.limbs["left_arm"] == (11, 13, 15) and BLAZEPOSE_33.limbs["right_leg"] == (24, 26, 28)
