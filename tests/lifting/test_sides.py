import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.lifting.sides import Exchange, check_sides, find_exchanges, put_back
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.pose.keypoints import COCO_17, H36M_17
from studies.quickstart.synthetic_motion import generate_motion

ARMS_AND_LEGS = [Exchange("legs", slice(40, 45)), Exchange("upper body", slice(40, 45))]


@pytest.fixture(scope="module")
def walkers():
    """People from all sides at 30 Hz, as COCO's keypoints, with a detector's noise."""
    rng = np.random.default_rng(0)
    index = [H36M_17.index(name if name in H36M_17.names else "nose") for name in COCO_17.names]
    tracks = []
    for seed in range(3):
        for sequence in project_views(generate_motion("mixed", 6, 30, seed), cameras=4, seed=seed):
            keypoints = sequence.keypoints[:, index] + rng.normal(0, 3, (len(sequence), 17, 2))
            scores = np.ones(keypoints.shape[:2])
            times = np.arange(len(sequence)) / 30
            tracks.append(Track2D("0", times, keypoints, scores, "coco_17", 1000, 1000, 30.0))
    return tracks


def apart(track, rows):
    """How far left and right are apart, as a share of the person's height."""
    hips = track.keypoints[rows][:, [11, 12]]
    height = np.ptp(track.keypoints[rows][..., 1], axis=1).mean()
    return np.abs(np.diff(hips, axis=1)).max() / height


def test_motion_is_no_exchange(walkers):
    assert [find_exchanges(track) for track in walkers] == [[]] * len(walkers)


def test_exchanges_of_some_frames_are_found_and_undone(walkers):
    found = 0
    for track in walkers:
        wrong = put_back(track, ARMS_AND_LEGS)
        exchanges = find_exchanges(wrong)
        assert all(exchange in ARMS_AND_LEGS for exchange in exchanges)
        found += exchanges == ARMS_AND_LEGS
        # Seen from the side, left is where right is, and an exchange changes little.
        assert exchanges or apart(track, slice(39, 46)) < 0.1
        if exchanges == ARMS_AND_LEGS:
            notes = []
            mended = check_sides(wrong, notes, mend=True)
            np.testing.assert_array_equal(mended.keypoints, track.keypoints)
            assert notes == [
                "person 0: the detector exchanges left and right in 5 frames from 1.33 to 1.47 s; this is undone"
            ]
    assert found >= len(walkers) / 2


def test_a_part_alone_and_what_is_said(walkers):
    track = max(walkers, key=lambda track: apart(track, slice(39, 46)))
    wrong = put_back(track, ARMS_AND_LEGS[:1])
    notes = []
    assert check_sides(wrong, notes) is wrong
    exchanged = "person 0: the detector exchanges left and right of the legs in 5 frames from 1.33 to 1.47 s"
    assert notes == [f"{exchanged}; --mend-sides undoes that"]


def test_what_lasts_or_is_far_apart_in_time_is_left_alone(walkers):
    track = max(walkers, key=lambda track: apart(track, slice(39, 46)))
    lasting = put_back(track, [Exchange("legs", slice(40, 120))])
    assert find_exchanges(lasting) == []
    slow = Track2D("0", track.times * 5, track.keypoints, track.scores, "coco_17", 1000, 1000, 6.0)
    assert find_exchanges(put_back(slow, ARMS_AND_LEGS)) == []
    assert find_exchanges(Track2D("0", [0.0], track.keypoints[:1], track.scores[:1], "coco_17", 9, 9, 30.0)) == []
