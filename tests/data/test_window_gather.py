import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpm_mmpose.data import window_gather
from mpm_mmpose.data.window_gather import gather_windows, plan_windows


def clips_and_windows(lengths, window, frame_step, stride, seed):
    """Frames of random clips, and the first frame, the clip's first and its last frame of all windows, in any order."""
    random = np.random.default_rng(seed)
    lengths = np.array(lengths)
    clip = np.repeat(np.arange(len(lengths)), -(-lengths // stride))
    starts = np.cumsum(lengths) - lengths
    centres = np.concatenate([start + np.arange(0, n, stride) for start, n in zip(starts, lengths, strict=True)])
    order = random.permutation(len(centres))
    clip, centres = clip[order], centres[order]
    frames = random.normal(size=(lengths.sum(), 5, 3)).astype(np.float32)
    return frames, centres - window // 2 * frame_step, starts[clip], (starts + lengths - 1)[clip]


def naive_windows(frames, first, low, high, window, frame_step):
    return np.array(
        [
            [frames[min(max(start + i * frame_step, left), right)] for i in range(window)]
            for start, left, right in zip(first, low, high, strict=True)
        ]
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    window=st.integers(1, 30),
    frame_step=st.integers(1, 3),
    stride=st.integers(1, 7),
    share=st.sampled_from([0, 0.12, 1]),
    cached=st.sampled_from([1, 50, 4000]),
    seed=st.integers(0, 1000),
)
def test_windows_equal_a_naive_reference(monkeypatch, lengths, window, frame_step, stride, share, cached, seed):
    """However the frames are read: by windows or by single frames, in whatever groups."""
    monkeypatch.setattr(window_gather, "REPEATED", share)
    monkeypatch.setattr(window_gather, "CACHED_FRAMES", cached)
    frames, first, low, high = clips_and_windows(lengths, window, frame_step, stride, seed)
    expected = naive_windows(frames, first, low, high, window, frame_step)
    plan = plan_windows(first, low, high, window, frame_step, len(frames))
    out = np.full_like(expected, np.nan)
    gather_windows(frames, plan, out)
    np.testing.assert_array_equal(out, expected)

    random = np.random.default_rng(seed)
    scale, offset = (random.normal(size=size).astype(np.float32) for size in (len(first), (len(first), 3)))
    gather_windows(frames, plan, out, scale, offset)
    expected = offset[:, None, None].astype(np.float64) + scale[:, None, None, None].astype(np.float64) * expected
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)


def test_whole_windows_are_read_at_frame_step_1_alone():
    first, low, high = np.array([10, 300, 58]), np.array([0, 200, 0]), np.array([99, 999, 99])
    plan = plan_windows(first, low, high, 43, 1, 1000)
    assert plan.run == 43 and plan.index.tolist() == [[10], [300], [58]]
    assert plan.repeated.tolist() == [128] and plan.repeats.tolist() == [127]  # frame 100 is another clip's
    assert plan_windows(first, low, high, 43, 2, 1000).run == 1
    # Nor where much of the windows lies outside their clips, or there are fewer frames than a window has.
    assert plan_windows(first, first + 40, high, 43, 1, 1000).run == 1
    assert plan_windows(np.array([-1]), np.array([0]), np.array([41]), 43, 1, 42).index.tolist() == [[0, *range(42)]]


@pytest.mark.parametrize("frame_step", [1, 2])
def test_a_memory_map_is_only_read(tmp_path, frame_step):
    frames, first, low, high = clips_and_windows([40, 30], 9, frame_step, 1, 0)
    np.save(tmp_path / "frames.npy", frames)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    out = np.empty((70, 9, 5, 3), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gather_windows(mapped, plan_windows(first, low, high, 9, frame_step, 70), out)
    np.testing.assert_array_equal(out, naive_windows(frames, first, low, high, 9, frame_step))
    assert not mapped.flags.writeable and np.array_equal(np.load(tmp_path / "frames.npy"), frames)


def test_frames_that_are_not_there_are_refused():
    plan = plan_windows(np.array([95]), np.array([95]), np.array([103]), 9, 1, 104)
    with pytest.raises(IndexError):
        gather_windows(np.zeros((100, 5, 3), np.float32), plan, np.empty((1, 9, 5, 3), np.float32))


@pytest.mark.parametrize("frame_step", [1, 2])
def test_no_windows_are_no_mistake(frame_step):
    none = np.empty(0, dtype=np.int64)
    plan = plan_windows(none, none, none, 9, frame_step, 20)
    scale, offset = np.empty(0, np.float32), np.empty((0, 3), np.float32)
    gather_windows(np.zeros((20, 5, 3), np.float32), plan, np.empty((0, 9, 5, 3), np.float32), scale, offset)
