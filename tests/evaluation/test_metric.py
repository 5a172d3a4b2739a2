import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.evaluation.metrics import MPJPE
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample

from mpm_mmpose.evaluation.metric import PoseErrorMetric
from mpm_mmpose.evaluation.pose_error import mpjpe, n_mpjpe, p_mpjpe

ACTIONS = ("Sitting", "Walking", "Waving")


def sample_of(pred, gt, action, window) -> PoseDataSample:
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(keypoints=torch.as_tensor(pred))
    sample.gt_instances = InstanceData(
        lifting_target=torch.as_tensor(gt), action=torch.as_tensor(action), window=torch.as_tensor(window)
    )
    return sample


def evaluator_of(metric) -> Evaluator:
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(actions=ACTIONS)
    return evaluator


@pytest.fixture
def poses():
    random = np.random.default_rng(0)
    gt = random.normal(size=(31, 17, 3)).astype(np.float32)
    pred = (gt + 0.1 * random.normal(size=gt.shape)).astype(np.float32)
    # Unequal numbers of poses, so that the mean over actions is not the mean over poses.
    action = np.repeat([0, 1], [6, 25])
    return pred, gt, action, np.arange(31)


def test_reports_millimetres_over_poses_and_over_actions(poses):
    pred, gt, action, _ = poses
    metric = METRICS.build(dict(type="PoseErrorMetric"))
    evaluator = evaluator_of(metric)
    for batch in (slice(0, 10), slice(10, 31)):
        evaluator.process([sample_of(*(column[batch] for column in poses))])
    found = evaluator.evaluate(31)
    for name, error in dict(mpjpe=mpjpe, p_mpjpe=p_mpjpe, n_mpjpe=n_mpjpe).items():
        errors = 1000 * error(pred, gt)
        actions = [errors[action == i].mean() for i in (0, 1)]
        assert found[f"pose/{name}"] == pytest.approx(errors.mean(), rel=1e-12)
        assert found[f"pose/{name}/mean_over_actions"] == pytest.approx(np.mean(actions), rel=1e-12)
        # An action without poses does not appear and does not count.
        assert [metric.by_action[ACTIONS[i]][name] for i in (0, 1)] == pytest.approx(actions, rel=1e-12)
    assert len(found) == 6
    assert {name: row["poses"] for name, row in metric.by_action.items()} == {"Sitting": 6, "Walking": 25}


def test_equals_the_reference_by_action(reference_dir):
    with np.load(reference_dir / "metrics.npz", allow_pickle=False) as file:
        data = {name.removeprefix("action/"): file[name] for name in file.files if name.startswith("action/")}
    names = data["action_list"].tolist()
    action = np.array([names.index(name.split(" ")[0]) for name in data["name"].tolist()])
    metric = PoseErrorMetric()
    metric.dataset_meta = dict(actions=names)
    for batch in np.unique(data["batch_id"]):
        rows = np.flatnonzero(data["batch_id"] == batch)
        sample = sample_of(data["pred"][rows, 0], data["gt"][rows, 0], action[rows], rows)
        metric.process(None, [sample.to_dict()])
    found = metric.evaluate(len(action))
    by_action = [metric.by_action[name] for name in names]
    np.testing.assert_allclose([row["mpjpe"] for row in by_action], data["p1_mm"], rtol=1e-6)
    np.testing.assert_allclose([row["p_mpjpe"] for row in by_action], data["p2_mm_persample_correct"], rtol=1e-6)
    assert [row["poses"] for row in by_action] == data["p1_weight"].tolist()
    assert found["pose/mpjpe/mean_over_actions"] == pytest.approx(data["p1_mean_over_actions_mm"], rel=1e-6)


def test_two_ranks_with_a_repeated_window_give_the_figures_of_one(poses):
    def figures(batches):
        metric = PoseErrorMetric()
        metric.dataset_meta = dict(actions=ACTIONS)
        for rows in batches:
            metric.process(None, [sample_of(*(column[rows] for column in poses)).to_dict()])
        return metric.compute_metrics(metric.results), metric.by_action

    # 31 windows for two ranks: the sampler repeats window 0 at the end of the second.
    ranks = [np.arange(0, 31, 2), np.append(np.arange(1, 31, 2), 0)]
    assert len(ranks[0]) == len(ranks[1])
    split, by_action = figures([rows[part] for rows in ranks for part in (slice(0, 9), slice(9, None))])
    whole, whole_by_action = figures([np.arange(31)])
    # Sorting by window makes even the order of summation the same.
    assert split == whole
    assert by_action == whole_by_action


def test_mmpose_samples_give_the_figures_of_mmpose(poses):
    pred, gt, _, _ = poses
    samples = []
    for i in range(len(gt)):
        action = "Walking_1" if i % 3 else "Sitting"
        name = f"S9_{action}.54138969_{i:06d}.jpg"
        sample = PoseDataSample(metainfo=dict(target_img_path=[f"S9/S9_{action}.54138969/{name}"]))
        # The heads of mmpose give (1, T, K, 3) or (T, K, 3).
        sample.pred_instances = InstanceData(keypoints=pred[None, None, i] if i % 2 else pred[None, i])
        sample.gt_instances = InstanceData(lifting_target=gt[None, i], lifting_target_visible=np.ones((1, 17)))
        samples.append(sample)
    metric = PoseErrorMetric()
    evaluator = Evaluator([metric, MPJPE("mpjpe"), MPJPE("p-mpjpe", prefix="p"), MPJPE("n-mpjpe", prefix="n")])
    evaluator.process(samples)
    found = evaluator.evaluate(len(samples))
    assert found["pose/mpjpe"] == pytest.approx(1000 * found["MPJPE"], rel=1e-5)
    assert found["pose/p_mpjpe"] == pytest.approx(1000 * found["p/P-MPJPE"], rel=1e-5)
    assert found["pose/n_mpjpe"] == pytest.approx(1000 * found["n/N-MPJPE"], rel=1e-5)
    for action in ("Walking", "Sitting"):
        assert metric.by_action[action]["mpjpe"] == pytest.approx(1000 * found[f"MPJPE_{action}"], rel=1e-5)


def test_samples_without_a_window_that_a_sampler_repeated_count_once(poses):
    pred, gt, _, _ = poses
    metric = PoseErrorMetric()
    for i in [*range(4), 0]:
        metric.process(
            None, [dict(pred_instances=dict(keypoints=pred[[i]]), gt_instances=dict(lifting_target=gt[[i]]))]
        )
    assert metric.evaluate(4)["pose/mpjpe"] == pytest.approx(1000 * mpjpe(pred[:4], gt[:4]).mean(), rel=1e-12)
    assert list(metric.by_action) == ["all"]


def test_results_hold_errors_and_no_poses(poses):
    metric = PoseErrorMetric()
    metric.dataset_meta = dict(actions=ACTIONS)
    metric.process(None, [sample_of(*poses).to_dict()])
    assert all(column.shape == (31,) for column in metric.results[0].values())


def test_counts_predictions_that_are_not_finite(poses):
    pred, gt, action, window = poses
    pred = pred.copy()
    pred[3:5, 0, 0] = np.nan
    pred[7, 1, 2] = np.inf
    metric = PoseErrorMetric()
    metric.dataset_meta = dict(actions=ACTIONS)
    for rows in (slice(0, 4), slice(4, 31)):
        metric.process(None, [sample_of(pred[rows], gt[rows], action[rows], window[rows]).to_dict()])
    with pytest.raises(ValueError, match="3 of 31 predicted poses are not finite"):
        metric.evaluate(31)


def test_refuses_what_it_cannot_judge(poses):
    pred, gt, action, window = poses
    metric = PoseErrorMetric()
    with pytest.raises(KeyError, match="'actions'"):
        metric.process(None, [sample_of(*poses).to_dict()])
    metric.dataset_meta = dict(actions=ACTIONS)
    with pytest.raises(ValueError, match="31 of 31 ground truth poses are not finite"):
        metric.process(None, [sample_of(pred, gt * np.nan, action, window).to_dict()])
    hidden = sample_of(*poses).to_dict()
    hidden["gt_instances"]["lifting_target_visible"] = np.zeros((31, 17))
    with pytest.raises(ValueError, match="lifting_target_visible"):
        metric.process(None, [hidden])
    with pytest.raises(ValueError, match="test set is empty"):
        metric.evaluate(0)
