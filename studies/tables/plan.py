"""What has to be run for a row: its test, and the trainings before it, each once, also where other rows need it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from .budget import PRETRAINING, Budget
from .data import Stores, fingerprint, stores_of, why_missing
from .experiment import Experiment, pretrained_parts


class MissingDataError(FileNotFoundError):
    """A store is not there."""


@dataclass
class Step:
    """One training or test. Steps with the same `key` do the same and give the same."""

    kind: str
    """'pre-train', 'fine-tune' or 'test'."""
    name: str
    """Of the experiment."""
    seed: int
    cfg: Config
    needs: list[Step] = field(default_factory=list)
    key: str = ""

    def folder(self, out: Path) -> Path:
        """Where its files are: below the folder of all results."""
        return out / "steps" / f"{self.kind}-{self.key[:12]}"

    def before(self) -> Iterator[Step]:
        """The steps that it needs, first ones first, and itself."""
        for step in self.needs:
            yield from step.before()
        yield self

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint that a training ends with."""
        return f"epoch_{self.cfg.train_cfg.max_epochs}.pth"


class Planner:
    """Steps of experiments under one budget and one choice of data; ``configs``: the folder of the config leaves."""

    def __init__(self, budget: Budget, stores: Stores, configs: Path) -> None:
        self.budget, self.stores, self.configs = budget, stores, configs
        self._trainings: dict[tuple[Experiment, int], Step] = {}

    def test(self, experiment: Experiment, seed: int) -> Step:
        """The test of an experiment.

        Raises:
            MissingDataError: a store that it, or one before it, reads is not there.
        """
        cfg = self._config(experiment, seed, ("test",))
        trained = experiment if experiment.trained else experiment.after
        step = Step("test", experiment.name, seed, cfg, [self.train(trained, seed)])
        part = {name: cfg[name] for name in ("model", "test_dataloader", "test_evaluator")}
        return self._named(step, copy.deepcopy(part), ("test",))

    def train(self, experiment: Experiment, seed: int) -> Step:
        """The training of an experiment; the same object for the same experiment and seed."""
        if (experiment, seed) not in self._trainings:
            cfg = self._config(experiment, seed, ("train",))
            kind = "pre-train" if cfg.model.type == PRETRAINING else "fine-tune"
            step = Step(kind, experiment.name, seed, cfg)
            step.needs = [] if experiment.after is None else [self.train(experiment.after, seed)]
            self._trainings[experiment, seed] = self._named(step, copy.deepcopy(_no_tests(cfg)), ("train",))
        return self._trainings[experiment, seed]

    def _config(self, experiment: Experiment, seed: int, splits: tuple[str, ...]) -> Config:
        cfg = experiment.config(self.configs)
        self.stores.put_into(cfg)
        if reason := why_missing(list(stores_of(cfg, splits))):
            raise MissingDataError(f"{experiment.name}: {reason}")
        self.budget.apply(cfg)
        cfg.randomness.seed = seed
        cfg.model.data_preprocessor.seed = seed
        # The last checkpoint is taken, so nothing is validated on.
        for name in ("val_dataloader", "val_evaluator", "val_cfg"):
            cfg[name] = None
        cfg.train_cfg.pop("val_interval", None)
        cfg.default_hooks.checkpoint.update(save_best=None, max_keep_ckpts=1)
        cfg.default_hooks.logger.interval = 10
        return cfg

    @staticmethod
    def _named(step: Step, part: dict, splits: tuple[str, ...]) -> Step:
        """Give the step a key of all that decides its result: its config, its data, and the steps before it."""
        cfg = Config(part)
        for init in pretrained_parts(cfg):
            init["checkpoint"] = None  # what comes before says it
        known = dict(
            kind=step.kind,
            config=cfg.to_dict(),
            seed=step.seed,
            data=fingerprint(list(dict.fromkeys(stores_of(step.cfg, splits)))),
            after=[earlier.key for earlier in step.needs],
        )
        text = json.dumps(known, sort_keys=True, default=str)
        step.key = hashlib.sha256(text.encode()).hexdigest()
        return step


def _no_tests(cfg: Config) -> dict:
    left_out = ("test_dataloader", "test_evaluator", "test_cfg", "work_dir", "custom_imports")
    return {name: value for name, value in cfg.items() if name not in left_out and not name.startswith("_")}
