"""Which stores a config's data sets are read from, and whether they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config, ConfigDict

from mpm_mmpose.data.pose_store import PoseStore

from .experiment import window_sets


class Stores:
    """The stores to take instead of those that the configs name.

    given: none, for the configs' own; NAME=PATH each, for the store of that name (h36m_train, ...); or paths, of which
    the last one is tested on and all others are trained on, whatever the config's are called.
    Raises ValueError for a mixture, a lone path, or a test store that is trained on as well.
    """

    def __init__(self, given: Sequence[str] = ()) -> None:
        self.given = tuple(given)
        named = ["=" in text for text in given]
        self.named: dict[str, str] = {}
        self.seen: set[str] = set()
        """Names of the stores that the configs so far read."""
        self.train: list[str] = []
        self.test: str | None = None
        if any(named):
            if not all(named):
                raise ValueError("--data takes paths or NAME=PATH, not both")
            self.named = dict(text.split("=", 1) for text in given)
        elif given:
            *self.train, self.test = (str(Path(path).resolve()) for path in given)
            if not self.train:
                raise ValueError("--data needs two stores or more: to train on, and as the last one to test on")
            if self.test in self.train:
                raise ValueError(f"--data: {given[-1]} is to be tested on and trained on; give different stores")

    def put_into(self, cfg: Config) -> None:
        """Change a config's stores in place.

        Data sets that become one store are taken once, the mean of their fractions. Where all stores are replaced,
        keypoints are taken by name in the config's own keypoint set, which the stores need not be in, and figures are
        means over frames: what other data call actions may be as many as recordings.
        """
        keypoint_set = cfg.model.data_preprocessor.get("keypoint_set", "h36m_17")
        for dataset in window_sets(cfg):
            stores = [dataset.store] if isinstance(dataset.store, str) else list(dataset.store)
            taken = list(dict.fromkeys(path for store in stores for path in self.instead_of(store)))
            dataset.store = taken[0] if len(taken) == 1 else taken
            if self.train:
                dataset.keypoint_set = keypoint_set
        if self.train and cfg.get("test_evaluator"):
            cfg.test_evaluator.average = "frames"
        pair = cfg.train_dataloader.dataset
        for name in ("dataset_2d", "dataset_3d"):
            if pair.get(name) and "datasets" in pair[name]:
                pair[name] = _without_repeats(pair[name])

    def check_names(self) -> None:
        """Raise ValueError where a NAME=PATH was given that no config so far reads."""
        if unknown := sorted(set(self.named) - self.seen):
            raise ValueError(
                f"--data: nothing here reads a store called {', '.join(unknown)}; read are {sorted(self.seen)}"
            )

    def instead_of(self, store: str) -> list[str]:
        """Paths of what is read instead of a store that a config names."""
        name = Path(store).name
        self.seen.add(name)
        if self.train:
            return self.train if name.endswith("train") else [self.test]
        return [str(Path(self.named.get(name, store)).resolve())]


def _without_repeats(mixed: ConfigDict) -> ConfigDict:
    members = list(mixed.datasets)
    kept = [i for i, member in enumerate(members) if member not in members[:i]]
    mixed.datasets = [members[i] for i in kept]
    twins = [[i for i, member in enumerate(members) if member == members[k]] for k in kept]
    if mixed.get("fractions"):
        mixed.fractions = [sum(mixed.fractions[i] for i in same) / len(same) for same in twins]
    if mixed.get("weights"):
        mixed.weights = [sum(mixed.weights[i] for i in same) for same in twins]
    if len(kept) == 1 and not mixed.get("weights") and mixed.get("fractions", [1.0]) == [1.0]:
        return ConfigDict(dict(type="PoseWindowDataset") | mixed.datasets[0])
    return mixed


def stores_of(cfg: Config, splits: Sequence[str] = ("train", "test")) -> Iterator[str]:
    """Paths of the stores that training and test read."""
    for split in splits:
        for dataset in window_sets([cfg[f"{split}_dataloader"]] if cfg.get(f"{split}_dataloader") else []):
            yield from [dataset.store] if isinstance(dataset.store, str) else dataset.store


def fingerprint(paths: Sequence[str]) -> dict[str, list[int]]:
    """What tells a store from another one written to its place later."""
    found: dict[str, list[int]] = {}
    for path in paths:
        state = Path(path, "store.json").stat()
        found[path] = [state.st_size, state.st_mtime_ns]
    return found


def why_missing(paths: Sequence[str]) -> str | None:
    """Why the stores cannot be read, naming the command that makes them; None where they can."""
    for path in paths:
        try:
            PoseStore(path)
        except (FileNotFoundError, ValueError) as error:
            return str(error)
    return None


def describe(paths: Mapping[str, object] | Sequence[str]) -> str:
    """Stores in words: name, recordings, frames and their rate."""
    words = []
    for path in paths:
        store = PoseStore(path)
        rates = "/".join(f"{rate:g}" for rate in sorted(set(store.fps.tolist())))
        words.append(
            f"{Path(path).name} ({len(set(store.sources))} recordings, {store.num_frames} frames at {rates} Hz)"
        )
    return ", ".join(words)
