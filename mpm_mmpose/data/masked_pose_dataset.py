"""Unpaired 2D and 3D windows for masked pre-training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from ..pose.geometry import project
from .metainfo import common_rate
from .window_dataset import PoseWindowDataset


@DATASETS.register_module()
class MaskedPoseDataset(Dataset):
    """A 2D window and a 3D window an item, drawn apart, so that 2D and 3D are trained with the same frequency.

    Item i holds 2D window i and 3D window partner(i), partner being a permutation drawn from ``seed``; an epoch is as
    long as the longer of the two data sets and goes through the shorter one again and again (paper section 3.2).
    dataset_2d, dataset_3d: configs of :class:`PoseWindowDataset`, or of another type that they name. Without
    dataset_3d, pre-training is on 2D alone, and batches have what is of 2D. With modalities=['3d'] in dataset_2d its 2D
    are the projections of its 3D by its cameras, of stores that have no 2D.

    ``__getitems__(indices)`` gives a batch for :func:`keep_batch`: keypoints (B, T, K, 2) normalised and keypoints_3d
    (B, T, K, 3) camera space m, absolute; down_3d (B, 3) of the 3D windows; window (B,) the item's number; where a data
    set may have unknown keypoints, unknown of the 2D and unknown_3d of the 3D windows, (B, T, K) bool. With
    modalities=['2d', '3d'] in dataset_2d, for augmentation that projects its windows anew and for lifting them, also
    what they show and how: source_3d (B, T, K, 3) camera space m, absolute, unknown_source (B, T, K) bool, intrinsics
    (B, 9) normalised, down (B, 3), aspect (B,), NaN where unknown. Raises ValueError when the two differ in window
    length or keypoint set, or there is neither 2D nor a camera.
    """

    def __init__(self, dataset_2d: dict, dataset_3d: dict | None = None, seed: int = 0) -> None:
        self.dataset_2d = self._build(dict(modalities=["2d"]) | dict(dataset_2d))
        self.dataset_3d = None if dataset_3d is None else self._build(dict(dataset_3d) | dict(modalities=["3d"]))
        if self.dataset_3d is None:
            return
        for name in ("window", "keypoints"):
            ours, theirs = getattr(self.dataset_2d, name), getattr(self.dataset_3d, name)
            if ours != theirs:
                raise ValueError(
                    f"MaskedPoseDataset: {name} is {ours} in dataset_2d, {theirs} in dataset_3d; use the same"
                )
        # int32 halves what workers hold; there are never 2 ** 31 windows.
        self.partners = np.random.default_rng(seed).permutation(len(self)).astype(np.int32)

    def set_epoch(self, epoch: int) -> None:
        """As :meth:`MixedPoseDataset.set_epoch`, where a part is one."""
        for dataset in (self.dataset_2d, self.dataset_3d):
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)

    def __len__(self) -> int:
        return max(len(dataset) for dataset in (self.dataset_2d, self.dataset_3d) if dataset is not None)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """The items ``indices`` as one batch; see the class."""
        indices = np.asarray(indices, dtype=np.int64)
        batch_2d = self.dataset_2d.__getitems__(indices % len(self.dataset_2d))
        batch = {name: batch_2d[name] for name in ("keypoints", "unknown") if name in batch_2d}
        batch["window"] = torch.from_numpy(indices)
        if "keypoints" not in batch:
            batch["keypoints"] = project(batch_2d["keypoints_3d"], batch_2d["intrinsics"])
            if not batch["keypoints"].isfinite().all():
                name = self.dataset_2d.metainfo["stores"]
                raise ValueError(f"MaskedPoseDataset: {name} has no 2D and no cameras to project its 3D with")
            batch |= {"unknown": batch_2d["unknown_3d"]} if "unknown_3d" in batch_2d else {}
        if self.dataset_3d is not None:
            batch_3d = self.dataset_3d.__getitems__(self.partners[indices] % len(self.dataset_3d))
            batch |= {name: batch_3d[name] for name in ("keypoints_3d", "unknown_3d") if name in batch_3d}
            batch["down_3d"] = batch_3d["down"]
        if "keypoints_3d" in batch_2d:
            batch |= {name: batch_2d[name] for name in ("intrinsics", "down", "aspect")}
            batch["source_3d"] = batch_2d["keypoints_3d"]
            batch |= {"unknown_source": batch_2d["unknown_3d"]} if "unknown_3d" in batch_2d else {}
        return batch

    @property
    def metainfo(self) -> dict:
        """That of the 2D windows, without what does not hold for the 3D ones."""
        infos = [dataset.metainfo for dataset in (self.dataset_2d, self.dataset_3d) if dataset is not None]
        stores = ", ".join(f"{info['stores']} ({kind})" for info, kind in zip(infos, ("2D", "3D"), strict=False))
        same = {name: value for name, value in infos[0].items() if name not in ("actions", "sequences", "annotation")}
        return same | dict(stores=stores) | common_rate(infos)

    @staticmethod
    def _build(config: dict) -> PoseWindowDataset:
        return DATASETS.build(dict(type="PoseWindowDataset") | config)
