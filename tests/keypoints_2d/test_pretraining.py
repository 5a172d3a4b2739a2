"""A store without 3D in pre-training: alone as the 2D of it, and beside one that has both."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS

from mpm_mmpose.converters.keypoints_2d import convert_keypoints_2d
from mpm_mmpose.data import MaskedPoseDataset, PoseSequence, PoseWindowDataset, write_store

CONFIG = Path(__file__).parents[2] / "configs/mpm/pretrain_mocap_27_extra_2d.py"


@pytest.fixture
def stores(tmp_path, write, layouts, monkeypatch):
    """The stores that the config asks for: a clip of 12 frames, and two people in 12 frames without 3D."""
    monkeypatch.chdir(tmp_path)
    poses = np.random.default_rng(0).normal(0, 0.3, (12, 17, 3)) + [0, 0, 4]
    image = 1000 * poses[..., :2] / poses[..., 2:] + 500
    write_store("data/stores/mocap_train", [PoseSequence("a", poses, image, width=1000, height=1000, fps=50)])
    options = dict(fps=25, width=1000, height=500, progress=False)
    convert_keypoints_2d([write(layouts.mmpose_demo())], "data/stores/keypoints_2d_train", **options)
    return tmp_path / "data/stores"


def test_windows_of_a_store_without_3d(stores):
    options = dict(window=27)
    both = dict(store=str(stores / "mocap_train"))
    only_2d = dict(store=str(stores / "keypoints_2d_train"), modalities=("2d",))
    dataset = MaskedPoseDataset(only_2d | options, both | options)
    assert (len(dataset.dataset_2d), len(dataset.dataset_3d), len(dataset)) == (24, 12, 24)
    batch = dataset.__getitems__([0, 23])
    windows = PoseWindowDataset(only_2d["store"], 27, modalities=["2d"]).__getitems__([0, 23])
    assert torch.equal(batch["keypoints"], windows["keypoints"])
    with pytest.raises(ValueError, match="keypoints_2d_train: has no keypoints_3d; leave its modality out"):
        MaskedPoseDataset(only_2d | options, only_2d | options)


def test_config_trains_a_step(stores):
    config = Config.fromfile(CONFIG)
    init_default_scope(config.default_scope)
    loader = config.train_dataloader | dict(batch_size=36, num_workers=0, persistent_workers=False)
    loader = Runner.build_dataloader(loader, seed=0)
    (batch,) = loader
    # All windows of both stores are in the 2D: 12 of the clip and 24 of the people.
    alone = PoseWindowDataset(stores / "keypoints_2d_train", 27, modalities=["2d"]).__getitems__(range(24))
    given = {window.numpy().tobytes() for window in batch["keypoints"]}
    assert len(given) == 36 and {window.numpy().tobytes() for window in alone["keypoints"]} < given
    torch.manual_seed(0)
    model = MODELS.build(config.model).train()
    weights = model.backbone.encoder_2d.linear.weight
    before = weights.detach().clone()
    few = {name: windows[:4] for name, windows in batch.items()}
    losses = model.train_step(few, build_optim_wrapper(model, config.optim_wrapper))
    assert torch.isfinite(losses["loss"]) and not torch.equal(weights, before)
