"""Windows cut on the training device, from frames that stay there."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.device import get_device
from mmpose.registry import DATASETS
from torch.utils.data import get_worker_info

from ..pose.geometry import normalize_screen
from .window_dataset import ARRAYS, UNKNOWN, PoseWindowDataset


@DATASETS.register_module()
class DevicePoseWindowDataset(PoseWindowDataset):
    """:class:`PoseWindowDataset` whose frames are on the device: a step takes the numbers of its windows there.

    The frames of the chosen sequences are copied there at the first batch, 2D normalised and in the keypoint set asked
    for: 20 bytes a keypoint and frame, so 1.2 GB for 3.6 million frames of 17 keypoints in 2D and 3D. Loaders want
    ``num_workers=0``, ``persistent_workers=False`` and ``pin_memory=False``.
    device: 'cuda', 'cpu', ...; by default the GPU of this process where there is one. The rest is as in the base class.
    Raises RuntimeError in a loader's worker process.
    """

    def __init__(self, *args: object, device: str | None = None, **options: object) -> None:
        super().__init__(*args, **options)
        self.device = device
        self._frames: dict[str, torch.Tensor] | None = None
        # Only the chosen sequences are on the device, one after the other.
        self._first = np.cumsum(self.table.lengths) - self.table.lengths

    @property
    def training_device(self) -> str:
        """Where the frames go."""
        return self.device or get_device()

    def __getstate__(self) -> dict:
        return self.__dict__ | dict(_frames=None)

    def _cut(self, sequence: np.ndarray, frame: np.ndarray) -> dict[str, torch.Tensor]:
        if get_worker_info() is not None:
            raise RuntimeError(
                f"{type(self).__name__} cuts windows on the training device, which worker processes have no part in; "
                "give its loader num_workers=0 and persistent_workers=False"
            )
        if self._frames is None:
            self._frames = self._load(self.training_device)
        device = self._frames[next(iter(self._frames))].device
        first = self._first[sequence]
        numbers = np.stack((first, first + self.table.lengths[sequence] - 1, first + frame))
        first, last, target = torch.from_numpy(numbers).to(device)[..., None]
        rows = target + torch.from_numpy(self.offsets).to(device)
        rows = torch.minimum(torch.maximum(rows, first), last).flatten()
        shape = (len(sequence), self.window, len(self.keypoints))
        return {name: frames[rows].view(*shape, *frames.shape[2:]) for name, frames in self._frames.items()}

    def _load(self, device: str) -> dict[str, torch.Tensor]:
        """The frames of the chosen sequences by name: (N, K, 2), (N, K, 3), and what is unknown, (N, K) bool."""
        table = self.table
        total, number = int(table.lengths.sum()), len(self.keypoints)
        frames = {ARRAYS[kind]: torch.empty(total, number, int(kind[0]), device=device) for kind in self.modalities}
        for kind in self.modalities:
            if self.has_unknown[kind]:
                frames[UNKNOWN[kind]] = torch.empty(total, number, dtype=torch.bool, device=device)
        for sequence in range(len(table)):
            owner, start, length = table.stores[sequence], table.starts[sequence], table.lengths[sequence]
            rows = np.arange(start, start + length)
            here = slice(self._first[sequence], self._first[sequence] + length)
            for name, values in frames.items():
                if name in UNKNOWN.values():
                    array = np.empty((1, length, number), dtype=bool)
                    self._find_unknown(name, np.array([sequence]), rows[None], array)
                else:
                    array = np.asarray(getattr(self.stores[owner], name)[start : start + length])[None]
                    array = array if self.order is None else array[..., self.order, :]
                if name == "keypoints":
                    array = normalize_screen(array, table.widths[sequence], table.heights[sequence])
                values[here] = torch.from_numpy(np.array(array[0]))
        return frames
