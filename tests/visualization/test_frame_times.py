import numpy as np
import pytest

from mpm_mmpose.visualization.frame_times import frame_numbers


@pytest.mark.parametrize("fps", [5, 24, 25, 30000 / 1001, 60, 240])
def test_a_constant_rate_is_taken_frame_by_frame(fps):
    assert frame_numbers(3600 + np.arange(5000) / fps, fps).tolist() == list(range(5000))


def test_each_is_seen_from_the_frame_nearest_to_its_time():
    times = [2.0, 2.04, 2.11, 2.12, 2.5]
    assert frame_numbers(times, 10).tolist() == [0, 0, 1, 1, 5]
    random = np.random.default_rng(0)
    times = np.cumsum(random.uniform(0.001, 0.2, 500))
    assert np.abs(frame_numbers(times, 30) / 30 - (times - times[0])).max() <= 0.5 / 30 + 1e-9


def test_nothing():
    assert frame_numbers([], 30).tolist() == []
