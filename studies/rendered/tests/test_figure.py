import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import get_keypoint_set

from ..figure import Clothes, dress, random_clothes

H36M = get_keypoint_set("h36m_17")
# A person who faces the camera: x to their left, y down, m.
STANDING = {
    "pelvis": (0, 0),
    "hip": (0.13, 0.02),
    "knee": (0.14, 0.46),
    "ankle": (0.14, 0.88),
    "spine": (0, -0.24),
    "thorax": (0, -0.5),
    "nose": (0, -0.6),
    "head_top": (0, -0.78),
    "shoulder": (0.17, -0.48),
    "elbow": (0.3, -0.24),
    "wrist": (0.4, 0.0),
}


def standing(depth: float = 4.0) -> np.ndarray:
    pose = np.zeros((17, 3))
    for index, name in enumerate(H36M.names):
        side, _, part = name.rpartition("_") if name.startswith(("left_", "right_")) else ("", "", name)
        x, y = STANDING[part]
        pose[index] = (-x if side == "right" else x, y, depth)
    return pose


@pytest.fixture
def clothes() -> Clothes:
    return random_clothes(np.random.default_rng(0))


def test_every_keypoint_is_in_the_flesh(sequences, clothes):
    for pose in [standing(), *sequences[2].keypoints_3d[::20].astype(float)]:
        figure = dress(pose, clothes)
        assert len(figure.ends) == 30
        start, along = figure.ends[:, 0], figure.ends[:, 1] - figure.ends[:, 0]
        share = ((pose[:, None] - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
        share = share.clip(0, 1)
        distance = np.linalg.norm(pose[:, None] - start - share[..., None] * along, axis=-1)
        outside = (distance - figure.radii[:, 0] - share * (figure.radii[:, 1] - figure.radii[:, 0])).min(1)
        assert outside.max() < 0, H36M.names[outside.argmax()]


def test_left_and_right_are_built_alike_and_left_is_lighter(clothes):
    pose = standing() + np.random.default_rng(1).normal(0, 0.05, (17, 3))
    mirrored = pose[list(H36M.flip_indices)] * [-1, 1, 1]
    one, two = dress(pose, clothes), dress(mirrored, clothes)

    def rows(figure, sign):
        ends = figure.ends * [sign, 1, 1]
        # The ends of what goes across the face change places.
        table = np.concatenate([ends.sum(1), np.abs(ends[:, 0] - ends[:, 1]), figure.radii, figure.bands[:, None]], 1)
        order = np.lexsort(table.round(6).T)
        return table[order], figure.colours[order]

    (built, colours), (same, others) = rows(one, -1), rows(two, 1)
    np.testing.assert_allclose(built, same, atol=1e-6)
    lighter = (colours - others).mean(1)
    # The 10 capsules of each side; trunk and head have no side.
    np.testing.assert_allclose(np.sort(lighter), [-0.4] * 10 + [0] * 10 + [0.4] * 10, atol=1e-6)


def test_face_and_feet_point_where_the_person_looks(clothes):
    figure = dress(standing(), clothes)
    dark = np.flatnonzero((figure.colours == 0.05).all(1))
    assert len(dark) == 2 and (figure.ends[dark, 0, 2] < 4 - 0.05).all()  # eyes, towards the camera
    shoes = np.flatnonzero(np.isclose(figure.radii, np.array([0.042, 0.036]) * clothes.build).all(1))
    heels, toes = figure.ends[shoes, 0], figure.ends[shoes, 1]
    assert (toes[:, 2] < heels[:, 2] - 0.1).all() and (toes[:, 1] > 0.88).all()
    turned = dress(standing() * [-1, 1, 1], clothes)  # left and right change places: seen from behind
    assert (turned.ends[dark, 0, 2] > 4 + 0.05).all()


def test_clothes_follow_the_seed_and_colours_are_colours():
    one, two, other = (random_clothes(np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.shirt, two.shirt)
    assert (one.shirt != other.shirt).any()
    for seed in range(50):
        clothes = random_clothes(np.random.default_rng(seed))
        for colour in (clothes.skin, clothes.hair, clothes.shirt, clothes.front, clothes.trousers, clothes.shoes):
            assert colour.shape == (3,) and colour.min() >= 0 and colour.max() <= 1
