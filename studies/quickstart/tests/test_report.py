from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.data.window_dataset import PoseWindowDataset

from .. import report as report
from ..synthetic_motion import generate_motion


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store"
    write_store(path, project_views(generate_motion("walking", 1.0, 30, 0), cameras=2), meta={})
    return path


def test_target_poses_are_those_of_the_store(store):
    dataset = PoseWindowDataset(store, window=9)
    sequences = [dataset.stores[0].sequence(i).keypoints_3d for i in range(2)]
    expected = np.concatenate([pose - pose[:, :1] for pose in sequences])
    np.testing.assert_allclose(report.target_poses(dataset), expected, atol=1e-6)


def test_mean_pose_error_by_hand(store):
    dataset = dict(type="PoseWindowDataset", store=str(store), window=9)
    loader = SimpleNamespace(dataset=dataset)
    from mmengine.registry import init_default_scope

    init_default_scope("mmpose")
    errors = report.mean_pose_errors(SimpleNamespace(test_dataloader=loader, train_dataloader=loader))
    poses = report.target_poses(PoseWindowDataset(store, window=9))
    expected = 1000 * np.linalg.norm(poses - poses.mean(0), axis=-1).mean()
    assert errors["mpjpe"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("pretrained", "verdict"),
    [(45.0, "Pre-training took 5.0 mm (10%) off"), (55.0, "did not help at this size: it added 5.0 mm (10%) to")],
)
def test_table_says_whether_pre_training_helped(store, pretrained, verdict):
    errors = dict(p_mpjpe=30.0, n_mpjpe=40.0)
    table = dict(
        mean_pose=dict(mpjpe=200.04, **errors),
        lift_scratch=dict(mpjpe=50.0, **errors),
        lift_pretrained=dict(mpjpe=pretrained, **errors),
    )
    plan = dict(lift_pretrained=SimpleNamespace(filename="quickstart_lift.py"))
    text = report.format_table(table, plan, dict(train=store, labelled=store, test=store), 7.25, "epoch_5.pth")
    assert "| mean pose of the labelled clips | 200.0 | 30.0 | 40.0 |" in text
    assert verdict in text
    assert "on 1 clip (60 frames)" in text and "7.2 minutes" in text


def test_nothing_is_said_of_pre_training_where_neither_model_has_learned_anything(store):
    errors = dict(p_mpjpe=30.0, n_mpjpe=40.0)
    rows = dict(mean_pose=200.0, lift_scratch=240.0, lift_pretrained=236.8)
    table = {row: dict(mpjpe=value, **errors) for row, value in rows.items()}
    plan = dict(lift_pretrained=SimpleNamespace(filename="quickstart_lift.py"))
    text = report.format_table(table, plan, dict(train=store, labelled=store, test=store), 1.0, "epoch_5.pth")
    assert "neither has learned anything yet" in text and "took" not in text.split("All steps")[0]
    table["lift_pretrained"]["mpjpe"] = 190.0
    text = report.format_table(table, plan, dict(train=store, labelled=store, test=store), 1.0, "epoch_5.pth")
    assert "Pre-training took 50.0 mm (21%) off" in text


def test_prediction_of_a_sequence_is_in_order(store):
    class Echo(torch.nn.Module):
        def test_step(self, batch):
            instances = SimpleNamespace
            target = batch["keypoints_3d"][:, 4]
            gt = dict(keypoints=batch["keypoints"][:, 4], lifting_target=target)
            return [instances(gt_instances=gt, pred_instances=dict(keypoints=target + 1))]

    dataset = PoseWindowDataset(store, window=9)
    clip = report.predict_sequence(Echo(), dataset, 1)
    np.testing.assert_allclose(clip["ground_truth"], dataset.stores[0].sequence(1).keypoints_3d, atol=1e-6)
    np.testing.assert_allclose(clip["prediction"], clip["ground_truth"] + 1)
