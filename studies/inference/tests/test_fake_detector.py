from dataclasses import replace

import numpy as np
import pytest

from ..fake_detector import FOOLED, STRETCHES, UNSURE, detect


@pytest.fixture(scope="module")
def long(clips):
    """The first clip to and fro, 3000 frames."""
    track = clips[0].track
    there_and_back = np.concatenate([track.keypoints, track.keypoints[::-1]])
    keypoints = np.resize(there_and_back, (3000, 17, 2))
    return replace(track, keypoints=keypoints, scores=np.ones((3000, 17)), times=np.arange(3000) / track.fps)


def test_what_is_seen_is_a_few_px_off_and_scores_know_it(long):
    found = detect(long, "nothing occluded", 0)
    error = np.linalg.norm(found.track.keypoints - long.keypoints, axis=-1)
    assert not found.occluded.any()
    assert 3.5 < np.median(error) < 6.5  # 4 px each way
    assert 0.02 < (found.track.scores < 0.3).mean() < 0.06
    assert error[found.track.scores < 0.3].mean() > 2 * error[found.track.scores > 0.7].mean()


@pytest.mark.parametrize("occlusion", [name for name, stretches in STRETCHES.items() if stretches])
def test_what_is_masked_is_found_elsewhere_and_mostly_doubted(long, occlusion):
    (shortest, longest), share = STRETCHES[occlusion]
    found = detect(long, occlusion, 1)
    seen = detect(long, "nothing occluded", 1)
    occluded = found.occluded
    # Of half a body more than a third and less than two thirds are beyond the edge.
    part = 0.5 if occlusion == "half of the body" else 1.0
    assert occluded.mean() == pytest.approx(part * share, rel=0.35)
    np.testing.assert_array_equal(found.track.keypoints[~occluded], seen.track.keypoints[~occluded])
    doubted = found.track.scores[occluded] <= UNSURE
    assert 1 - FOOLED - 0.1 < doubted.mean() <= 1
    off = np.linalg.norm(found.track.keypoints - long.keypoints, axis=-1)
    assert off[occluded].mean() > 5 * off[~occluded].mean()
    if occlusion == "whole frames":
        assert (occluded.all(1) == occluded.any(1)).all()
    if occlusion != "half of the body":
        edges = np.flatnonzero(np.diff(np.r_[False, occluded[:, 3], False].astype(int))).reshape(-1, 2)
        lengths = np.diff(edges, axis=1)[:-1] / long.fps
        assert lengths.min() >= shortest - 0.04 and np.median(lengths) < longest + 0.04


def test_half_a_body_is_on_the_edge_that_it_is_behind(long):
    found = detect(long, "half of the body", 2)
    rows = found.occluded.any(1)
    beyond, pelvis = found.track.keypoints[rows], found.track.keypoints[rows][:, :1]
    on_edge = (beyond == pelvis).any(-1)
    assert on_edge[found.occluded[rows]].all()
    assert not found.occluded[:, 0].any()


def test_the_seed_says_it_all(long):
    one, same, other = (detect(long, "single keypoints", seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.track.keypoints, same.track.keypoints)
    np.testing.assert_array_equal(one.occluded, same.occluded)
    assert (one.occluded != other.occluded).mean() > 0.1


def test_a_clip_too_short_for_a_stretch_is_whole(long):
    short = replace(long, times=long.times[:2], keypoints=long.keypoints[:2], scores=long.scores[:2])
    found = [detect(short, "whole frames", seed) for seed in range(8)]
    assert any(not one.occluded.any() for one in found)
    assert all(np.isfinite(one.track.keypoints).all() for one in found)
