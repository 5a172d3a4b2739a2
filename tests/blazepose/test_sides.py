from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.blazepose.sides import mend_sides
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.pose.keypoints import BLAZEPOSE_33 as SET

LEGS = [
    SET.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee", "ankle", "heel", "foot_index")
]
ARMS = [SET.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "elbow", "wrist", "thumb")]
OTHER = list(SET.flip_indices)


@pytest.fixture
def track():
    """60 frames of somebody whose limbs swing."""
    random = np.random.default_rng(0)
    body = random.uniform(0, 300, (33, 2)) + (300, 100)
    body[list(SET.left), 0] += 120
    swing = 20 * np.sin(np.arange(60) / 5)[:, None, None] * random.uniform(-1, 1, (33, 2))
    scores = random.uniform(0.4, 1, (60, 33))
    return Track2D("0", np.arange(60) / 30, body + swing, scores, "blazepose_33", 1000, 1000, 30.0)


def exchanged(track, frames, keypoints):
    positions, scores = track.keypoints.copy(), track.scores.copy()
    rows, others = np.array(frames)[:, None], [OTHER[index] for index in keypoints]
    positions[rows, keypoints], scores[rows, keypoints] = track.keypoints[rows, others], track.scores[rows, others]
    return replace(track, keypoints=positions, scores=scores)


@pytest.mark.parametrize("limbs", [LEGS, ARMS, LEGS + ARMS])
@pytest.mark.parametrize("frames", [[7], range(20, 40), [0, 1, 2], range(50, 60), [5, 6, 30, 31, 32]])
def test_what_was_exchanged_is_put_back_with_its_ends_and_scores(track, limbs, frames):
    limbs = sorted({*limbs, *(index for index in range(33) if hangs_on(index, limbs))})
    mended = mend_sides(exchanged(track, list(frames), limbs))
    np.testing.assert_array_equal(mended.keypoints, track.keypoints)
    np.testing.assert_array_equal(mended.scores, track.scores)


def hangs_on(index, limbs):
    ends = {SET.index(f"{side}_{part}") for side in ("left", "right") for part in ("wrist", "ankle")} & set(limbs)
    return SET.parents[index] in ends


def test_a_right_track_stays_as_it_is(track):
    np.testing.assert_array_equal(mend_sides(track).keypoints, track.keypoints)
    one = replace(track, times=track.times[:1], keypoints=track.keypoints[:1], scores=track.scores[:1])
    np.testing.assert_array_equal(mend_sides(one).keypoints, one.keypoints)


def test_legs_that_pass_each_other_are_not_exchanged(track):
    """Seen from the side both are in one place for a moment; the detector is right then."""
    keypoints = track.keypoints.copy()
    middle = (keypoints[:, LEGS[:5]] + keypoints[:, LEGS[5:]]) / 2
    offset = np.linspace(60, -60, 60)[:, None, None] * (1, 0)
    keypoints[:, LEGS[:5]], keypoints[:, LEGS[5:]] = middle + offset, middle - offset
    passing = replace(track, keypoints=keypoints)
    np.testing.assert_array_equal(mend_sides(passing).keypoints, passing.keypoints)


def test_the_rate_of_the_video_does_not_matter(track):
    twice = replace(
        track,
        times=np.arange(119) / 60,
        keypoints=np.stack(
            [np.interp(np.arange(119) / 2, np.arange(60), one) for one in track.keypoints.reshape(60, -1).T], 1
        ).reshape(119, 33, 2),
        scores=np.repeat(track.scores, 2, axis=0)[:119],
        fps=60.0,
    )
    mended = mend_sides(exchanged(twice, range(40, 80), LEGS))
    np.testing.assert_array_equal(mended.keypoints, twice.keypoints)
