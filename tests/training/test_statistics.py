from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseWindowDataset, write_store
from mpm_mmpose.training.statistics import read_poses
from studies.quickstart.synthetic_motion import generate_motion

CONFIGS = Path(__file__).parents[2] / "configs/mpm"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("statistics") / "store"
    write_store(
        path, (s for seed in range(2) for s in project_views(generate_motion("mixed", 2.0, 30.0, seed), 2, seed))
    )
    return path


def config(store, work_dir, **changes):
    small = dict(num_frames=9, channels=16, hidden_channels=32, num_heads=2)
    cfg = Config(
        dict(
            default_scope="mmpose",
            work_dir=str(work_dir),
            model=dict(
                type="PoseLifter",
                data_preprocessor=dict(type="LiftingPreprocessor"),
                backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), mask_tokens=False, **small),
                head=dict(type="LiftingHead", strides=(3, 3), **small),
            ),
            train_dataloader=dict(
                batch_size=16,
                num_workers=2,
                persistent_workers=True,
                sampler=dict(type="DefaultSampler", shuffle=True),
                collate_fn=dict(type="keep_batch"),
                dataset=dict(type="PoseWindowDataset", store=str(store), window=9, max_windows=64),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.0)),
            custom_hooks=[dict(type="TrainingStatisticsHook")],
            default_hooks=dict(checkpoint=dict(type="CheckpointHook", interval=1)),
            experiment_name=f"statistics_{work_dir.name}",
        )
    )
    cfg.merge_from_dict(changes)
    return cfg


def bias(path):
    return torch.load(path, weights_only=False)["state_dict"]["head.target_out.bias"]


def test_windows_are_spread_over_the_data(store):
    dataset = PoseWindowDataset(str(store), 9)
    poses = read_poses(dataset, frames=90)
    assert poses["poses_2d"].shape == (10, 9, 17, 2) and poses["poses_3d"].shape == (10, 9, 17, 3)
    assert (poses["poses_3d"][:, :, 0] == 0).all()
    index = np.linspace(0, len(dataset) - 1, 10).round().astype(int)
    torch.testing.assert_close(poses["poses_2d"], dataset.__getitems__(index)["keypoints"])
    assert len(read_poses(dataset, frames=10**6)["poses_2d"]) == len(dataset)


def test_a_new_model_starts_at_the_mean_pose_and_a_loaded_one_where_it_was(store, tmp_path):
    Runner.from_cfg(config(store, tmp_path / "new")).train()
    dataset = PoseWindowDataset(str(store), 9, max_windows=64)
    mean = read_poses(dataset)["poses_3d"].mean((0, 1)).flatten()
    torch.testing.assert_close(bias(tmp_path / "new/epoch_1.pth"), mean, atol=1e-5, rtol=0)

    checkpoint = torch.load(tmp_path / "new/epoch_1.pth", weights_only=False)
    checkpoint["state_dict"]["head.target_out.bias"] += 1
    torch.save(checkpoint, tmp_path / "changed.pth")
    Runner.from_cfg(config(store, tmp_path / "loaded", load_from=str(tmp_path / "changed.pth"))).train()
    torch.testing.assert_close(bias(tmp_path / "loaded/epoch_1.pth"), mean + 1, atol=1e-5, rtol=0)


@pytest.mark.parametrize("part", ["model.init_cfg", "model.head.init_cfg"])
def test_what_starts_pre_trained_stays(store, tmp_path, part):
    Runner.from_cfg(config(store, tmp_path / "first")).train()
    checkpoint = torch.load(tmp_path / "first/epoch_1.pth", weights_only=False)
    checkpoint["state_dict"]["head.target_out.bias"] += 1
    torch.save(checkpoint, tmp_path / "changed.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "changed.pth"))
    if "head" in part:
        init_cfg["prefix"] = "head."
    Runner.from_cfg(config(store, tmp_path / "second", **{part: init_cfg})).train()
    torch.testing.assert_close(
        bias(tmp_path / "second/epoch_1.pth"), bias(tmp_path / "first/epoch_1.pth") + 1, atol=1e-5, rtol=0
    )


def tokens(path):
    return torch.load(path, weights_only=False)["state_dict"]["backbone.keypoint_token_2d"]


def test_tokens_of_the_shipped_configs_start_at_the_means_and_are_handed_on(store, tmp_path):
    """Pre-training begins at the keypoints' means; the lifter takes over what pre-training made of them."""
    small = {"model.backbone.depth": 1, "train_dataloader.batch_size": 64, "train_cfg.max_epochs": 1}

    def shipped(leaf, folder, **changes):
        cfg = Config.fromfile(CONFIGS / f"{leaf}.py")
        cfg.merge_from_dict(small | {"optim_wrapper.optimizer.lr": 0.0} | changes)
        for key in ("val_dataloader", "val_evaluator", "val_cfg", "test_dataloader", "test_evaluator", "test_cfg"):
            cfg[key] = None
        cfg.train_cfg.pop("val_interval", None)
        cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=1)
        cfg.work_dir, cfg.experiment_name = str(tmp_path / folder), f"tokens_{folder}"
        return cfg

    stores = {f"train_dataloader.dataset.dataset_{kind}.store": str(store) for kind in ("2d", "3d")}
    Runner.from_cfg(shipped("pretrain_mocap_27", "pretrain", **stores)).train()
    found = tokens(tmp_path / "pretrain/epoch_1.pth")
    mean = read_poses(PoseWindowDataset(str(store), 27))["poses_2d"].mean((0, 1))
    torch.testing.assert_close(found, mean, atol=0.01, rtol=0)

    checkpoint = torch.load(tmp_path / "pretrain/epoch_1.pth", weights_only=False)
    checkpoint["state_dict"]["backbone.keypoint_token_2d"] += 1
    torch.save(checkpoint, tmp_path / "pretrained.pth")
    lifter = {
        "model.backbone.init_cfg.checkpoint": str(tmp_path / "pretrained.pth"),
        "train_dataloader.dataset.store": str(store),
    }
    Runner.from_cfg(shipped("lift_mocap_27_occluded", "lift", **lifter)).train()
    torch.testing.assert_close(tokens(tmp_path / "lift/epoch_1.pth"), found + 1, atol=1e-5, rtol=0)
