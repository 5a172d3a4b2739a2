import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from tiny_training import Windows, make_runner

from mpm_mmpose.models import PretrainPreprocessor
from mpm_mmpose.training.hooks import RandomStateHook


class Interrupt(Hook):
    """Ctrl-C in the third epoch."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if (runner.epoch, batch_idx) == (2, 1):
            raise KeyboardInterrupt


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: "cpu")

    def run(name, interrupt=False, hooks=None, **kwargs):
        added = [Interrupt()] if interrupt else []
        runner = make_runner(tmp_path / name, hooks=added, custom_hooks=hooks, **kwargs)
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
