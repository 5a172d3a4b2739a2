"""A training or a test as a config leaf with a few changes, and the training whose weights it starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config, ConfigDict


@dataclass(frozen=True, eq=False)
class Experiment:
    """One of them; which ones a row of a table needs is in `paper_tables` and `studies`."""

    name: str
    leaf: str = ""
    """configs/mpm/<leaf>.py; by default that of the name."""
    changes: Mapping[str, object] = field(default_factory=dict)
    """Dotted names in the config to their values; dicts are merged, and replace with `_delete_=True`."""
    frames: int | None = None
    """Window length, a power of 3; by default the leaf's."""
    after: Experiment | None = None
    """Its weights are where the model's `init_cfg` of type Pretrained begin; without it weights are random ones."""
    trained: bool = True
    """Whether it is trained; else the weights of `after` are tested as they are."""

    def config(self, configs: Path) -> Config:
        """The config, whose checkpoint of what comes before is ``work_dirs/<name>/epoch_<last>.pth``.

        configs: the folder of the leaves.
        """
        cfg = Config.fromfile(configs / f"{self.leaf or self.name}.py")
        if self.frames:
            set_frames(cfg, self.frames)
        cfg.merge_from_dict(dict(self.changes))
        checkpoint = None if self.after is None else checkpoint_of(self.after, configs)
        for part in _parts(cfg):
            if is_pretrained(part.get("init_cfg")):
                if checkpoint and self.trained:
                    part.init_cfg.checkpoint = checkpoint
                else:
                    part.init_cfg = None
        cfg.load_from = None if self.trained else checkpoint
        return cfg


def checkpoint_of(experiment: Experiment, configs: Path) -> str:
    """Where `tools/train.py` leaves the last checkpoint of an experiment, from the folder that it is run in."""
    return f"work_dirs/{experiment.name}/epoch_{experiment.config(configs).train_cfg.max_epochs}.pth"


def set_frames(cfg: Config, frames: int) -> None:
    """Change the window length of data sets, backbone, head and its strides. Raises ValueError for no power of 3."""
    strides = strides_of(frames)
    for dataset in window_sets(cfg):
        dataset.window = frames
    cfg.model.backbone.num_frames = cfg.model.head.num_frames = frames
    if "strides" in cfg.model.head:
        cfg.model.head.strides = strides


def strides_of(frames: int) -> tuple[int, ...]:
    """Strides of 3 that multiply to so many frames. Raises ValueError where frames is no power of 3."""
    strides: list[int] = []
    left = frames
    while left % 3 == 0 and left > 1:
        left //= 3
        strides.append(3)
    if left != 1 or not strides:
        raise ValueError(f"frames must be a power of 3: 9, 27, 81 or 243, not {frames}")
    return tuple(strides)


def window_sets(node: object) -> list[ConfigDict]:
    """All configs of data sets of windows in a config, wherever they are: those that name a store."""
    if isinstance(node, Config):
        loaders = [node.get(f"{split}_dataloader") for split in ("train", "val", "test")]
        return window_sets([loader for loader in loaders if loader])
    found = []
    if isinstance(node, dict):
        found = [node] if "store" in node else []
    if isinstance(node, (dict, list)):
        for value in node.values() if isinstance(node, dict) else node:
            found += window_sets(value)
    return found


def pretrained_parts(cfg: Config) -> Iterator[ConfigDict]:
    """Every init_cfg of the model that reads a checkpoint."""
    for part in _parts(cfg):
        if is_pretrained(part.get("init_cfg")):
            yield part.init_cfg


def is_pretrained(init: Mapping | None) -> bool:
    """Whether an init_cfg reads a checkpoint."""
    return bool(init) and init.get("type") == "Pretrained"


def _parts(cfg: Config) -> list[ConfigDict]:
    return [cfg.model, *(value for value in cfg.model.values() if isinstance(value, dict))]
