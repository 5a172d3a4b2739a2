"""A training of seconds, with the hooks of the configs, for tests of what happens around it."""

import random
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpose.registry import METRICS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

import mpm_mmpose.register  # noqa: F401

RUNTIME = Path(__file__).parents[2] / "configs/mpm/_base_/default_runtime.py"


@MODELS.register_module()
class TinyEstimator(BaseModel):
    """Dropout and BatchNorm behind the masks and flips of the real preprocessor."""

    def __init__(self):
        super().__init__(dict(type="PretrainPreprocessor"))
        self.layers = nn.Sequential(nn.Linear(51, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 51))

    def forward(self, inputs, data_samples=None, mode="loss"):
        if mode == "predict":
            torch.rand(5), np.random.rand(5), random.random()  # validation that disturbs every stream
            return [PoseDataSample()]
        poses, masks = inputs["poses_3d"], inputs["masks_3d"]
        x = poses.masked_fill(masks.keypoint_mask[..., None], 0).flatten(0, 1).flatten(1)
        return dict(loss=(self.layers(x) - poses.flatten(0, 1).flatten(1)).square().mean())


@METRICS.register_module()
class FallingError(BaseMetric):
    default_prefix = "pose"
    errors = iter(range(1000, 0, -1))

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(mpjpe=float(next(self.errors)))


class Windows(torch.utils.data.Dataset):
    metainfo = dict(actions=("walk",))
    poses = torch.randn(48, 9, 17, 3, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return len(self.poses)

    def __getitems__(self, indices):
        return dict(keypoints=self.poses[indices][..., :2], keypoints_3d=self.poses[indices])


def loader(shuffle, workers):
    # The workers stay for all epochs, as in the configs: a resumed run starts them in another epoch.
    processes = dict(num_workers=workers, persistent_workers=workers > 0)
    sampler = dict(type="DefaultSampler", shuffle=shuffle)
    return dict(dataset=Windows(), batch_size=16, sampler=sampler, collate_fn=dict(type="keep_batch"), **processes)


def make_runner(work_dir, val_interval=1, hooks=(), workers=0, checkpoint=None, custom_hooks=None, **kwargs):
    """A Runner of 4 epochs of 3 steps; checkpoint changes its hook, hooks are added to those of the configs."""
    runtime = Config.fromfile(RUNTIME)
    runtime.default_hooks.checkpoint.update(checkpoint or {})
    return Runner(
        model=dict(type="TinyEstimator"),
        work_dir=str(work_dir),
        train_dataloader=loader(True, workers),
        val_dataloader=loader(False, workers),
        train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=val_interval),
        val_cfg=dict(),
        val_evaluator=dict(type="FallingError"),
        optim_wrapper=dict(optimizer=dict(type="AdamW", lr=0.01)),
        param_scheduler=[dict(type="ExponentialLR", gamma=0.97, by_epoch=True)],
        default_hooks=runtime.default_hooks,
        custom_hooks=[*(runtime.custom_hooks if custom_hooks is None else custom_hooks), *hooks],
        randomness=runtime.randomness,
        default_scope="mmpose",
        experiment_name=f"{work_dir} {kwargs}",
        log_level="ERROR",
        **kwargs,
    )
