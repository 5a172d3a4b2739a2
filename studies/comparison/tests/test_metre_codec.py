import numpy as np

from studies.comparison.metre_codec import MetreWindowLifting


def test_windows_in_visibility_and_root_relative_metres_out():
    random = np.random.default_rng(0)
    poses = random.normal(0, 0.3, (9, 17, 3)).astype(np.float32) + [0, 0, 4]
    keypoints, visible = random.uniform(0, 1000, (9, 17, 2)), np.ones((9, 17), np.float32)
    encoded = MetreWindowLifting().encode(keypoints, visible, poses, visible, camera_param=dict(w=1000, h=1000))
    assert encoded["keypoint_labels"].shape == (9, 17, 3)
    np.testing.assert_allclose(encoded["keypoint_labels"][..., :2], keypoints / 500 - 1, atol=1e-6)
    np.testing.assert_allclose(encoded["lifting_target_label"], poses - poses[:, :1], atol=1e-6)


def test_the_target_is_the_centre_frame():
    window = np.arange(9 * 17 * 3, dtype=np.float32).reshape(9, 17, 3)
    whole, _ = MetreWindowLifting().decode(window, w=1, h=2, factor=3)
    centre, scores = MetreWindowLifting(target=True).decode(window)
    np.testing.assert_array_equal(whole, window)
    np.testing.assert_array_equal(centre, window[4:5])
    assert scores.shape == (1, 17)
