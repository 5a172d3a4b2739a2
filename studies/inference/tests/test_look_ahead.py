import numpy as np
import pytest

from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..look_ahead import choose_look_aheads, describe_look_ahead, draw_look_ahead, measure_look_ahead, run_stream


def test_from_none_to_half_a_window():
    assert choose_look_aheads(27) == [0, 1, 2, 4, 8, 13]
    assert choose_look_aheads(9) == [0, 1, 2, 4]
    assert choose_look_aheads(1) == [0]


@pytest.fixture(scope="module")
def whole(lifter):
    return TrackLifter(lifter, flip_test=False)


def test_every_frame_comes_and_with_half_a_window_as_from_the_whole_track(whole, clips):
    track = clips[0].track
    poses, milliseconds = run_stream(whole, track, whole.window // 2)
    assert len(milliseconds) == len(track) and (milliseconds > 0).all()
    np.testing.assert_allclose(poses, whole.lift(track).keypoints_3d, atol=1e-5)


def test_who_waits_is_not_worse(whole, clips, tmp_path):
    sums, speed = measure_look_ahead(clips[:4], whole)
    assert list(speed) == [0, 1, 2] and min(speed.values()) > 0
    more = [sums.difference(str(step), "2").mean for step in speed]
    masked = [sums.difference(f"{step}/masked", "2").mean for step in speed]
    assert more[0] > 0.2 and more[0] > more[1] and more[2] == masked[2] == 0
    # A model that knows exactly what masks mean does better without made-up frames.
    assert masked[0] < more[0] and masked[1] < more[1]
    text = describe_look_ahead(sums, speed, whole, 30.0)
    rows = text.splitlines()[2:]
    assert rows[1].startswith(f"| 1 | 167 | {sums.mean('1').text()} |") and len(rows) == 3
    assert draw_look_ahead(sums, whole, 30.0, tmp_path / "a.png").stat().st_size > 10_000
