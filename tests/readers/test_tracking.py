import numpy as np
import pytest

from mpm_mmpose.errors import UsageError
from mpm_mmpose.readers.tracking import PersonTracker

BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (40, 100)


def person(x: float, y: float = 50.0):
    """Keypoints, scores and box of somebody at x, y, px."""
    return BODY + (x, y), np.ones(17), np.array([x, y, x + 40, y + 100])


def update(tracker, time, *people):
    columns = [np.array(column) for column in zip(*people, strict=True)]
    columns = columns or [np.zeros((0, 17, 2)), np.zeros((0, 17)), np.zeros((0, 4))]
    return tracker.update(time, *columns).tolist()


@pytest.fixture(params=["iou", "oks"])
def tracker(request):
    return PersonTracker(request.param)


def test_ids_follow_people_in_any_order(tracker):
    assert update(tracker, 0.0, person(0), person(200)) == [0, 1]
    assert update(tracker, 0.1, person(203), person(3)) == [1, 0]
    assert update(tracker, 0.2, person(6), person(400), person(206)) == [0, 2, 1]


def test_a_short_miss_keeps_the_id_of_somebody_who_walks_on(tracker):
    # 10 px a frame: after 9 frames the box would not overlap where it was.
    for frame in range(10):
        assert update(tracker, frame / 30, person(10 * frame)) == [0]
    for frame in range(10, 18):
        assert update(tracker, frame / 30) == []
    assert update(tracker, 18 / 30, person(180)) == [0]


def test_a_long_miss_makes_somebody_new():
    tracker = PersonTracker(max_miss=0.5)
    assert update(tracker, 0.0, person(0)) == [0]
    assert update(tracker, 0.6, person(0)) == [1]


def test_one_id_is_never_given_twice_in_an_image(tracker):
    update(tracker, 0.0, person(0))
    assert update(tracker, 0.1, person(2), person(1)) == [1, 0]


def test_pairs_are_decided_together(tracker):
    """Taken one by one, the first would get the best and leave the second nobody."""
    update(tracker, 0.0, person(0), person(16))
    assert update(tracker, 0.1, person(8), person(24)) == [0, 1]


def test_unlike_pairs_do_not_win_by_their_sum():
    tracker = PersonTracker(threshold=0.5)
    update(tracker, 0.0, person(0), person(22))
    # 0.29 for 22 px: two such pairs must not be preferred to one that fits.
    assert update(tracker, 0.1, person(22), person(44)) == [1, 2]


def test_unknown_tracker():
    with pytest.raises(UsageError, match="track is 'best'; give 'iou' or 'oks'"):
        PersonTracker("best")
