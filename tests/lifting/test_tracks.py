from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.lifting.tracks import Track2D, find_stretches, visible_keypoints
from mpm_mmpose.pose.keypoints import COCO_17, H36M_17


def make_track(**changes):
    fields = dict(
        person="2",
        times=np.arange(4) / 25,
        keypoints=np.full((4, 17, 2), 50.0),
        scores=np.ones((4, 17)),
        keypoint_set="coco_17",
        width=200,
        height=100,
        fps=25.0,
    )
    return Track2D(**(fields | changes))


def test_arrays_have_the_types_that_are_said():
    track = make_track(intrinsics=[100, 100, 100, 50, 0, 0, 0, 0, 0])
    assert [array.dtype for array in (track.times, track.keypoints, track.scores, track.intrinsics)] == [
        np.float64,
        np.float32,
        np.float32,
        np.float32,
    ]
    assert len(track) == 4


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (dict(times=[], keypoints=np.zeros((0, 17, 2)), scores=np.zeros((0, 17))), "person 2: there is no frame"),
        (dict(keypoint_set="coco_18"), "person 2: keypoint set 'coco_18' is not known; use one of"),
        (
            dict(keypoint_set="halpe_26"),
            r"keypoints has shape \(4, 17, 2\), but 4 frames of halpe_26 have \(4, 26, 2\)",
        ),
        (dict(scores=np.ones((4, 16))), r"scores has shape \(4, 16\)"),
        (dict(intrinsics=np.ones(4)), r"intrinsics has shape \(4,\)"),
        (dict(times=[0, 1, 1, 2]), "times must be finite and increase"),
        (dict(times=[0, 1, np.nan, 2]), "times must be finite and increase"),
        (dict(width=0), "width 0, height 100, fps 25.0"),
        (dict(fps=float("nan")), "fps nan"),
        (dict(scores=np.full((4, 17), np.nan)), "nose of frame 0 .* score nan; where a keypoint was not found"),
    ],
)
def test_what_does_not_fit_is_named(changes, match):
    with pytest.raises(ValueError, match=match):
        make_track(**changes)


def test_nan_is_for_what_was_not_found():
    keypoints, scores = np.full((4, 17, 2), 50.0), np.ones((4, 17))
    keypoints[2, COCO_17.index("left_knee"), 1] = np.nan
    with pytest.raises(ValueError, match=r"left_knee of frame 2 is at \[50. nan\] with score 1.0"):
        make_track(keypoints=keypoints)
    scores[2, COCO_17.index("left_knee")] = 0
    assert np.isnan(make_track(keypoints=keypoints, scores=scores).keypoints).sum() == 1


def test_keypoints_are_believed_above_the_threshold_and_inside_the_image():
    keypoints, scores = np.full((4, 17, 2), 50.0), np.ones((4, 17))
    nose, knee = COCO_17.index("nose"), COCO_17.index("left_knee")
    scores[0, nose], scores[1, nose] = 0.3, 0.29
    keypoints[0, knee], keypoints[1, knee], keypoints[2, knee] = (200, 100), (201, 50), (50, -1)
    scores[3, knee], keypoints[3, knee] = 0, np.nan
    found, visible = visible_keypoints(make_track(keypoints=keypoints, scores=scores), "coco_17", 0.3)
    expected = np.ones((4, 17), bool)
    expected[1, nose] = expected[1:, knee] = False
    np.testing.assert_array_equal(visible, expected)
    np.testing.assert_array_equal(found[0, knee], (200, 100))
    assert found.dtype == np.float32 and not found[~expected].any()
    # A threshold of 0 believes all that was found, and not what has a place without having been found.
    scores[2, nose] = 0
    _, visible = visible_keypoints(make_track(keypoints=keypoints, scores=scores), "coco_17", 0.0)
    assert visible[:, nose].tolist() == [True, True, False, True] and not visible[3, knee]


def test_what_is_put_together_needs_all_its_parts():
    keypoints = np.random.default_rng(0).uniform(10, 90, (4, 17, 2)).astype(np.float32)
    hips = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]
    keypoints[1, hips[0]] = (-5, 50)
    found, visible = visible_keypoints(make_track(keypoints=keypoints), "h36m_17", 0.3)
    np.testing.assert_allclose(found[0, H36M_17.root], keypoints[0, hips].mean(0), rtol=1e-6)
    assert [H36M_17.names[index] for index in np.flatnonzero(~visible[1])] == ["pelvis", "left_hip", "spine"]
    assert visible[[0, 2, 3]].all()
    # A set without eyes and ears has no head top to be guessed from them.
    common = make_track(keypoint_set="common_16", keypoints=np.full((4, 16, 2), 50.0), scores=np.ones((4, 16)))
    _, visible = visible_keypoints(common, "h36m_17", 0.3)
    assert np.flatnonzero(~visible.all(0)).tolist() == [H36M_17.index("nose")]


def test_stretches_end_at_long_gaps_and_reach_beyond_the_last_sight():
    times = np.arange(20) / 10
    seen = np.zeros(20, bool)
    seen[[3, 4, 6, 12, 13]] = True
    reach = 0.21
    assert find_stretches(times, seen, 0.45, reach) == [slice(1, 9), slice(10, 16)]
    assert find_stretches(times, seen, 0.7, reach) == [slice(1, 16)]
    assert find_stretches(times, np.zeros(20, bool), 1, reach) == []


def test_a_track_is_changed_by_making_another():
    track = make_track()
    with pytest.raises(AttributeError):
        track.width = 3
    with pytest.raises(ValueError, match="fps 0"):
        replace(track, fps=0)
