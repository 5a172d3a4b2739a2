import numpy as np
import pytest

from mpm_mmpose.lifting.steadying import local_lines, steady
from mpm_mmpose.lifting.tracks import Track2D, Track3D

TIMES = np.arange(120) / 30
RNG = np.random.default_rng(0)


def shaking(noise):
    """Somebody who walks away from the camera at 1.2 m/s, to its left; noise m of the depth."""
    root = np.stack((-0.3 * TIMES, np.zeros(120), 4 + 1.2 * TIMES), 1)
    seen = root * (1 + RNG.normal(0, noise, 120) / root[:, 2])[:, None]  # along the ray
    poses = RNG.normal(0, 0.4, (120, 17, 3)).astype(np.float32)
    keypoints = 200 * poses[..., :2] + 500
    track = Track2D("0", TIMES, keypoints, np.ones((120, 17)), "h36m_17", 1000, 1000, 30.0)
    return Track3D(track, poses, "h36m_17", np.zeros((120, 17), bool), trajectory=seen.astype(np.float32)), root


def test_steady_motion_stays_as_it_is():
    lifted, root = shaking(0.0)
    np.testing.assert_allclose(steady(lifted).trajectory, root, atol=1e-3)


def test_the_depth_shakes_no_more_and_the_root_stays_where_it_is_seen():
    lifted, root = shaking(0.1)
    before, after = lifted.trajectory, steady(lifted).trajectory
    assert np.abs(np.diff(before[:, 2], 2)).mean() > 0.1 and np.abs(np.diff(after[:, 2], 2)).mean() < 0.003
    assert np.std(after[:, 2] - root[:, 2]) < 0.4 * np.std(before[:, 2] - root[:, 2])
    np.testing.assert_allclose(after[:, :2] / after[:, 2:], before[:, :2] / before[:, 2:], atol=1e-5)


def test_the_uncertainty_is_that_of_the_scale():
    lifted, root = shaking(0.0)
    assert steady(lifted).trajectory_spread.max() < 1e-3  # the 3D is exactly what is seen
    certain = Track3D(**vars(lifted) | dict(misfit=np.full(120, 0.2, np.float32)))
    np.testing.assert_allclose(steady(certain).trajectory_spread, root[:, 2] * 0.2 / np.sqrt(34), rtol=1e-3)


def test_gaps_and_lines():
    times = np.array([0.0, 0.1, 0.2, 5.0, 9.0, 9.1])
    line = 3 - 2 * times
    np.testing.assert_allclose(local_lines(times, line, 0.2), line, atol=1e-9)
    values = np.array([1.0, 1.0, np.nan, 7.0, 2.0, 2.0])
    found = local_lines(times, values, 0.2)
    assert np.isnan(found[2]) and found[3] == 7 and found[4] == pytest.approx(2)
