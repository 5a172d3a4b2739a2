"""One model, one seed, one rate: trained on the training store, tested on another one; done once and kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.models.cost import count_flops, count_parameters

from ..file_runner import FileRunner
from . import metre_codec  # noqa: F401
from .budget import WARM_UP, Budget
from .lifters import LIFTERS

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
MARKER = "result.json"
FIGURES = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "acceleration")
_TIMED, _FIRST = 20, 5  # steps, and those before them that are not


@dataclass(frozen=True)
class Training:
    """model: of LIFTERS. rate: times the model's own learning rate. test: the store that it is tested on."""

    model: str
    seed: int
    rate: float
    train: Path
    test: Path
    budget: Budget

    def config(self, folder: Path, steps: int) -> Config:
        """The Runner's config."""
        lifter = LIFTERS[self.model]
        model, train, test, collate = lifter.make(self.train)
        loader = dict(num_workers=0, persistent_workers=False, collate_fn=dict(type=collate))
        warm_up = round(WARM_UP * steps)
        cfg = Config.fromfile(CONFIGS / "_base_/default_runtime.py")
        cfg.merge_from_dict(
            dict(
                work_dir=str(folder),
                experiment_name=f"{folder.parent.name}_{folder.name}",  # mmengine distinguishes Runners by it
                model=model,
                train_dataloader=dict(
                    batch_size=lifter.batch,
                    sampler=dict(type="InfiniteSampler", shuffle=True, seed=self.seed),
                    dataset=train | dict(store=str(self.train)),
                    **loader,
                ),
                test_dataloader=dict(
                    batch_size=256,
                    sampler=dict(type="DefaultSampler", shuffle=False),
                    dataset=test | dict(store=str(self.test)),
                    **loader,
                ),
                test_evaluator=dict(type="PoseErrorMetric", root_alignment="subtracted"),
                test_cfg=dict(),
                train_cfg=dict(by_epoch=False, max_iters=steps),
                optim_wrapper=dict(
                    optimizer=dict(type="AdamW", lr=self.rate * lifter.rate, weight_decay=0.01),
                    clip_grad=dict(max_norm=1.0),
                ),
                param_scheduler=[
                    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=warm_up),
                    dict(type="CosineAnnealingLR", by_epoch=False, begin=warm_up, end=steps),
                ],
                default_hooks=dict(
                    checkpoint=dict(by_epoch=False, interval=max(steps // 4, 1), max_keep_ckpts=1, save_best=None)
                ),
                log_processor=dict(by_epoch=False),
                randomness=dict(seed=self.seed),
                resume=True,
            )
        )
        return cfg

    def run(self, folder: Path) -> dict:
        """What is kept of it, from ``folder`` where it has run before; an interrupted one goes on."""
        marker = folder / MARKER
        if marker.is_file():
            return json.loads(marker.read_text(encoding="utf-8"))
        folder.mkdir(parents=True, exist_ok=True)
        cost = self._cost(folder)
        steps = self.budget.steps_of(LIFTERS[self.model].batch, cost["seconds_a_step"])
        runner = FileRunner.from_cfg(self.config(folder, steps))
        clock = _Clock(folder / "processor_seconds.txt")
        runner.register_hook(clock)
        runner.train()
        started = time.process_time()
        figures = {name.removeprefix("pose/"): value for name, value in runner.test().items()}
        seconds = time.process_time() - started
        (metric,) = runner.test_loop.evaluator.metrics
        frames = sum(row["poses"] for row in metric.by_sequence.values())
        made = dict(
            training=asdict(self) | dict(train=str(self.train), test=str(self.test)),
            steps=steps,
            windows_a_second=steps * LIFTERS[self.model].batch / clock.seconds,
            frames_a_second=frames / seconds,
            figures={name: figures[name] for name in FIGURES if name in figures},
            by_action={name: row["mpjpe"] for name, row in metric.by_action.items()},
            by_sequence={name: [row["mpjpe"], row["poses"]] for name, row in metric.by_sequence.items()},
            **cost,
        )
        text = json.dumps(made, indent=1)
        write_atomically(marker, lambda path: path.write_text(text, encoding="utf-8"))
        return made

    def _cost(self, folder: Path) -> dict[str, float]:
        """Parameters, MFLOP a tested frame, and processor seconds a step, measured once."""
        known = folder / "cost.json"
        if known.is_file():
            return json.loads(known.read_text(encoding="utf-8"))
        init_default_scope("mmpose")
        cfg = self.config(folder, 100)
        model = MODELS.build(cfg.model)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-5)
        times = []
        for batch in islice(_endless(cfg.train_dataloader), _FIRST + _TIMED):
            started = time.process_time()
            loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode="loss"))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            times.append((started, time.process_time()))
        # From the end of a step to the end of the next one: reading and cutting windows is in it.
        seconds = (times[-1][1] - times[_FIRST - 1][1]) / _TIMED
        model.eval()
        one = model.data_preprocessor(next(_endless(cfg.test_dataloader | dict(batch_size=1))))
        flops, _ = count_flops(model, lambda: model(**one, mode="predict"))
        cost = dict(parameters=count_parameters(model), mflop_a_frame=flops("") / 1e6, seconds_a_step=seconds)
        write_atomically(known, lambda path: path.write_text(json.dumps(cost), encoding="utf-8"))
        return cost


class _Clock(Hook):
    """Processor time of a training, also of one that was interrupted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.before = float(file.read_text()) if file.is_file() else 0.0
        self.started = time.process_time()

    @property
    def seconds(self) -> float:
        return self.before + time.process_time() - self.started

    def before_train(self, runner: Runner) -> None:
        self.started = time.process_time()

    def after_train_iter(self, runner: Runner, *batch: object, **more: object) -> None:
        if runner.iter % 50 == 0:
            self.file.write_text(str(self.seconds))


def _endless(loader: dict) -> Iterator[dict]:
    yield from cycle(Runner.build_dataloader(loader, seed=0))
