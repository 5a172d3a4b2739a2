from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.stature import scale_to, stature
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.pose.keypoints import H36M_17

HEIGHTS = dict(ankle=0.07, knee=0.5, hip=0.93, pelvis=0.93, spine=1.17, thorax=1.47, nose=1.57, head_top=1.72)


@pytest.fixture
def standing():
    """Somebody whose head top is at 1.72 m, ankles at 0.07 m; one frame is without 3D."""
    heights = [HEIGHTS.get(name.removeprefix("left_").removeprefix("right_"), 1.4) for name in H36M_17.names]
    poses = np.zeros((4, 17, 3), np.float32)
    poses[..., 1] = HEIGHTS["pelvis"] - np.array(heights)
    poses[2] = np.nan
    track = Track2D("5", np.arange(4) / 10, np.ones((4, 17, 2)), np.ones((4, 17)), "h36m_17", 100, 100, 10.0)
    return Track3D(track, poses, "h36m_17", np.zeros((4, 17), bool))


def test_the_height_of_somebody_who_stands(standing):
    assert stature(standing) == pytest.approx(1.65 / (1 - 0.039), rel=1e-5)


def test_all_is_scaled_to_a_height(standing):
    notes = []
    scaled = scale_to(replace(standing, spread=np.ones((4, 17), np.float32)), 1.8, notes)
    assert stature(scaled) == pytest.approx(1.8, rel=1e-5)
    factor = 1.8 / (1.65 / 0.961)
    np.testing.assert_allclose(scaled.keypoints_3d[0], standing.keypoints_3d[0] * factor, rtol=1e-5)
    np.testing.assert_allclose(scaled.spread, factor, rtol=1e-5)
    assert notes == ["person 5: the model makes them 1.72 m tall, all is scaled by 1.048 to 1.8 m"]


@pytest.mark.parametrize("height", [0.1, 180])
def test_nobody_is_so_tall(standing, height):
    with pytest.raises(UsageError, match=r"the person's height is .* m; give 0.4 to 2.8 m \(--person-height\)"):
        scale_to(standing, height, [])
