"""Hooks of the training loop."""

import random

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor, nn

_KEY = "random_states"


def _preprocessor(runner: Runner) -> nn.Module:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.data_preprocessor


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Training draws one stream of random numbers, whatever happens between its epochs.

    The states of torch, numpy, Python and of the data preprocessor, of every rank, are taken at the end of each
    training epoch and written to the checkpoints. They are put back before the next epoch, and once more when it has
    its first batch: a data loader draws a seed when it starts its processes, which a resumed run does and one with
    persistent workers does not. The validation in between begins with the same states. So neither validation nor an
    interruption changes what is drawn, and on a CPU a resumed run ends with the same weights bit for bit. What data
    sets draw in processes of their own is not covered; ours draw nothing there.
    """

    # Before CheckpointHook (VERY_LOW), whose after_train_epoch writes what is gathered here.
    priority = "LOW"

    def __init__(self) -> None:
        self._states: list[dict] | None = None  # one a rank

    def before_train(self, runner: Runner) -> None:
        """Forget the states of a checkpoint that was loaded for its weights only, or by another number of processes."""
        if runner.epoch == 0:
            self._states = None
        elif self._states is not None and len(self._states) != runner.world_size:
            runner.logger.warning(
                f"the checkpoint holds random states of {len(self._states)} processes, this run has "
                f"{runner.world_size}: it goes on with new random numbers"
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Put this rank's states back."""
        self._put_back(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Put them back when the epoch's first batch is there."""
        if batch_idx == 0:
            self._put_back(runner)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Put them back when validation's first batch is there."""
        if batch_idx == 0:
            self._put_back(runner)

    def _put_back(self, runner: Runner) -> None:
        if self._states is not None and len(self._states) == runner.world_size:
            _put_back(self._states[get_rank()], _preprocessor(runner))

    def after_train_epoch(self, runner: Runner) -> None:
        """Take the states of all ranks."""
        self._states = all_gather_object(_take(_preprocessor(runner)))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the states taken at the end of the last training epoch."""
        if self._states is not None:
            checkpoint[_KEY] = self._states

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Read the states of the run to be resumed."""
        self._states = checkpoint.get(_KEY)


@HOOKS.register_module()
class DatasetEpochHook(Hook):
    """Tells the training data which epoch it is, if it wants to know: `MixedPoseDataset` shows another part in each."""

    def before_train_epoch(self, runner: Runner) -> None:
        """Called before the loader's workers begin with the epoch, of a resumed run as well."""
        if hasattr(runner.train_dataloader.dataset, "set_epoch"):
            runner.train_dataloader.dataset.set_epoch(runner.epoch)


def _take(preprocessor: nn.Module) -> dict:
    algorithm, keys, *rest = np.random.get_state()
    states = dict(
        torch=torch.get_rng_state(),
        numpy=(algorithm, torch.from_numpy(keys.astype(np.int64)), *rest),
        python=random.getstate(),
    )
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    if hasattr(preprocessor, "get_rng_state"):
        states["preprocessor"] = preprocessor.get_rng_state().cpu()
    return states


def _put_back(states: dict, preprocessor: nn.Module) -> None:
    # .cpu(): resuming maps every tensor of the checkpoint to the training device.
    torch.set_rng_state(states["torch"].cpu())
    algorithm, keys, *rest = states["numpy"]
    np.random.set_state((algorithm, keys.cpu().numpy().astype(np.uint32), *rest))
    random.setstate(states["python"])
    if torch.cuda.is_available() and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"].cpu())
    if "preprocessor" in states:
        state: Tensor = states["preprocessor"]
        preprocessor.set_rng_state(state.cpu())
