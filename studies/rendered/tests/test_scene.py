import numpy as np
import pytest

from ..scene import Scene
from ..stills import person_box

SIZE = 200


@pytest.fixture
def walk(sequences):
    """A sequence as a camera of 200 x 200 px sees it."""
    sequence = sequences[0]
    scale = SIZE / sequence.width
    intrinsics = sequence.intrinsics * np.array([*[scale] * 4, 1, 1, 1, 1, 1])
    return sequence.keypoints_3d, intrinsics, sequence.keypoints * scale


def scene(walk, seed=0, occluders=0):
    _, intrinsics, keypoints = walk
    box = person_box(keypoints[0], SIZE, SIZE)
    return Scene(np.random.default_rng(seed), SIZE, SIZE, intrinsics, box, occluders)


def test_keypoints_are_the_cameras_and_people_are_drawn_there(walk):
    poses, _, keypoints = walk
    made = scene(walk)
    frames = [made.render(pose) for pose in (poses[0], poses[30])]
    assert frames[0].image.shape == (SIZE, SIZE, 3) and frames[0].image.dtype == np.uint8
    assert frames[0].visible.all()
    empty = 255 * made.backdrop
    for frame, index in zip(frames, (0, 30), strict=True):
        np.testing.assert_allclose(frame.keypoints, keypoints[index], atol=1e-2)
        x, y = np.rint(frame.keypoints).astype(int).T
        # Somebody stands before the backdrop; grain alone does not change so much.
        assert np.median(np.abs(frame.image[y, x] - empty[y, x]).max(-1)) > 20
        away = np.ones((SIZE, SIZE), bool)
        left, top, right, bottom = person_box(frame.keypoints, SIZE, SIZE).round().astype(int)
        away[max(top - 15, 0) : bottom + 15, max(left - 15, 0) : right + 15] = False
        assert np.median(np.abs(frame.image[away] - empty[away])) < 12


def test_everything_follows_the_seed(walk):
    poses = walk[0]
    one, two, other = (scene(walk, seed, occluders=2) for seed in (5, 5, 6))
    for pose in poses[:2]:
        image = one.render(pose).image
        np.testing.assert_array_equal(image, two.render(pose).image)
        assert (image != other.render(pose).image).mean() > 0.5


def test_what_stands_in_front_hides_keypoints(walk):
    pose = walk[0][0]
    occluded = 0
    for seed in range(6):
        made = scene(walk, seed, occluders=1)
        frame = made.render(pose)
        mask, colours = made.occluders[0]
        for (x, y), visible in zip(np.rint(frame.keypoints).astype(int), frame.visible, strict=True):
            assert visible != mask[y, x]
        made.blur = 0.0
        inside = mask.copy()
        inside[1:] &= mask[:-1]
        difference = np.abs(made.render(pose).image[inside] - 255 * colours[inside])
        assert np.median(difference) < 12
        occluded += (~frame.visible).sum()
    assert occluded > 5


def test_who_leaves_the_image_is_not_visible(walk):
    pose = walk[0][0] + np.array([50, 0, 0])
    frame = scene(walk).render(pose)
    assert not frame.visible.any() and (frame.keypoints[:, 0] >= SIZE).all()
