import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.lifting.resampling import interpolate, longest_step, model_times, resample, resample_track
from mpm_mmpose.lifting.tracks import Track2D
from studies.quickstart.synthetic_motion import generate_motion

RATE = 50.0


def make_track(times, keypoints, scores=None, fps=25.0, keypoint_set="h36m_17"):
    scores = np.ones(keypoints.shape[:2]) if scores is None else scores
    return Track2D("0", times, keypoints, scores, keypoint_set, 1000, 1000, fps)


@pytest.fixture(scope="module")
def filmed():
    """A person walking for 4 s, at 600 frames a second: times (N,) s, keypoints (N, 17, 2) px, 3D (N, 17, 3) m."""
    (sequence,) = project_views(generate_motion("walking", 4.0, 600.0, seed=3), cameras=1)
    poses = sequence.keypoints_3d - sequence.keypoints_3d[:, :1]
    return np.arange(len(sequence)) / 600, sequence.keypoints, poses


def test_motion_is_long_and_quick_enough_to_tell(filmed):
    times, keypoints, poses = filmed
    assert np.linalg.norm(np.diff(keypoints, axis=0) * 600, axis=-1).max() > 200  # px a second
    assert np.linalg.norm(np.diff(poses, axis=0) * 600, axis=-1).max() > 1.5  # m a second


@pytest.mark.parametrize("fps", [25, 30, 60, 120])
@pytest.mark.parametrize("model_fps", [30.0, 50.0])
def test_any_rate_gives_the_same_2d(filmed, fps, model_fps):
    times, keypoints, _ = filmed
    step = 600 // fps
    track = make_track(times[::step], keypoints[::step], fps=fps)
    (frames,) = resample_track(track, "h36m_17", model_fps, reach=0.1)
    true = np.stack([np.interp(frames.times, times, x) for x in keypoints.reshape(len(times), -1).T], -1)
    error = np.linalg.norm(frames.keypoints - true.reshape(-1, 17, 2), axis=-1)
    # A person of 1.7 m is some 400 px high: 1 px is about 4 mm. In straight lines it would be 0.13 and 2.9 px.
    assert error.mean() < 0.06 and error.max() < 1.5
    assert not frames.masked.any()


@pytest.mark.parametrize("fps", [25, 30, 60, 120])
def test_there_and_back_is_within_millimetres(filmed, fps):
    """What is left of a motion in 3D that takes the same way: to the model's rate, and back to the video's."""
    times, _, poses = filmed
    step = 600 // fps
    there = times[::step]
    grid = model_times(there[0], there[-1], RATE)
    at_model = interpolate(there, poses[::step], grid)
    back = interpolate(grid, at_model, there)
    error = np.linalg.norm(back - poses[::step], axis=-1) * 1000
    assert error.mean() < 0.2 and error.max() < 4


def test_jittering_time_stamps_are_taken_at_their_word(filmed):
    times, keypoints, _ = filmed
    random = np.random.default_rng(0)
    rows = np.unique((np.arange(100) * 24 + random.integers(-9, 10, 100)).clip(0))
    track = make_track(times[rows], keypoints[rows], fps=25)
    (frames,) = resample_track(track, "h36m_17", RATE, reach=0.1)
    true = np.stack([np.interp(frames.times, times, x) for x in keypoints.reshape(len(times), -1).T], -1)
    error = np.linalg.norm(frames.keypoints - true.reshape(-1, 17, 2), axis=-1)
    assert error.mean() < 0.1
    # Taken for even, the same frames are off by far more.
    even = resample_track(make_track(np.arange(len(rows)) / 25, keypoints[rows]), "h36m_17", RATE, 0.1)[0]
    number = min(len(even), len(true)) - 5
    wrong = np.linalg.norm(even.keypoints[:number] - true.reshape(-1, 17, 2)[:number], axis=-1)
    assert wrong.mean() > 10 * error.mean()


def test_the_same_rate_changes_nothing_whatever_the_clock():
    random = np.random.default_rng(0)
    keypoints = random.uniform(0, 1000, (40, 17, 2)).astype(np.float32)
    times = 3600 + np.arange(40) / RATE
    (frames,) = resample_track(make_track(times + random.uniform(-1e-6, 1e-6, 40), keypoints), "h36m_17", RATE, 0.1)
    np.testing.assert_array_equal(frames.keypoints, keypoints)
    assert not frames.masked.any() and frames.rows == slice(0, 40)


def test_the_last_frame_of_the_track_is_the_last_of_the_model():
    np.testing.assert_allclose(model_times(1.0, 1.1, 50), [1, 1.02, 1.04, 1.06, 1.08, 1.1])
    np.testing.assert_allclose(model_times(1.0, 1.05, 50), [1, 1.02, 1.04, 1.05])
    np.testing.assert_allclose(model_times(2.0, 2.0, 50), [2])


def test_short_gaps_are_masked_and_long_ones_part_the_track():
    times = np.arange(40) / 25
    keypoints = np.random.default_rng(0).uniform(0, 1000, (40, 17, 2))
    there = np.r_[0:10, 12:20, 30:40]  # two frames are missing, then ten
    found = resample_track(make_track(times[there], keypoints[there]), "h36m_17", RATE, reach=0.08)
    assert [frames.rows for frames in found] == [slice(0, 18), slice(18, 28)]
    masked = found[0].times[found[0].masked.all(1)]
    np.testing.assert_allclose(masked, np.arange(19, 24) / RATE)  # all between frame 9 and frame 12
    assert found[0].masked.any(1).sum() == 5 and not found[1].masked.any()
    np.testing.assert_allclose(found[1].times, np.arange(60, 79) / RATE)
    # Frames that are there, but without any usable keypoint, are missing likewise.
    scores = np.zeros((40, 17))
    scores[there] = 1
    empty = resample_track(make_track(times, keypoints, scores), "h36m_17", RATE, reach=0.08)
    assert [frames.rows for frames in empty] == [slice(0, 22), slice(28, 40)]
    np.testing.assert_array_equal(empty[0].masked[: len(found[0])], found[0].masked)
    assert empty[0].masked[len(found[0]) :].all() and empty[1].masked[:4].all()


def test_a_keypoint_is_masked_alone():
    times = np.arange(10) / 25
    keypoints = np.repeat(np.arange(10)[:, None, None] * [10.0, 20.0], 17, 1) + 100
    scores = np.ones((10, 17))
    scores[4, 6] = scores[:, 9] = 0
    scores[:2, 3] = 0
    (frames,) = resample_track(make_track(times, keypoints, scores), "h36m_17", RATE, reach=0.2)
    expected = np.zeros((19, 17), bool)
    expected[7:10, 6] = expected[:, 9] = expected[:4, 3] = True
    np.testing.assert_array_equal(frames.masked, expected)
    true = np.arange(19)[:, None] * [5.0, 10.0] + 100
    np.testing.assert_allclose(frames.keypoints[:, 6], true, atol=1e-3)  # in a straight line
    np.testing.assert_allclose(frames.keypoints[4:, 9], true[4:], atol=1e-3)  # in the middle of the others
    np.testing.assert_allclose(frames.keypoints[:4, 3], true[4] + np.zeros((4, 2)), atol=1e-3)  # where it is next


def test_many_frames_for_one_of_the_model_bridge_a_lost_one():
    times = np.arange(40) / 120
    scores = np.ones((40, 17))
    scores[10, 2] = 0  # 17 ms from sight to sight, less than a frame of the model
    (frames,) = resample_track(make_track(times, np.full((40, 17, 2), 9.0), scores, 120.0), "h36m_17", RATE, 0.2)
    assert not frames.masked.any()


@pytest.mark.parametrize(
    ("times", "fps", "expected"),
    [
        (np.arange(9) / 25, 25, 1 / 25),
        (np.arange(9) / 120, 120, 1 / 50),  # the model's frames are longer
        (np.arange(0, 30, 3) / 30, 30, 3 / 30),  # every third frame was looked at
        (np.array([0, 10.0]), 25, 4 / 25),  # seen twice, 10 s apart
        (np.array([0.0]), 25, 1 / 25),
    ],
)
def test_the_longest_step_is_one_and_a_half_usual_ones(times, fps, expected):
    track = make_track(times, np.zeros((len(times), 17, 2)), fps=fps)
    assert longest_step(track, 50) == pytest.approx(1.5 * expected)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_parabolas_are_exact_inside_and_nothing_leaves_its_gap(data):
    times = np.cumsum(data.draw(st.lists(st.floats(0.01, 0.2), min_size=3, max_size=20)))
    a, b, c = (data.draw(st.floats(-5, 5)) for _ in range(3))
    values = (a + b * times + c * times**2)[:, None, None]
    new_times = np.sort(data.draw(st.lists(st.floats(times[0], times[-1]), min_size=1, max_size=20)))
    found, masked = resample(times, values, np.ones((len(times), 1), bool), new_times, gap=0.1)
    before = np.clip(np.searchsorted(times, new_times, side="right") - 1, 0, len(times) - 2)
    in_gap = (times[before + 1] - times[before] > 0.1) & ~np.isin(new_times, times)
    np.testing.assert_array_equal(masked[:, 0], in_gap)
    steps = np.append(np.inf, np.append(np.diff(times), np.inf))
    inside = (steps[before] <= 0.1) & (steps[before + 2] <= 0.1) & ~in_gap  # three pieces without a gap
    true = a + b * new_times + c * new_times**2
    np.testing.assert_allclose(found[inside, 0, 0], true[inside], atol=1e-9)


def test_what_is_beyond_a_gap_bends_nothing_on_this_side():
    times = np.r_[0:5, 9:14] * 0.02
    values = (10 * times + 100 * (times > 0.1))[:, None, None]  # somewhere else after the gap
    new_times = np.r_[0.07, 0.19]
    found, masked = resample(times, values, np.ones((10, 1), bool), new_times, gap=0.03)
    np.testing.assert_allclose(found[:, 0, 0], [0.7, 101.9])
    assert not masked.any()


def test_one_sight_is_held():
    values, masked = resample(
        np.array([1.0]), np.full((1, 1, 2), 7.0), np.ones((1, 1), bool), np.array([0.0, 1.0, 2.0]), gap=9
    )
    assert (values == 7).all() and masked[:, 0].tolist() == [True, False, True]
