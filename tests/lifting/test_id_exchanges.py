import numpy as np
import pytest

from mpm_mmpose.lifting.id_exchanges import check_exchanges
from mpm_mmpose.lifting.tracks import Track2D

BODY = np.random.default_rng(0).uniform(-1, 1, (17, 2)) * (100, 300)  # about 1.7 m are 600 px


def walker(person, x, frames=90, fps=30.0):
    """Somebody who goes 5 px a frame from x px on."""
    places = np.stack((x + 5.0 * np.arange(frames), np.full(frames, 500.0)), -1)
    keypoints = BODY + places[:, None]
    return Track2D(person, np.arange(frames) / fps, keypoints, np.ones(keypoints.shape[:2]), "coco_17", 1920, 1080, fps)


def swapped(first, second, row):
    one, two = (np.concatenate((a.keypoints[:row], b.keypoints[row:])) for a, b in ((first, second), (second, first)))
    return [
        Track2D(track.person, track.times, keypoints, track.scores, "coco_17", 1920, 1080, 30.0)
        for track, keypoints in ((first, one), (second, two))
    ]


def test_people_who_walk_are_left_alone():
    tracks = [walker("0", 200), walker("1", 1000)]
    people, notes = check_exchanges(tracks)
    assert people == tracks and not notes


@pytest.mark.parametrize("row", [1, 45, 89])
def test_an_exchange_is_named_and_undone_when_asked(row):
    first, second = walker("a", 200), walker("b", 1000)
    tracks = swapped(first, second, row)
    people, notes = check_exchanges(tracks)
    assert people == tracks and len(notes) == 1
    assert notes[0].startswith("persons a and b would move at ") and notes[0].endswith("--ids mend undoes that")
    assert f"from {(row - 1) / 30:.2f} to {row / 30:.2f} s" in notes[0]
    people, notes = check_exchanges(tracks, mend=True)
    for mended, whole in zip(people, (first, second), strict=True):
        np.testing.assert_array_equal(mended.keypoints, whole.keypoints)
        np.testing.assert_array_equal(mended.times, whole.times)
    assert len(notes) == 1 and notes[0].endswith("their ids are exchanged there, which is undone")


def test_exchanged_and_back():
    first, second = walker("0", 200), walker("1", 1000)
    tracks = swapped(*swapped(first, second, 30), 60)
    people, notes = check_exchanges(tracks, mend=True)
    np.testing.assert_array_equal(people[0].keypoints, first.keypoints)
    assert len(notes) == 2 and len(check_exchanges(tracks)[1]) == 2


def test_who_becomes_somebody_else_alone():
    track = walker("7", 200)
    moved = track.keypoints.copy()
    moved[50:] += (900, 0)
    jumped = Track2D("7", track.times, moved, track.scores, "coco_17", 1920, 1080, 30.0)
    for mend in (False, True):
        people, notes = check_exchanges([jumped, walker("8", 1000, frames=20)], mend)
        assert people[0] is jumped and len(notes) == 1
        assert "person 7 would move at" in notes[0] and "--ids ignore" in notes[0]


def test_a_gap_gives_time_to_walk():
    track = walker("0", 200)
    keep = np.r_[:30, 80:90]
    moved = track.keypoints[keep].copy()
    moved[30:] += (300, 0)
    gone = Track2D("0", track.times[keep], moved, track.scores[keep], "coco_17", 1920, 1080, 30.0)
    assert not check_exchanges([gone])[1]


def test_noise_and_a_missed_body_are_no_motion():
    track = walker("0", 200, fps=240.0)
    noisy = track.keypoints + np.random.default_rng(1).normal(0, 20, track.keypoints.shape)
    scores = track.scores.copy()
    scores[40, 3:] = 0
    scores[50] = 0
    assert not check_exchanges([Track2D("0", track.times, noisy, scores, "coco_17", 1920, 1080, 240.0)])[1]


def test_many_jumps_are_summed_up():
    first, second = walker("0", 200), walker("1", 1000)
    tracks = [first, second]
    for row in range(10, 80, 10):
        tracks = swapped(*tracks, row)
    notes = check_exchanges(tracks)[1]
    assert len(notes) == 4 and notes[-1] == "and 4 more such jumps"
