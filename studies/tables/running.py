"""Steps are run once: a finished one leaves a marker, an interrupted training goes on from its last epoch."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from tqdm import tqdm

from mpm_mmpose.atomic_file import write_atomically

from ..file_runner import FileRunner
from .experiment import pretrained_parts
from .plan import Step

MARKER = "done.json"


class FailedStepError(RuntimeError):
    """A training that other processes ran ended with an error."""


class Executor:
    """Runs steps that are not done yet, in the order given, and tells how far it is.

    out: folder of all results; a step's files are in ``steps/<kind>-<key>``, and its ``done.json``, written whole or
    not at all, says that it is finished and what came of it. Where two commands need a step at once, the second one
    waits for the first. gpus: processes of a training; more than one are started by ``launcher``, tools/dist_train.sh.
    Tests run in this process.
    """

    def __init__(self, out: Path, launcher: Path, gpus: int = 1) -> None:
        self.out, self.launcher, self.gpus = out, launcher, gpus

    def result(self, step: Step) -> dict | None:
        """What a finished step left, None where it is not finished."""
        marker = step.folder(self.out) / MARKER
        return json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else None

    def run(self, steps: Iterable[Step]) -> None:
        """Run what is not done yet; steps that others need come before them."""
        wanted = {step.key: step for step in steps}
        left = [step for step in wanted.values() if self.result(step) is None]
        print(f"{len(wanted)} steps, {len(wanted) - len(left)} of them done before", flush=True)
        if not left:
            return
        for step in left:
            self._complete(step)
        rounds = [_rounds(step) for step in left]
        with tqdm(total=sum(rounds), unit="batch", dynamic_ncols=True, smoothing=0.05) as bar:
            for number, (step, size) in enumerate(zip(left, rounds, strict=True), 1):
                bar.set_description(f"{number} of {len(left)}, {step.kind} {step.name}, seed {step.seed}")
                before = bar.n
                with _alone(step.folder(self.out)):
                    if self.result(step) is None:
                        self._run(step, size, bar)
                bar.update(before + size - bar.n)

    def _run(self, step: Step, size: int, bar: tqdm) -> None:
        started = time.monotonic()
        # mmengine prints some lines past its logger; the screen is the bar's.
        with open(step.folder(self.out) / "printed.log", "a") as log, contextlib.redirect_stdout(log):
            found = self._test(step, bar) if step.kind == "test" else self._train(step, size, bar)
        self._mark(step, found | dict(seconds=round(time.monotonic() - started, 1)))

    def _complete(self, step: Step) -> None:
        """Put folders and checkpoints of the steps before it into a step's config."""
        cfg = step.cfg
        before = [str(need.folder(self.out) / need.checkpoint) for need in step.needs]
        cfg.work_dir = str(step.folder(self.out))
        cfg.experiment_name = f"{step.kind}_{step.key[:12]}"  # mmengine distinguishes Runners of one process by it
        if step.kind == "test":
            (cfg.load_from,) = before
            return
        for init in pretrained_parts(cfg):
            (init["checkpoint"],) = before
        cfg.train_dataloader.batch_size = max(1, cfg.train_dataloader.batch_size // self.gpus)
        cfg.resume = True  # from the last checkpoint in its folder, if there is one

    def _train(self, step: Step, size: int, bar: tqdm) -> dict:
        cfg = step.cfg
        folder = Path(cfg.work_dir)
        if self.gpus == 1:
            runner = FileRunner.from_cfg(cfg)
            runner.register_hook(_BarHook(bar))
            runner.train()
        else:
            config = folder / "config.py"
            cfg.dump(config)
            launcher = ["bash", str(self.launcher), str(config), str(self.gpus)]
            with open(folder / "training.log", "a", encoding="utf-8") as log:
                code = subprocess.run([*launcher, "--work-dir", str(folder), "--resume"], stdout=log, stderr=log)
            if code.returncode:
                raise FailedStepError(f"training of {step.name} ended with {code.returncode}: see {log.name}")
        dataset = cfg.train_dataloader.dataset
        return dict(
            checkpoint=step.checkpoint, batches=size, windows=_windows(dataset), epochs=cfg.train_cfg.max_epochs
        )

    @staticmethod
    def _test(step: Step, bar: tqdm) -> dict:
        runner = FileRunner.from_cfg(step.cfg)
        runner.register_hook(_BarHook(bar))
        figures = {name.removeprefix("pose/"): value for name, value in runner.test().items()}
        (metric,) = runner.test_loop.evaluator.metrics
        return dict(
            figures=figures,
            average=metric.protocol.average,
            protocol=metric.protocol.name,
            report=metric.report,
            by_action=metric.by_action,
            windows=_windows(step.cfg.test_dataloader.dataset),
        )

    def _mark(self, step: Step, found: dict) -> None:
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {os.cpu_count()} cores"
        made = dict(
            kind=step.kind, name=step.name, seed=step.seed, key=step.key, device=device, torch=torch.__version__
        )
        text = json.dumps(made | found, indent=1)
        write_atomically(step.folder(self.out) / MARKER, lambda path: path.write_text(text, encoding="utf-8"))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other commands out of a step's folder; the system takes the lock away from a command that is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _BarHook(Hook):
    def __init__(self, bar: tqdm) -> None:
        self.bar = bar

    def before_train(self, runner: Runner) -> None:
        self.bar.update(runner.iter)  # what an interrupted run has done

    def after_iter(self, runner: Runner, *batch: object, mode: str = "train", **more: object) -> None:
        self.bar.update()


def _windows(dataset: dict) -> int:
    init_default_scope("mmpose")
    return len(DATASETS.build(dataset))


def _rounds(step: Step) -> int:
    """Batches of a step; of a training, over all processes."""
    if step.kind == "test":
        loader = step.cfg.test_dataloader
        return -(-_windows(loader.dataset) // loader.batch_size)
    loader = step.cfg.train_dataloader
    return step.cfg.train_cfg.max_epochs * -(-_windows(loader.dataset) // loader.batch_size)
