import numpy as np
import pytest

from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..speed import first_frames, join_clips, speed_of_lifter


def test_clips_one_after_the_other_and_again(held_out_store):
    number = held_out_store.num_frames
    track = join_clips(held_out_store, number + 10)
    assert len(track) == number + 10 and track.scores.min() == 1
    np.testing.assert_array_equal(track.keypoints[number:], track.keypoints[:10])
    assert np.abs(track.keypoints[:50] - held_out_store.keypoints[:50]).max() == 0
    short = first_frames(track, 7)
    assert len(short) == 7 and short.fps == track.fps


def test_frames_a_second_are_those_of_the_clock(lifter, held_out_store, monkeypatch):
    clock = iter(np.arange(1e6) * 0.5)  # every look at it is half a second later
    monkeypatch.setattr("studies.inference.speed.time.perf_counter", lambda: next(clock))
    track = join_clips(held_out_store, 60)
    found = speed_of_lifter(TrackLifter(lifter, flip_test=False), track, repeats=3, single=True)
    assert found.frames_per_second == pytest.approx(60 / 0.5)
    assert found.single_ms == pytest.approx(500)
