import pytest
import torch
from mmengine.hooks import LoggerHook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import mpm_mmpose.register  # noqa: F401


class TwoLosses(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x, mode="loss"):
        first, second = self.layer(x).square().mean(0)
        return dict(loss_first=first, loss_second=second, share=second.detach() / first.detach())


class Reads(TorchDispatchMode):
    number = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.number += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


class Logged(LoggerHook):
    """Where it logs, the losses of all steps so far are there."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.every_n_inner_iters(batch_idx, self.interval) or self.end_of_epoch(runner.train_dataloader, batch_idx):
            assert len(runner.message_hub.get_scalar("train/loss").data[0]) == runner.iter + 1
        super().after_train_iter(runner, batch_idx, data_batch, outputs)


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: "cpu")

    def run(hook, interval):
        """What 2 epochs of 7 steps note down, and how often a number was read from a tensor."""
        windows = torch.randn(28, 3, generator=torch.Generator().manual_seed(0))
        torch.manual_seed(0)
        runner = Runner(
            model=TwoLosses(),
            work_dir=str(tmp_path / hook),
            train_dataloader=dict(
                dataset=[dict(x=window) for window in windows],
                batch_size=4,
                sampler=dict(type="DefaultSampler", shuffle=False),
                collate_fn=dict(type="default_collate"),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            # Fused, as in our schedules: other kinds read their step count on a CPU.
            optim_wrapper=dict(optimizer=dict(type="AdamW", lr=0.01, fused=True)),
            default_hooks=dict(runtime_info=dict(type=hook), logger=Logged(interval=interval), checkpoint=None),
            default_scope="mmpose",
            experiment_name=f"{tmp_path.name} {hook} {interval}",
            log_level="ERROR",
        )
        with Reads() as reads:
            runner.train()
        return {name: buffer.data for name, buffer in runner.message_hub.log_scalars.items()}, reads.number

    return run


@pytest.mark.parametrize("interval", [3, 50])
def test_the_same_is_noted_down_without_reading_in_every_step(train, interval):
    expected, reads = train("RuntimeInfoHook", interval)
    found, ours = train("DeferredRuntimeInfoHook", interval)
    assert reads >= 14 * 4 and ours == reads - 14 * 4
    assert found.keys() == expected.keys()
    for name in ("train/loss", "train/loss_first", "train/loss_second", "train/share", "train/lr"):
        for ours, theirs in zip(found[name], expected[name], strict=True):
            assert ours.tolist() == theirs.tolist() and len(ours) == 14
