import numpy as np
import pytest

from mpm_mmpose.lifting.smoothing import OneEuro, one_euro, savitzky_golay, smooth
from mpm_mmpose.lifting.tracks import Track2D, Track3D

TIMES = np.arange(100) / 50


def make_lifted(poses, trajectory=None, times=TIMES):
    number = len(times)
    shape = (number, 17)
    track = Track2D("0", times, np.ones((*shape, 2)), np.ones(shape), "h36m_17", 100, 100, 50.0)
    return Track3D(track, poses.astype(np.float32), "h36m_17", np.zeros(shape, bool), trajectory=trajectory)


def noisy(seed=0, noise=0.02):
    clean = np.sin(2 * np.pi * 0.5 * TIMES)[:, None, None] * np.linspace(0, 0.5, 17)[:, None] * [1, 0.5, 0.2]
    return clean, clean + np.random.default_rng(seed).normal(0, noise, clean.shape)


def test_one_euro_by_hand():
    # One number: 1 at 0 s, then 3 at 0.5 s and 2 at 0.75 s; with 1 / (1 + tau / step), tau = 1 / (2 pi cutoff).
    def share(step, cutoff):
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / step)

    speed = share(0.5, 2.0) * (3 - 1) / 0.5
    second = 1 + share(0.5, 0.7 + 0.3 * abs(speed)) * (3 - 1)
    speed += share(0.25, 2.0) * ((2 - second) / 0.25 - speed)
    third = second + share(0.25, 0.7 + 0.3 * abs(speed)) * (2 - second)
    found = one_euro(np.array([0, 0.5, 0.75]), np.array([[1.0], [3.0], [2.0]]), min_cutoff=0.7, beta=0.3, d_cutoff=2.0)
    np.testing.assert_allclose(found[:, 0], [1, second, third], rtol=1e-12)


def test_one_euro_takes_frames_one_by_one_and_only_from_the_past():
    _, poses = noisy()
    whole = one_euro(TIMES, poses)
    follow = OneEuro()
    np.testing.assert_array_equal(whole[:40], [follow(*frame) for frame in zip(TIMES[:40], poses[:40], strict=True)])
    with pytest.raises(ValueError, match="time is 0.78 s, the one before was 0.78 s"):
        follow(0.78, poses[0])


def test_a_parabola_passes_savitzky_golay_also_through_uneven_steps():
    random = np.random.default_rng(0)
    even = np.stack([1 + TIMES - TIMES**2, 2 * TIMES], -1)
    np.testing.assert_allclose(savitzky_golay(TIMES, even), even, atol=1e-9)
    times = TIMES + random.uniform(-0.006, 0.006, 100)
    uneven = np.stack([1 + times - times**2, 2 * times], -1)
    np.testing.assert_allclose(savitzky_golay(times, uneven), uneven, atol=2e-4)


@pytest.mark.parametrize("filter", ["one_euro", "savitzky_golay"])
def test_noise_goes_and_motion_stays(filter):
    clean, poses = noisy()
    smoothed = smooth(make_lifted(poses), filter).keypoints_3d
    before, after = (np.abs(values - clean).mean() for values in (poses, smoothed))
    assert after < 0.7 * before
    jitter = np.abs(np.diff(smoothed, 2, axis=0)).mean() / np.abs(np.diff(poses, 2, axis=0)).mean()
    assert jitter < 0.3
    assert smoothed.dtype == np.float32


def test_nothing_passes_over_a_gap():
    _, poses = noisy()
    poses[30:35] = np.nan
    trajectory = np.tile(np.linspace(2, 3, 100, dtype=np.float32)[:, None], (1, 3))
    smoothed = smooth(make_lifted(poses, trajectory), "savitzky_golay", seconds=0.2)
    assert np.isnan(smoothed.keypoints_3d).all((1, 2)).nonzero()[0].tolist() == [30, 31, 32, 33, 34]
    alone = savitzky_golay(TIMES[35:], poses[35:].astype(np.float32), seconds=0.2)
    np.testing.assert_array_equal(smoothed.keypoints_3d[35:], alone)
    np.testing.assert_allclose(smoothed.trajectory, trajectory, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_what_is_too_short_stays(frames):
    values = np.random.default_rng(0).normal(size=(frames, 3))
    np.testing.assert_allclose(savitzky_golay(TIMES[:frames], values), values, atol=1e-12)
    np.testing.assert_array_equal(one_euro(TIMES[:1], values[:1]), values[:1])


def test_wrong_arguments_are_named():
    lifted = make_lifted(noisy()[1])
    with pytest.raises(ValueError, match="filter 'gauss' is not known; there are one_euro"):
        smooth(lifted, "gauss")
    with pytest.raises(ValueError, match="min_cutoff is 0"):
        smooth(lifted, "one_euro", min_cutoff=0)
    with pytest.raises(ValueError, match="seconds is -1"):
        smooth(lifted, "savitzky_golay", seconds=-1)
