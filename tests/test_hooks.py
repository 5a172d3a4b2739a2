import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpose.registry import METRICS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from mpm_mmpose.hooks import RandomStateHook
from mpm_mmpose.models import PretrainPreprocessor

RUNTIME = Path(__file__).parents[1] / "configs/mpm/_base_/default_runtime.py"


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


class Interrupt(Hook):
    """Ctrl-C in the third epoch."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if (runner.epoch, batch_idx) == (2, 1):
            raise KeyboardInterrupt


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: "cpu")
    runtime = Config.fromfile(RUNTIME)

    def loader(shuffle, workers):
        # The workers stay for all epochs, as in the configs: a resumed run starts them in another epoch.
        processes = dict(num_workers=workers, persistent_workers=workers > 0)
        sampler = dict(type="DefaultSampler", shuffle=shuffle)
        return dict(dataset=Windows(), batch_size=16, sampler=sampler, collate_fn=dict(type="keep_batch"), **processes)

    def run(name, val_interval=1, interrupt=False, hooks=runtime.custom_hooks, workers=0, **kwargs):
        runner = Runner(
            model=dict(type="TinyEstimator"),
            work_dir=str(tmp_path / name),
            train_dataloader=loader(True, workers),
            val_dataloader=loader(False, workers),
            train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=val_interval),
            val_cfg=dict(),
            val_evaluator=dict(type="FallingError"),
            optim_wrapper=dict(optimizer=dict(type="AdamW", lr=0.01)),
            param_scheduler=[dict(type="ExponentialLR", gamma=0.97, by_epoch=True)],
            default_hooks=runtime.default_hooks,
            custom_hooks=[*hooks, *([Interrupt()] if interrupt else [])],
            randomness=runtime.randomness,
            default_scope="mmpose",
            experiment_name=f"{tmp_path.name} {name} {kwargs}",
            log_level="ERROR",
            **kwargs,
        )
        runner.train()
        return {**runner.model.state_dict(), **_flat(runner.optim_wrapper.optimizer.state_dict()["state"])}

    return run


def _flat(state):
    return {f"{i}.{name}": value for i, values in state.items() for name, value in values.items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_interrupted_in_an_epoch_and_resumed_ends_bit_for_bit_the_same(train, tmp_path, workers):
    whole = train("whole", workers=workers)
    with pytest.raises(KeyboardInterrupt):
        train("interrupted", interrupt=True, workers=workers)
    assert (tmp_path / "interrupted/last_checkpoint").read_text() == "epoch_2.pth"
    assert torch.load(tmp_path / "interrupted/epoch_2.pth")["meta"]["epoch"] == 2
    assert same(whole, train("interrupted", resume=True, workers=workers))


def test_validation_does_not_disturb_training(train):
    assert same(train("often"), train("once", val_interval=4))


def test_the_data_are_told_the_epoch_of_a_resumed_run_as_well(train, monkeypatch):
    epochs = []
    monkeypatch.setattr(Windows, "set_epoch", lambda self, epoch: epochs.append(epoch), raising=False)
    with pytest.raises(KeyboardInterrupt):
        train("interrupted", interrupt=True)
    assert epochs == [0, 1, 2]
    train("interrupted", resume=True)
    assert epochs == [0, 1, 2, 2, 3]


def test_these_runs_do_depend_on_the_hook(train):
    assert not same(train("often", hooks=[]), train("once", val_interval=4, hooks=[]))


def test_weights_alone_bring_no_random_numbers_with_them(train, tmp_path):
    """Fine-tuning with load_from draws its own numbers, not those of the checkpoint."""
    train("first")
    checkpoint = str(tmp_path / "first/epoch_4.pth")
    ours = train("second", load_from=checkpoint)
    weights = torch.load(checkpoint)
    del weights["random_states"]
    torch.save(weights, checkpoint)
    assert same(ours, train("third", load_from=checkpoint))


def test_state_of_every_stream_is_put_back():
    preprocessor = PretrainPreprocessor(seed=3)
    logger = SimpleNamespace(warning=pytest.fail)
    runner = SimpleNamespace(
        model=SimpleNamespace(data_preprocessor=preprocessor), epoch=1, world_size=1, logger=logger
    )

    def draw():
        ours = torch.rand(2, generator=preprocessor.generator).tolist()
        return torch.rand(2).tolist(), np.random.rand(), np.random.randn(), random.gauss(0, 1), ours

    np.random.randn()  # leaves a second normal number in numpy's state
    saving, resumed, checkpoint = RandomStateHook(), RandomStateHook(), {}
    saving.after_train_epoch(runner)
    expected = draw()
    saving.before_save_checkpoint(runner, checkpoint)
    resumed.after_load_checkpoint(runner, checkpoint)
    draw()
    resumed.before_train(runner)
    for put_back in (
        lambda: resumed.before_train_epoch(runner),
        lambda: resumed.before_train_iter(runner, 0),
        lambda: resumed.before_val_iter(runner, 0),
    ):
        put_back()
        assert draw() == expected
    resumed.before_train_iter(runner, 1)
    assert draw() != expected


def test_another_number_of_processes_is_said_and_goes_on():
    said = []
    runner = SimpleNamespace(world_size=2, epoch=1, logger=SimpleNamespace(warning=said.append))
    hook = RandomStateHook()
    hook.after_load_checkpoint(runner, dict(random_states=[{}]))
    hook.before_train(runner)
    hook.before_train_epoch(runner)  # puts nothing back
    assert "of 1 processes, this run has 2" in said[0]
