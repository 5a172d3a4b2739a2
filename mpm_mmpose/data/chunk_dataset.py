"""Whole sequences, cut into windows that share no frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmpose.registry import DATASETS

from .window_dataset import PoseWindowDataset


@DATASETS.register_module()
class PoseChunkDataset(PoseWindowDataset):
    """Every frame of the chosen sequences in exactly one window, to predict all frames of a window at once (seq2seq).

    Window i of a sequence begins at frame i * ``window``; the last one repeats the last frame. Batches are those of
    :class:`PoseWindowDataset`, where frame is (B, T), the frames' numbers in the sequence, and padding (B, T) is True
    for what repeats. Raises ValueError for a frame_step or stride, which would leave frames out or count them twice.
    """

    def __init__(
        self,
        store: str | Path | Sequence[str | Path],
        window: int,
        frame_step: int = 1,
        stride: int | None = None,
        **options: object,
    ) -> None:
        if frame_step != 1 or stride is not None:
            raise ValueError(
                f"PoseChunkDataset: frame_step is {frame_step}, stride is {stride}; its windows are whole stretches of "
                "the sequence, one after the other: leave both out"
            )
        super().__init__(store, window, stride=window, **options)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """The windows ``indices`` as one batch; see the class."""
        batch = super().__getitems__(indices)
        frames = batch["frame"][:, None] + torch.from_numpy(self.offsets)
        last = torch.from_numpy(self.table.lengths)[batch["sequence"], None] - 1
        return batch | dict(frame=torch.minimum(frames, last), padding=frames > last)

    def _targets_of(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sequence, first = super()._targets_of(indices)
        return sequence, first + self.window // 2
