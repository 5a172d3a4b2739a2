import numpy as np
import pytest
from mmpose.evaluation.functional import keypoint_pck_accuracy

from mpm_mmpose.evaluation.pck import BINS, GROUPED, GROUPS, THRESHOLDS, TOTAL, bins, columns_of_groups, hits, pck_auc
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17, MPI_INF_3DHP_17


def test_groups_are_those_of_the_official_evaluation(reference_dir):
    with np.load(reference_dir / "metrics.npz", allow_pickle=False) as file:
        assert [*GROUPS, TOTAL] == file["dhp17/group_names"].tolist()
        assert THRESHOLDS.tolist() == file["dhp17/thresholds_mm"].tolist()
    expected = [[0], [1], [2, 5], [3, 6], [4, 7], [8, 11], [9, 12], [10, 13], [*range(14)]]
    assert [sorted(columns) for columns in columns_of_groups(MPI_INF_3DHP_17).values()] == expected


@pytest.mark.parametrize("keypoints", [H36M_17, COMMON_16, MPI_INF_3DHP_17])
def test_groups_go_by_name(keypoints):
    columns = columns_of_groups(keypoints)
    assert {keypoints.names[i] for i in columns["Knee"]} == {"left_knee", "right_knee"}
    assert {keypoints.names[i] for i in columns[TOTAL]} == set(GROUPED)


def test_a_threshold_is_not_below_itself():
    errors = np.array([0.0, 4.999, 5.0, 149.999999, 150.0, np.nan])
    assert bins(errors).tolist() == [1, 1, 2, 30, 31, 31]
    curve = hits(np.bincount(bins(errors), minlength=BINS))
    assert curve.tolist() == [(errors < threshold).sum() for threshold in THRESHOLDS]


def test_figures_by_hand():
    # A root without error is right at all thresholds but 0.
    assert pck_auc(np.zeros(4)) == pytest.approx((100, 100 * 30 / 31))
    assert pck_auc(np.array([150.0, 1000.0])) == (0, 0)
    # 100 is below 105, ..., 150: 10 thresholds of 31.
    assert pck_auc(np.array([100.0, 400.0])) == pytest.approx((50, 50 * 10 / 31))


def test_equals_mmpose(poses):
    pred, gt = 1000 * poses.pred.astype(np.float64), 1000 * poses.gt.astype(np.float64)
    visible = np.ones(pred.shape[:2], bool)
    _, theirs, _ = keypoint_pck_accuracy(pred, gt, visible, thr=150, norm_factor=np.ones((len(pred), 3)))
    assert pck_auc(np.linalg.norm(pred - gt, axis=-1))[0] == pytest.approx(100 * theirs, rel=1e-6)
