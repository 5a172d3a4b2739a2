import numpy as np
import pytest

from mpm_mmpose.blazepose.blazepose import PeopleFollower, distinct, join
from mpm_mmpose.blazepose.landmarks import Landmarks
from mpm_mmpose.blazepose.region import Region
from mpm_mmpose.pose.keypoints import BLAZEPOSE_33, H36M_17, remap

LIMBS = [
    f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]
BODY = np.random.default_rng(0).uniform(-40, 40, (33, 2)).astype(np.float32)


def person(x, score=1.0, visibility=0.9):
    sure = np.full(33, visibility, np.float32)
    return Landmarks(BODY + (x, 50), sure, np.full(33, 0.95, np.float32), score, Region(x, 50, 100))


class Stage:
    """Both models: people stand at the places that the first row of an image says; each person asked for is counted.

    Of several people only the first is seen, unless they are painted over.
    """

    def __init__(self):
        self.looks, self.close_looks, self.crops = 0, [], []

    def detect(self, image, known, closely):
        self.looks += 1
        self.close_looks.append(closely)
        places = [float(x) for x in image[0, :, 0] if x]
        left = [x for x in places if not any(box[0] <= x <= box[2] for box in known)]
        return [Region(x, 50, 100) for x in left[:1]]

    def follow(self, image, region):
        self.crops.append(region.x)
        near = [float(x) for x in image[0, :, 0] if x and abs(x - region.x) < 30]
        return person(min(near, key=lambda x: abs(x - region.x))) if near else person(region.x, score=0.1)


def image(*places):
    """An image of 100 x 250 px."""
    made = np.zeros((100, 250, 3), np.uint8)
    made[0, : len(places)] = np.reshape(places, (-1, 1))
    return made


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def follower(stage):
    return PeopleFollower(stage.detect, stage.follow, fps=10)


def middle(people):
    return (people.keypoints.mean(1)[:, 0] - BODY.mean(0)[0]).round().astype(int).tolist()


def test_who_was_found_is_followed_without_looking_at_the_whole_image(follower, stage):
    found = [middle(follower(image(x))) for x in (100, 104, 108, 112)]
    assert found == [[100], [104], [108], [112]] and stage.looks == 2  # once more, whether there is somebody else
    assert stage.crops == [100, 100, 100, 104, 108]  # where they were found, made better, and where they were before


def test_people_who_come_are_found_within_half_a_second(follower, stage):
    found = [len(follower(image(50, *([150] if number > 1 else []))).keypoints) for number in range(9)]
    assert found == [1, 1, 1, 1, 1, 2, 2, 2, 2]


def test_who_is_lost_is_looked_for_at_once(follower):
    follower(image(50, 150))
    assert sorted(middle(follower(image(50, 200)))) == [50, 200]
    assert middle(follower(image(50))) == [50]


def test_nobody(follower, stage):
    people = follower(image())
    assert [array.shape for array in people] == [(0, 33, 2), (0, 33), (0, 4)]
    for _ in range(6):
        follower(image())
    # Somebody may come any moment; a person who is small is looked for every half second.
    assert stage.close_looks == [True, False, False, False, False, True, False]


def test_two_regions_that_come_to_one_person_are_one(follower):
    follower(image(60, 85))
    assert middle(follower(image(72))) == [72]
    assert len(distinct([person(50), person(53), person(58)])) == 2
    mirrored = person(50)._replace(keypoints=person(50).keypoints[list(BLAZEPOSE_33.flip_indices)])
    assert len(distinct([person(50), mirrored])) == 1  # one of them exchanges the sides


def test_who_is_new_and_covers_somebody_is_nobody_else():
    sure, unsure = person(50), person(62, visibility=0.5)
    assert join([sure], [unsure], 300, 100) == [sure]
    assert [one.following.x for one in join([], [unsure, sure, person(200)], 300, 100)] == [50, 200]


def test_scores_and_boxes(follower):
    people = follower(image(100))
    np.testing.assert_allclose(people.scores, 0.9)
    np.testing.assert_allclose(people.boxes[0], [*(BODY.min(0) + (100, 50)), *(BODY.max(0) + (100, 50))], rtol=1e-6)
    assert all(array.dtype == np.float32 for array in people)


def test_a_rendered_person_is_found_on_the_right_sides(blazepose, walk):
    images, ground_truth = walk
    find = blazepose.begin(30.0)
    indices = [BLAZEPOSE_33.index(name) for name in LIMBS], [H36M_17.index(name) for name in LIMBS]
    for image, keypoints in zip(images, ground_truth, strict=True):
        people = find(image)
        height = np.ptp(keypoints[:, 1])
        distance = np.linalg.norm(people.keypoints[0, indices[0]] - keypoints[indices[1]], axis=1)
        assert len(people.keypoints) == 1 and np.median(distance) < 0.05 * height
        assert people.scores[0, indices[0]].mean() > 0.6


def test_two_people_in_one_image(blazepose, walk):
    images, ground_truth = walk
    width = images.shape[2]
    find = blazepose.begin(30.0)
    for image in images[:3]:
        people = find(np.concatenate((image, image[:, ::-1]), axis=1))
    pelvis = people.keypoints[:, [23, 24]].mean(1)[:, 0]
    expected = ground_truth[2, 0, 0]
    np.testing.assert_allclose(sorted(pelvis), [expected, 2 * width - expected], atol=0.05 * width)


def test_a_person_who_is_small_in_the_image_is_found(blazepose, far_walk):
    images, ground_truth = far_walk
    assert np.ptp(ground_truth[0, :, 1]) < 0.3 * images.shape[1] and blazepose.detector(images[0]) == []
    people = blazepose.begin(30.0)(images[0])
    (pelvis,) = people.keypoints[:, [23, 24]].mean(1)
    assert np.hypot(*(pelvis - ground_truth[0, 0])) < 0.08 * np.ptp(ground_truth[0, :, 1])


def test_what_blazepose_does_not_have_is_missing_in_human36m():
    mapping = remap("blazepose_33", "h36m_17", approximate=("pelvis",))
    assert mapping.missing == ("spine", "thorax", "head_top") and set(mapping.approximated) == {"pelvis"}
