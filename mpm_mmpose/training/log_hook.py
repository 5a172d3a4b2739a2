"""What a training run notes down of its steps."""

import math
from typing import Any

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor

from .errors import TrainingStopped
from .work_dir import kept_checkpoint

EVERY = 50  # steps, without a LoggerHook


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's RuntimeInfoHook, which reads losses from the device when they are logged, and not in every step.

    Reading a number waits until the device has computed it, so that a GPU stands still while Python prepares the next
    step. The history holds the same numbers in the same order.

    Raises TrainingStopped where a loss is not finite, when it is read: before a checkpoint of that epoch is written.
    """

    def __init__(self) -> None:
        self._waiting: list[dict[str, Any]] = []
        self._every = EVERY

    def before_train(self, runner: Runner) -> None:
        """Take the interval of the run's LoggerHook."""
        super().before_train(runner)
        self._waiting.clear()
        self._every = next((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), EVERY)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Keep the step's losses where they are; hand on all that wait when LoggerHook is about to log."""
        if outputs is not None:
            # Detached: the graph of a step must not wait with its losses.
            detached = {name: x.detach() if isinstance(x, Tensor) else x for name, x in outputs.items()}
            self._waiting.append(detached)
        if self.every_n_inner_iters(batch_idx, self._every) or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._hand_on(runner, batch_idx)

    def _hand_on(self, runner: Runner, batch_idx: int) -> None:
        """Note down the losses of the steps that wait, the last of which is `batch_idx` of its epoch."""
        values = [value for step in self._waiting for value in step.values() if isinstance(value, Tensor)]
        # One transfer for all.
        numbers = iter(torch.cat([value.float().view(1) for value in values]).tolist() if values else [])
        for number_of_step, step in enumerate(self._waiting, batch_idx + 2 - len(self._waiting)):
            for name, value in step.items():
                number = next(numbers) if isinstance(value, Tensor) else value
                # Norms of gradients may be infinite: AMP leaves such steps out.
                if "loss" in name and not math.isfinite(number):
                    raise TrainingStopped(
                        f"{name} is {number} in step {number_of_step} of epoch {runner.epoch + 1}: training stopped; "
                        f"{kept_checkpoint(runner.work_dir)}. Look for values in the data that cannot be, or lower "
                        "the learning rate"
                    )
                runner.message_hub.update_scalar(f"train/{name}", number)
        self._waiting.clear()
