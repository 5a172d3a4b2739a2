from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.readers.motion import Motion


def make(frames=11, fps=30.0, **changes):
    poses = np.arange(frames, dtype=np.float32)[:, None, None] * np.ones((1, 17, 3), np.float32)
    return Motion(**(dict(name="clip", keypoints_3d=poses, fps=fps, subject="s", action="a", source="a.bvh") | changes))


def test_whole_number_reduction_keeps_recorded_frames():
    half = make().resampled(15)
    assert half.fps == 15 and half.keypoints_3d[:, 0, 0].tolist() == [0, 2, 4, 6, 8, 10]
    assert (half.name, half.subject, half.action, half.source) == ("clip", "s", "a", "a.bvh")


@pytest.mark.parametrize(("fps", "count"), [(50, 17), (60, 21), (7, 3), (29.97, 10)])
def test_resampling_is_linear_within_the_recorded_time(fps, count):
    result = make().resampled(fps)
    assert len(result) == count
    np.testing.assert_allclose(result.keypoints_3d[:, 3, 1], np.arange(count) * 30 / fps, atol=2e-5)


def test_same_rate_is_the_same_motion():
    motion = make()
    assert motion.resampled(30) is motion
    assert len(make(frames=1).resampled(120)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(keypoints_3d=np.ones((3, 16, 3))), r"'clip' from a.bvh: keypoints_3d has shape \(3, 16, 3\)"),
        (dict(keypoints_3d=np.ones((0, 17, 3))), "no frames"),
        (dict(keypoints_3d=np.where(np.arange(5)[:, None, None] < 3, 1, np.nan) * np.ones((5, 17, 3))), "at frame 3"),
        (dict(fps=0), "fps is 0"),
    ],
)
def test_motion_validates_itself(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_impossible_rate():
    with pytest.raises(ValueError, match="rate to resample to: fps is -1; give"):
        make().resampled(-1)
    with pytest.raises(ValueError, match="this makes .* frames, more than 10,000,000"):
        replace(make(), keypoints_3d=np.zeros((20_000, 17, 3)), fps=1).resampled(1000)
    for fps in (1e-5, 1e9, float("nan")):
        with pytest.raises(ValueError, match="fps is .*; give the frames a second, from 1 to 1000"):
            replace(make(), fps=fps)


def test_nobody_is_recorded_from_so_far_away():
    poses = make().keypoints_3d.copy()
    poses[2] += 1e5
    with pytest.raises(
        ValueError, match="keypoints_3d of frame 2 is 1e.05 m away, and people are recorded within 1000"
    ):
        replace(make(), keypoints_3d=poses)
