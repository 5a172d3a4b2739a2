import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from mpm_mmpose.lifting.stream import MPMStream
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D

T, K, FPS = 9, 17, 50.0
SIZE = dict(width=1000, height=900)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    width = dict(num_frames=T, channels=32, hidden_channels=48, num_heads=4)
    model = MODELS.build(
        dict(
            type="PoseLifter",
            backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), **width),
            head=dict(type="LiftingHead", strides=(3, 3), **width),
        )
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def make_track(frames=24, step=1 / FPS, seed=0):
    """Smooth, so that what stands between frames can be told; a keypoint and two frames are not seen."""
    random = np.random.default_rng(seed)
    times = 5 + np.arange(frames) * step
    waves = random.uniform(0, 6, (1, K, 2)) + times[:, None, None] * random.uniform(2, 9, (1, K, 2))
    scores = random.uniform(0.5, 1, (frames, K))
    scores[3:5, 6] = 0
    scores[10:12] = 0
    return Track2D("0", times, 450 + 400 * np.sin(waves), scores, "h36m_17", fps=1 / step, **SIZE)


def run(stream, track):
    """What comes at each frame, and at the end."""
    frames = zip(track.keypoints, track.scores, track.times, strict=True)
    return [stream.push(*frame) for frame in frames], stream.finish()


def make_stream(lifter, look_ahead, fps=FPS, **options):
    return MPMStream(lifter, keypoint_set="h36m_17", fps=fps, look_ahead=look_ahead, **SIZE, **options)


@pytest.mark.parametrize(("frame_step", "flip_test"), [(1, True), (2, False)])
def test_with_half_a_window_it_is_the_whole_track(model, frame_step, flip_test):
    lifter = TrackLifter(model, fps=FPS, frame_step=frame_step, flip_test=flip_test)
    track = make_track()
    whole = lifter.lift(track)
    at_frames, at_end = run(make_stream(lifter, T // 2), track)
    delay = T // 2 * frame_step
    assert [len(found) for found in at_frames] == [0] * delay + [1] * (24 - delay) and len(at_end) == delay
    found = sum(at_frames, []) + at_end
    np.testing.assert_array_equal([frame.time for frame in found], track.times)
    np.testing.assert_array_equal([frame.masked for frame in found], whole.masked)
    np.testing.assert_allclose([frame.keypoints_3d for frame in found], whole.keypoints_3d, atol=1e-5)


@pytest.mark.parametrize("mask_future", [False, True])
@pytest.mark.parametrize("look_ahead", [0, 2])
def test_a_frame_is_lifted_from_what_is_known_then(model, look_ahead, mask_future):
    """What is to come is masked, as frames of which nothing was seen, or is as the last known frame."""
    lifter, track = TrackLifter(model, fps=FPS, flip_test=False), make_track()
    at_frames, at_end = run(make_stream(lifter, look_ahead, mask_future=mask_future), track)
    assert len(at_end) == look_ahead
    for last in range(look_ahead, 24):
        known, more = slice(0, last + 1), T // 2 if mask_future else 0
        times = np.append(track.times[known], track.times[last] + np.arange(1, more + 1) / FPS)
        keypoints, scores = (
            np.concatenate([values[known], np.zeros((more, *values.shape[1:]))])
            for values in (track.keypoints, track.scores)
        )
        then = Track2D("0", times, keypoints, scores, "h36m_17", fps=FPS, **SIZE)
        (frame,) = at_frames[last]
        expected = lifter.lift(then).keypoints_3d[last - look_ahead]
        np.testing.assert_allclose(frame.keypoints_3d, expected, atol=1e-5)
    # It is not what the whole track gives, where the person goes on moving.
    assert np.abs(at_frames[18][0].keypoints_3d - lifter.lift(track).keypoints_3d[18 - look_ahead]).max() > 1e-3


def test_a_video_of_another_rate_goes_by_its_time_stamps(model):
    lifter = TrackLifter(model, fps=FPS)
    track = make_track(30, step=1 / 30)
    at_frames, at_end = run(make_stream(lifter, T // 2, fps=30), track)
    # Four frames of the model are 80 ms, so three of the video.
    assert [len(found) for found in at_frames] == [0] * 3 + [1] * 27 and len(at_end) == 3
    found = np.stack([frame.keypoints_3d for frame in sum(at_frames, []) + at_end])
    # A track is lifted on one grid and comes back from there, so it is nearly the same.
    difference = np.linalg.norm(found - lifter.lift(track).keypoints_3d, axis=-1)
    assert difference.mean() < 0.03 * np.linalg.norm(found, axis=-1).mean()


def test_somebody_who_leaves_is_nan_until_they_are_back(model):
    lifter, track = TrackLifter(model, fps=FPS), make_track(40)
    stream = make_stream(lifter, 0)
    (first,) = stream.push(None, time=4.98)
    assert np.isnan(first.keypoints_3d).all() and first.masked.all()
    found = []
    for row in range(40):
        gone = 15 <= row < 30
        (frame,) = stream.push(None if gone else track.keypoints[row], time=track.times[row])
        found.append(frame)
    known = [np.isfinite(frame.keypoints_3d).all() for frame in found]
    assert known == [True] * 19 + [False] * 11 + [True] * 10  # for half a window it is still lifted from what was seen
    assert all(frame.masked.all() for frame in found[15:30])


def test_a_frame_without_a_time_is_one_frame_later(model):
    stream = make_stream(TrackLifter(model, fps=FPS), 0)
    times = [stream.push(np.full((K, 2), 300.0))[0].time for _ in range(3)]
    np.testing.assert_allclose(times, [0, 0.02, 0.04])


def test_no_more_is_kept_than_windows_need(model):
    stream = make_stream(TrackLifter(model, fps=FPS, flip_test=False), 2)
    kept = []
    for row in range(120):
        stream.push(np.full((K, 2), 300.0 + row))
        kept.append(len(stream._frames))
    assert max(kept) == kept[60] == kept[-1] < 40


def test_what_does_not_fit_is_named_and_forgotten(model):
    lifter = TrackLifter(model, fps=FPS)
    with pytest.raises(ValueError, match="look_ahead is 5; give 0 to 4"):
        make_stream(lifter, 5)
    stream = make_stream(lifter, 0)
    stream.push(np.full((K, 2), 300.0), time=1.0)
    for match, arguments in {
        "time is 1.0 s, but the frame before was at 1.0 s": dict(keypoints=np.zeros((K, 2)), time=1.0),
        r"keypoints has shape \(1, 16, 2\)": dict(keypoints=np.zeros((16, 2))),
        "where a keypoint was not found give score 0": dict(keypoints=np.full((K, 2), np.nan)),
    }.items():
        with pytest.raises(ValueError, match=match):
            stream.push(**arguments)
    (frame,) = stream.push(np.full((K, 2), 300.0))
    assert frame.time == pytest.approx(1.02)
