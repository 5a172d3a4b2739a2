"""Predictions and ground truth of an evaluation as a file, for those who want more than figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..atomic_file import write_atomically
from .pose_reader import PoseBatch


class PoseDump:
    """All poses that count; grows with them."""

    def __init__(self) -> None:
        self.batches: list[PoseBatch] = []

    def add(self, batch: PoseBatch) -> None:
        """Keep a flat batch; copies, because its arrays may be those of a loader."""
        self.batches.append(batch.take(np.arange(len(batch.pred))))

    def merge(self, other: PoseDump) -> None:
        """Add those of another process."""
        self.batches += other.batches

    def write(
        self, path: str | Path, actions: Sequence[str], sequences: Sequence[str] | None, keypoints: Sequence[str]
    ) -> Path:
        """Write an .npz that loads with ``allow_pickle=False``; an error leaves what was there before.

        prediction, ground_truth (P, K, 3) float32 metres, aligned as the protocol says; counted (P, K) bool; masked
        (P, K), sequence, frame (P,) where the data have them, and then sorted by them; action (P,); the names that the
        indices stand for: sequences, actions, keypoints.
        """
        columns = dict(prediction="pred", ground_truth="gt", counted="counted", masked="masked")
        columns |= {name: name for name in ("sequence", "frame", "action")}
        arrays = {}
        for name, field in columns.items():
            parts = [getattr(batch, field) for batch in self.batches]
            if all(part is not None for part in parts):
                arrays[name] = np.concatenate(parts)
        for name in ("prediction", "ground_truth"):
            arrays[name] = arrays[name].astype(np.float32)
        if "frame" in arrays:
            order = np.lexsort((arrays["frame"], arrays["sequence"]))
            arrays = {name: array[order] for name, array in arrays.items()}
        names = dict(actions=actions, sequences=sequences, keypoints=keypoints)
        arrays |= {name: np.array(list(value), dtype=str) for name, value in names.items() if value is not None}
        return write_atomically(path, lambda file: np.savez(file, **arrays))
