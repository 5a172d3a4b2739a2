from dataclasses import replace

import numpy as np
import pytest
from lifted_walk import filmed

from mpm_mmpose.lifting.trajectory import AssumedCamera, add_trajectory, assumptions, choose_camera


def test_the_camera_is_the_best_that_is_known():
    lifted, _, _ = filmed(seconds=0.2)
    track = replace(lifted.track, width=1600, height=1200)
    assert choose_camera(track).source == "the track's own intrinsics"
    np.testing.assert_array_equal(choose_camera(track).intrinsics, track.intrinsics)
    np.testing.assert_array_equal(choose_camera(track, focal=900).intrinsics, [900, 900, 800, 600, 0, 0, 0, 0, 0])
    unknown = replace(track, intrinsics=None)
    assert choose_camera(unknown).intrinsics[0] == 2000 and "a guess" in choose_camera(unknown).source
    camera = choose_camera(unknown, focal_35mm=26)
    assert camera.intrinsics[0] == pytest.approx(26 / np.hypot(36, 24) * 2000, rel=1e-3)
    assert camera.source == "26 mm in 35 mm equivalent"
    with pytest.raises(ValueError, match="focal is -1; give a focal length above 0"):
        choose_camera(track, focal=-1)


def test_a_true_pose_and_camera_give_the_true_place(said):
    lifted, root, _ = filmed()
    placed = add_trajectory(lifted)
    assert np.linalg.norm(placed.trajectory - root, axis=-1).max() < 2e-3
    assert placed.keypoints_3d is lifted.keypoints_3d and placed.trajectory.dtype == np.float32
    assert len(said) == 1 and said[0].startswith("person 3: the trajectory assumes a camera that stands still")
    assert "the track's own intrinsics" in said[0]


def test_masked_keypoints_have_no_say():
    lifted, root, _ = filmed(seconds=2)
    keypoints, masked = lifted.track.keypoints.copy(), lifted.masked.copy()
    masked[10:20, 5:9] = masked[15:30, 2] = True
    keypoints[masked] += 200
    masked[33] = True  # nothing is seen: between its neighbours
    poses = lifted.keypoints_3d.copy()
    poses[40:] = np.nan
    track = replace(lifted.track, keypoints=keypoints.clip(0, lifted.track.height))
    placed = add_trajectory(replace(lifted, track=track, masked=masked, keypoints_3d=poses))
    rows = np.r_[0:33, 34:40]
    assert np.linalg.norm(placed.trajectory - root, axis=-1)[rows].max() < 2e-3
    np.testing.assert_allclose(placed.trajectory[33], placed.trajectory[[32, 34]].mean(0), atol=1e-5)
    assert np.isnan(placed.trajectory[40:]).all()
    with pytest.raises(ValueError, match="person 3: no frame has 6 keypoints"):
        add_trajectory(replace(lifted, masked=np.ones_like(masked)))


def test_distance_goes_with_the_focal_length_and_it_is_said():
    lifted, root, _ = filmed(seconds=1)
    track = lifted.track
    longer = AssumedCamera(track.intrinsics * [1.1, 1.1, 1, 1, 1, 1, 1, 1, 1], "given")
    depth = add_trajectory(lifted, longer).trajectory[:, 2]
    np.testing.assert_allclose(depth / root[:, 2], 1.1, rtol=0.02)
    text = assumptions(AssumedCamera(np.array([900, 900, 640, 360, 0.1, 0, 0, 0, 0], np.float32), "given"))
    assert "focal length 900 px (given)" in text and "(640, 360) px" in text and "its distortion is left out" in text
