"""Processes that read data: one that cannot hand its batch over ends, and the training with it."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.queues import Queue
from types import TracebackType

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch.utils.data import DataLoader


@HOOKS.register_module()
class DataWorkersHook(Hook):
    """A full /dev/shm ends a training or test, which otherwise waits for ever.

    A process that reads data hands its batches over in a thread of its own. Where that fails, as with full shared
    memory, multiprocessing prints a traceback and drops the batch, for which the training goes on waiting. Here the
    process ends, which PyTorch notices.
    """

    def before_train(self, runner: Runner) -> None:
        """Prepare the loader of training."""
        _end_with_a_lost_batch(runner.train_loop.dataloader)

    def before_val(self, runner: Runner) -> None:
        """Prepare that of validation."""
        _end_with_a_lost_batch(runner.val_loop.dataloader)

    def before_test(self, runner: Runner) -> None:
        """Prepare that of a test."""
        _end_with_a_lost_batch(runner.test_loop.dataloader)


def _end_with_a_lost_batch(loader: DataLoader) -> None:
    if not isinstance(loader.worker_init_fn, partial) or loader.worker_init_fn.func is not _begin:
        loader.worker_init_fn = partial(_begin, loader.worker_init_fn)


def _begin(init: Callable[[int], None] | None, worker: int) -> None:
    Queue._on_queue_feeder_error = staticmethod(_end)  # in this process alone
    # A terminal sends Ctrl-C to these, too, whose end would be taken for a failure; the training ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = _report
    if init is not None:
        init(worker)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # A training that leaves breaks off what it was reading, which multiprocessing would print a traceback of.
    if not isinstance(error, ConnectionError | EOFError):
        sys.__excepthook__(kind, error, trace)


def _end(error: Exception, batch: object) -> None:
    print(f"a batch cannot be handed over: {error}", file=sys.stderr, flush=True)
    os._exit(1)
