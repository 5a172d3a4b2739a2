"""The arithmetic of the authors' released evaluation, to set published figures beside ours.

What differs from ours (reference notes, sections 2e and 5): every pose counts with the mean P-MPJPE of its batch, so
that actions which share a batch share their errors; PCK and AUC are over all keypoints, the root, which is always
right, among them, and are the mean of the batches' values, however small the last batch is. Figures therefore depend
on the batch size, and on the number of processes, which have batches of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .pck import pck_auc
from .pose_error import MILLIMETRES, mpjpe, p_mpjpe
from .pose_reader import PoseBatch


class ReleasedSums:
    """Sums by action, and the batches' PCK and AUC."""

    def __init__(self) -> None:
        self.actions: dict[str, np.ndarray] = {}
        """Name to (number of poses, sum of MPJPE, sum of P-MPJPE), mm."""
        self.batches = np.zeros(3)
        """Number of batches, sums of their PCK and AUC, per cent."""

    def add(self, batch: PoseBatch, actions: Sequence[str]) -> None:
        """Take in the poses (P, K, 3) of one batch, metres; ValueError where not all their keypoints are visible."""
        if not batch.counted.all():
            raise ValueError(
                "protocol released_mpm: lifting_target_visible marks single keypoints of a pose as invisible, or "
                "keypoints were left out; the released arithmetic counts them all"
            )
        errors = MILLIMETRES * mpjpe(batch.pred, batch.gt)
        similar = MILLIMETRES * p_mpjpe(batch.pred, batch.gt).mean()
        for action in np.unique(batch.action):
            mine = batch.action == action
            self._add(actions[action], np.array([mine.sum(), errors[mine].sum(), similar * mine.sum()]))
        distances = MILLIMETRES * np.linalg.norm(batch.pred - batch.gt, axis=-1)
        self.batches += [1, *pck_auc(distances)]

    def merge(self, other: ReleasedSums) -> None:
        """Add those of another process."""
        for action, sums in other.actions.items():
            self._add(action, sums)
        self.batches += other.batches

    def _add(self, action: str, sums: np.ndarray) -> None:
        self.actions[action] = self.actions.get(action, 0) + sums

    def by_action(self) -> dict[str, tuple[float, float]]:
        """Action to MPJPE and P-MPJPE, mm."""
        return {action: (p1 / number, p2 / number) for action, (number, p1, p2) in sorted(self.actions.items())}

    def figures(self) -> dict[str, float]:
        """Of mpjpe and p_mpjpe the mean over actions, mm; mpjpe_frames, over frames, mm; pck and auc, per cent."""
        p1, p2 = np.mean(list(self.by_action().values()), axis=0)
        number, over_frames, _ = np.sum(list(self.actions.values()), axis=0)
        _, pck, auc = self.batches / self.batches[0]
        return dict(
            mpjpe=float(p1), p_mpjpe=float(p2), mpjpe_frames=float(over_frames / number), pck=float(pck), auc=float(auc)
        )
