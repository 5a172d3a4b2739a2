import numpy as np
import pytest

from mpm_mmpose.evaluation.pose_reader import PoseReader
from mpm_mmpose.evaluation.protocol import get_protocol
from mpm_mmpose.evaluation.released import ReleasedSums

from .conftest import sample_of


def batch_of(pred, gt, action, actions, keypoint_set, **more):
    meta = dict(actions=actions, keypoint_set=keypoint_set)
    sample = sample_of(pred, gt, action=action, **more)
    return PoseReader(meta, get_protocol("released_mpm")).read([sample]).flat()


@pytest.fixture
def metrics(reference_dir):
    with np.load(reference_dir / "metrics.npz", allow_pickle=False) as file:
        return dict(file)


def test_by_action_with_the_batch_mean_in_p2(metrics):
    data = {name.removeprefix("action/"): array for name, array in metrics.items() if name.startswith("action/")}
    names = data["action_list"].tolist()
    action = np.array([names.index(name.split(" ")[0]) for name in data["name"].tolist()])
    parts = [ReleasedSums(), ReleasedSums()]
    for number in np.unique(data["batch_id"]):
        rows = data["batch_id"] == number
        batch = batch_of(data["pred"][rows, 0], data["gt"][rows, 0], action[rows], names, "h36m_17")
        parts[number % 2].add(batch, names)
    sums, other = parts
    sums.merge(other)
    p1, p2 = np.array([sums.by_action()[name] for name in names]).T
    np.testing.assert_allclose(p1, data["p1_mm"], rtol=1e-6)
    np.testing.assert_allclose(p2, data["p2_mm_official"], rtol=1e-6)
    assert (np.abs(p2 - data["p2_mm_persample_correct"]) > 1).all()
    found = sums.figures()
    assert found["mpjpe"] == pytest.approx(data["p1_mean_over_actions_mm"], rel=1e-6)
    assert found["p_mpjpe"] == pytest.approx(data["p2_mean_over_actions_mm_official"], rel=1e-6)


@pytest.mark.parametrize(
    ("size", "expected"), [(16, "{}_official_mean_of_batches"), (50, "{}_one_batch")], ids=["batches", "one_batch"]
)
def test_pck_and_auc_of_16_keypoints_are_means_of_batches(metrics, size, expected):
    pred, gt = metrics["dhp16/pred"][:, 0], metrics["dhp16/gt"][:, 0]
    sums = ReleasedSums()
    for start in range(0, 50, size):
        rows = slice(start, start + size)
        # The root, which the released evaluation sets to 0, is somewhere.
        pose = pred[rows] + 0
        pose[:, 0] = 7
        sums.add(batch_of(pose, gt[rows], np.zeros(len(pose), int), ["all"], "common_16"), ["all"])
    found = sums.figures()
    assert found["pck"] == pytest.approx(float(metrics["dhp16/" + expected.format("pck")]), rel=1e-9)
    assert found["auc"] == pytest.approx(float(metrics["dhp16/" + expected.format("auc")]), rel=1e-9)
    assert found["mpjpe_frames"] == pytest.approx(float(metrics["dhp16/mpjpe_mm"]), rel=1e-6)


def test_single_invisible_keypoints_are_refused(poses):
    visible = np.ones((200, 17), bool)
    visible[3, 4] = False
    batch = batch_of(poses.pred, poses.gt, poses.action, ["a", "b"], "h36m_17", lifting_target_visible=visible)
    with pytest.raises(ValueError, match="released_mpm: lifting_target_visible marks single keypoints"):
        ReleasedSums().add(batch, ["a", "b"])
