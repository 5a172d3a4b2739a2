"""Several window data sets as one: parts of each, mixed in chosen proportions."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from .metainfo import common_rate


@DATASETS.register_module()
class MixedPoseDataset(Dataset):
    """Windows of several data sets, the first one's items before the second one's; samplers shuffle them.

    ``fractions`` keeps that part of a data set's windows, a random choice that ``seed`` fixes: for training on less.
    ``weights`` are the shares of the data sets in an epoch: each then comes ``num_windows`` * weight / sum(weights)
    times, its windows in a random order and one as often as the other, give or take one. Without ``num_windows`` an
    epoch is the shortest one that leaves no window out. Without weights every kept window comes once. An epoch goes on
    in that order where the one before it ended (:meth:`set_epoch`, which `DatasetEpochHook` calls), so that a small
    ``num_windows`` shows other windows every epoch.

    ``__getitems__(indices)`` gives what :class:`PoseWindowDataset` gives, the windows in the order of the indices, with
    window (B,) the index in this data set and sequence and action (B,) indices into this data set's ``metainfo``.
    datasets: configs, of :class:`PoseWindowDataset` where they name no type. modalities: for all of them, in place of
    their own. metainfo: entries to add to ``.metainfo``.
    Raises ValueError where numbers do not fit, or data sets differ in window, keypoint set or modalities.
    """

    def __init__(
        self,
        datasets: Sequence[dict],
        fractions: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
        num_windows: int | None = None,
        seed: int = 0,
        modalities: Sequence[str] | None = None,
        metainfo: dict | None = None,
    ) -> None:
        if not datasets:
            raise ValueError("MixedPoseDataset: datasets is empty; give the config of one or more")
        self._check_numbers("fractions", fractions, len(datasets), 1)
        self._check_numbers("weights", weights, len(datasets), float("inf"))
        if num_windows is not None and (weights is None or num_windows < 1):
            raise ValueError(f"MixedPoseDataset: num_windows is {num_windows}; give 1 or more, and weights with it")
        common = {} if modalities is None else dict(modalities=modalities)
        self.datasets = [DATASETS.build(dict(type="PoseWindowDataset") | dict(config) | common) for config in datasets]
        for name in ("window", "keypoints", "modalities"):
            values = [getattr(dataset, name) for dataset in self.datasets]
            if any(value != values[0] for value in values):
                raise ValueError(f"MixedPoseDataset: {name} of the datasets are {values}; use the same")
            setattr(self, name, values[0])

        sizes = np.array([len(dataset) for dataset in self.datasets])
        kept = sizes if fractions is None else np.maximum(1, np.round(sizes * np.array(fractions)).astype(np.int64))
        self.counts = kept if weights is None else _shares(kept, np.array(weights, dtype=np.float64), num_windows)
        self.ends = np.cumsum(self.counts)
        self.orders = [
            _order(size, number, count, np.random.default_rng([seed, part]))
            for part, (size, number, count) in enumerate(zip(sizes, kept, self.counts, strict=True))
        ]
        # Shared with a loader's worker processes, which outlive an epoch.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        self._merge_metainfo(metainfo)

    def set_epoch(self, epoch: int) -> None:
        """Show the windows of epoch ``epoch``, counted from 0, in this process and in workers that it has started."""
        self._epoch.fill_(epoch)
        for dataset in self.datasets:
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """The items ``indices`` as one batch; see the class."""
        indices = np.asarray(indices, dtype=np.int64)
        parts = np.searchsorted(self.ends, indices, side="right")
        batch: dict[str, torch.Tensor] = {}
        for part in np.unique(parts):
            where = np.flatnonzero(parts == part)
            cut = self._cut(part, indices[where] - (self.ends[part] - self.counts[part]))
            if len(where) == len(indices):
                batch = cut
                break
            where = torch.from_numpy(where)
            for name, values in cut.items():
                if name not in batch:
                    # Zero, False: what a data set says nothing about, it does not lack.
                    batch[name] = values.new_zeros((len(indices), *values.shape[1:]))
                batch[name][where] = values
        return batch | dict(window=torch.from_numpy(indices))

    @property
    def metainfo(self) -> dict:
        """As of :class:`PoseWindowDataset`; actions of any data set, sequences one data set after the other; a copy."""
        return copy.deepcopy(self._metainfo)

    def _cut(self, part: int, items: np.ndarray) -> dict[str, torch.Tensor]:
        """Items of data set ``part``, with its actions and sequences numbered as in this one."""
        order = self.orders[part]
        if order is not None:
            items = order[(items + int(self._epoch) * int(self.counts[part])) % len(order)]
        cut = self.datasets[part].__getitems__(items)
        return cut | dict(action=self.action_ids[part][cut["action"]], sequence=cut["sequence"] + self.first[part])

    def _merge_metainfo(self, extra: dict | None) -> None:
        infos = [dataset.metainfo for dataset in self.datasets]
        actions = sorted({action for info in infos for action in info["actions"]})
        self.action_ids = [torch.tensor([actions.index(action) for action in info["actions"]]) for info in infos]
        numbers = [len(info["sequences"]) for info in infos]
        self.first = np.cumsum([0, *numbers[:-1]]).tolist()
        # What is of one data set alone is not of all; the rest of it is of the keypoint set.
        same = {name: value for name, value in infos[0].items() if name != "annotation"}
        merged = dict(
            stores=" + ".join(info["stores"] for info in infos),
            actions=tuple(actions),
            sequences=tuple(sequence for info in infos for sequence in info["sequences"]),
        )
        self._metainfo = same | merged | common_rate(infos) | (extra or {})

    @staticmethod
    def _check_numbers(name: str, numbers: Sequence[float] | None, wanted: int, most: float) -> None:
        if numbers is None:
            return
        if len(numbers) != wanted:
            raise ValueError(f"MixedPoseDataset: {len(numbers)} {name} for {wanted} datasets; give one each")
        if not all(0 < number <= most for number in numbers):
            limit = f"above 0 and at most {most:g}" if np.isfinite(most) else "above 0"
            raise ValueError(f"MixedPoseDataset: {name} is {list(numbers)}; each must be {limit}")


def _shares(kept: np.ndarray, weights: np.ndarray, total: int | None) -> np.ndarray:
    """Items of each data set (D,): ``total`` in the proportion of the weights, by largest remainders."""
    shares = weights / weights.sum()
    if total is None:
        # A hair less before rounding up: 3 / 0.3 is more than 10 in floating point.
        return np.ceil((kept / shares).max() * shares - 1e-6).astype(np.int64)
    counts = np.floor(total * shares + 1e-9).astype(np.int64)
    largest = np.argsort(counts - total * shares, kind="stable")[: total - counts.sum()]
    counts[largest] += 1
    return counts


def _order(size: int, kept: int, count: int, random: np.random.Generator) -> np.ndarray | None:
    """The windows that a data set's items go through again and again; None where these are all, as they stand."""
    if count == kept == size:
        return None
    # int32 halves what workers hold; there are never 2 ** 31 windows.
    return random.permutation(size)[:kept].astype(np.int32)
