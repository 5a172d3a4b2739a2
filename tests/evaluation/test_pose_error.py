import time

import numpy as np
import pytest
import torch
from mmpose.evaluation.functional import keypoint_mpjpe
from scipy.spatial.transform import Rotation

from mpm_mmpose.evaluation.pose_error import ERRORS, keypoint_errors, mpjpe, n_mpjpe, p_mpjpe

ALIGNMENTS = {mpjpe: "none", p_mpjpe: "procrustes", n_mpjpe: "scale"}


@pytest.fixture
def poses():
    random = np.random.default_rng(0)
    gt = random.normal(size=(40, 17, 3))
    return gt + 0.3 * random.normal(size=gt.shape), gt


@pytest.mark.parametrize("error", ALIGNMENTS)
def test_equals_mmpose_pose_by_pose_and_over_all(error, poses):
    pred, gt = poses
    visible = np.ones(pred.shape[:2], dtype=bool)
    errors = error(pred, gt)
    assert errors.mean() == pytest.approx(keypoint_mpjpe(pred, gt, visible, ALIGNMENTS[error]), rel=1e-12)
    for i in range(5):
        one = slice(i, i + 1)
        expected = keypoint_mpjpe(pred[one], gt[one], visible[one], ALIGNMENTS[error])
        assert errors[i] == pytest.approx(expected, rel=1e-12)


def test_equals_the_reference(reference_dir):
    with np.load(reference_dir / "metrics.npz", allow_pickle=False) as file:
        basic = {name.removeprefix("basic/"): file[name] for name in file.files if name.startswith("basic/")}
    pred, gt = (basic[name].reshape(-1, 17, 3) for name in ("pred", "gt"))
    assert mpjpe(pred, gt).mean() == pytest.approx(basic["mpjpe_m"], rel=1e-6)
    np.testing.assert_allclose(mpjpe(pred, gt), basic["mpjpe_per_frame_m"].ravel(), rtol=1e-5)
    np.testing.assert_allclose(p_mpjpe(pred, gt), basic["p_mpjpe_per_frame_f64_m"].ravel(), rtol=1e-9, atol=1e-9)
    # VideoPose3D scales every pose by itself, too.
    assert n_mpjpe(pred, gt).mean() == pytest.approx(basic["n_mpjpe_VideoPose3D_m"], rel=1e-6)


def test_a_similar_pose_has_no_error_after_alignment(poses):
    _, gt = poses
    turned = gt @ Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix().T
    assert p_mpjpe(0.37 * turned + [1, -2, 5], gt).max() < 1e-12
    assert n_mpjpe(0.37 * gt, gt).max() < 1e-12
    assert n_mpjpe(turned, gt).min() > 0.1


def test_a_mirrored_pose_keeps_an_error(poses):
    _, gt = poses
    mirrored = gt * [-1, 1, 1]
    errors = p_mpjpe(mirrored, gt)
    visible = np.ones(gt.shape[:2], dtype=bool)
    assert errors.min() > 0.1
    assert errors.mean() == pytest.approx(keypoint_mpjpe(mirrored, gt, visible, "procrustes"), rel=1e-12)


def test_a_flat_pose_can_be_turned_onto_its_mirror_image(poses):
    _, gt = poses
    flat = gt * [1, 1, 0]
    assert p_mpjpe(flat * [-1, 1, 1], flat).max() < 1e-12


@pytest.mark.parametrize("point", [0.0, 0.1, 1 / 3, 1234.5])
def test_a_prediction_in_one_point_shrinks_to_the_centre(point, poses):
    _, gt = poses
    expected = np.linalg.norm(gt - gt.mean(1, keepdims=True), axis=-1).mean(-1)
    np.testing.assert_allclose(p_mpjpe(np.full_like(gt, point), gt), expected, rtol=1e-12)


def test_a_prediction_of_zeros_cannot_be_scaled(poses):
    _, gt = poses
    zeros = np.zeros_like(gt)
    np.testing.assert_allclose(n_mpjpe(zeros, gt), mpjpe(zeros, gt), rtol=1e-12)


def test_a_ground_truth_in_one_point_is_met_by_shrinking(poses):
    pred, _ = poses
    point = np.full_like(pred, 0.1)
    assert p_mpjpe(pred, point).max() < 1e-12


@pytest.mark.parametrize("error", ALIGNMENTS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_only_a_pose_that_is_not_finite_is_nan(error, value, poses):
    pred, gt = poses
    expected = error(pred, gt)
    pred = pred.copy()
    pred[3, 5, 1] = value
    errors = error(pred, gt)
    assert np.flatnonzero(np.isnan(errors)).tolist() == [3]
    np.testing.assert_array_equal(np.delete(errors, 3), np.delete(expected, 3))


@pytest.mark.parametrize("error", ALIGNMENTS)
def test_takes_tensors_and_no_poses_at_all(error, poses):
    pred, gt = poses
    np.testing.assert_array_equal(error(torch.from_numpy(pred), torch.from_numpy(gt)), error(pred, gt))
    assert error(pred[:0], gt[:0]).shape == (0,)


@pytest.mark.parametrize("shapes", [((2, 17, 3), (1, 17, 3)), ((17, 3), (17, 3)), ((2, 17, 2), (2, 17, 2))])
def test_refuses_other_shapes(shapes):
    with pytest.raises(ValueError, match=r"\(N, K, 3\)"):
        mpjpe(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_keypoints_that_do_not_count_have_no_say(poses):
    pred, gt = poses
    counted = np.random.default_rng(2).random(pred.shape[:2]) < 0.6
    counted[:, :3] = True
    found = keypoint_errors(pred, gt, counted)
    assert set(found) == set(ERRORS)
    for name, error in ERRORS.items():
        assert (np.isnan(found[name]) == ~counted).all()
        for i, there in enumerate(counted):
            alone = error(pred[[i]][:, there], gt[[i]][:, there])
            assert found[name][i][there].mean() == pytest.approx(alone[0], rel=1e-9)
    pred, gt = pred.copy(), gt.copy()
    pred[~counted], gt[~counted] = np.nan, np.inf
    for name, errors in keypoint_errors(pred, gt, counted).items():
        np.testing.assert_array_equal(errors, found[name])


def test_two_keypoints_are_too_few_to_be_aligned(poses):
    pred, gt = poses
    counted = np.zeros(pred.shape[:2], bool)
    counted[:, 3:5], counted[0, 6] = True, True
    counted[1] = False
    found = keypoint_errors(pred, gt, counted)
    assert np.isfinite(found["p_mpjpe"]).sum(1).tolist() == [3] + [0] * (len(pred) - 1)
    assert np.isfinite(found["mpjpe"]).sum(1).tolist() == [3, 0] + [2] * (len(pred) - 2)


def test_refuses_a_choice_of_another_shape(poses):
    with pytest.raises(ValueError, match=r"counted \(40, 16\) must have the shape \(40, 17\)"):
        keypoint_errors(*poses, np.ones((40, 16), bool))


def test_a_hundred_thousand_poses_take_seconds():
    random = np.random.default_rng(1)
    gt = random.normal(size=(100_000, 17, 3))
    pred = gt + 0.1
    start = time.perf_counter()
    errors = p_mpjpe(pred, gt)
    assert time.perf_counter() - start < 15
    assert errors.max() < 1e-10
