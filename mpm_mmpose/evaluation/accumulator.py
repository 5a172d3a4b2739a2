"""Sums over everything that was seen, by sequence and action: all that an evaluation keeps."""

from __future__ import annotations

import numpy as np

from .dump import PoseDump
from .duplicate_filter import SeenWindows
from .pck import BINS, bins
from .pose_error import ERRORS, MILLIMETRES, keypoint_errors
from .pose_reader import UNNAMED, PoseBatch, PoseReader
from .released import ReleasedSums
from .smoothness import ERRORS as SMOOTHNESS
from .smoothness import Differences, Frames, Smoothness

MASKED = tuple(f"masked/{name}" for name in ERRORS)
FIGURES = (*ERRORS, *MASKED, *SMOOTHNESS)
CHUNK = 4096  # poses whose intermediate arrays stay in the processor's cache


class CellSums:
    """Sums of one sequence's frames of one action.

    sums (2, F, K): of each of `FIGURES` how many errors count and their sum, mm; histogram (K, 32): how many errors are
    in each bin of pck.py; poses: how many poses have a keypoint that counts.
    """

    def __init__(self, keypoints: int) -> None:
        self.sums = np.zeros((2, len(FIGURES), keypoints))
        self.histogram = np.zeros((keypoints, BINS), np.int64)
        self.poses = 0

    def merge(self, other: CellSums) -> None:
        """Add those of another process."""
        self.sums += other.sums
        self.histogram += other.histogram
        self.poses += other.poses


class Accumulator:
    """What one process has seen; `merged` makes one of several.

    The last batch waits: a padding sampler repeats windows at its end, and only when all processes are together is it
    known which. A window that comes again in this process is known by its index and left out.
    """

    def __init__(self, reader: PoseReader, dump: bool = False) -> None:
        self.actions, self.sequences = reader.actions, reader.sequences
        self.cells: dict[tuple[str, str], CellSums] = {}
        """By sequence and action."""
        self.windows = SeenWindows()
        self.smoothness = Smoothness(reader.protocol.frame_step)
        self.released = ReleasedSums() if reader.protocol.released else None
        self.dump = PoseDump() if dump else None
        self.samples = self.predicted = self.poses = self.not_finite = 0
        self.has_masked, self.has_frames = False, True
        self.keypoints = 0
        self.pending: PoseBatch | None = None

    def add(self, batch: PoseBatch) -> None:
        """Take in a batch; it counts when the next one comes, or with `flush`."""
        self.flush()
        self.pending, self.keypoints = batch, batch.pred.shape[-2]
        if batch.sequence is None:
            self.sequences = None
        self.samples += int(batch.sample.max(initial=-1)) + 1

    def flush(self) -> None:
        """Count the batch that waits."""
        if self.pending is None:
            return
        batch, self.pending = self.pending, None
        if batch.window is not None:
            new = self.windows.add(batch.window)
            batch = batch if new.all() else batch.take(new)
        batch = self._finite(batch.flat())
        if not len(batch.pred):
            return
        if self.dump is not None:
            self.dump.add(batch)
        if self.released is not None:
            self.released.add(batch, self.actions)
        self.has_masked |= batch.masked is not None and bool(batch.masked.any())
        self.has_frames &= batch.frame is not None
        for start in range(0, len(batch.pred), CHUNK):
            self._count(batch.take(slice(start, start + CHUNK)))

    def _finite(self, batch: PoseBatch) -> PoseBatch:
        """The poses with a keypoint that counts, without those whose prediction is not finite, which are numbered."""
        there = batch.counted.any(1)
        bad = there & (~np.isfinite(batch.pred).all(-1) & batch.counted).any(1)
        self.predicted += len(there)
        self.poses += int(there.sum())
        self.not_finite += int(bad.sum())
        chosen = there & ~bad
        return batch if chosen.all() else batch.take(chosen)

    def _count(self, batch: PoseBatch) -> None:
        errors = keypoint_errors(batch.pred, batch.gt, batch.counted)
        errors = {name: MILLIMETRES * values for name, values in errors.items()}
        if batch.masked is not None:
            errors |= {f"masked/{name}": np.where(batch.masked, errors[name], np.nan) for name in ERRORS}
        sequence = np.zeros(len(batch.pred), np.int64) if batch.sequence is None else batch.sequence
        rows, cells = self._cells_of(sequence, batch.action)
        self._add(errors, rows, cells)

        keypoints = batch.pred.shape[1]
        places = (rows[:, None] * keypoints + np.arange(keypoints)) * BINS + bins(errors["mpjpe"])
        histogram = np.bincount(places[batch.counted], minlength=len(cells) * keypoints * BINS)
        poses = np.bincount(rows, minlength=len(cells))
        for number, counts in enumerate(histogram.reshape(len(cells), keypoints, BINS)):
            cells[number].histogram += counts
            cells[number].poses += int(poses[number])
        if batch.frame is not None:
            frames = Frames(batch.pred, batch.gt, batch.counted, batch.action)
            self._add_differences(self.smoothness.add(sequence, batch.frame, frames))

    def _cells_of(self, sequence: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, list[CellSums]]:
        """(P,) which of the cells (C,) each pose belongs to, and the cells."""
        keys, rows = np.unique(sequence * len(self.actions) + action, return_inverse=True)
        return rows.reshape(-1), [self._cell(*divmod(int(key), len(self.actions))) for key in keys]

    def _cell(self, sequence: int, action: int) -> CellSums:
        name = UNNAMED if self.sequences is None else self.sequences[sequence], self.actions[action]
        if name not in self.cells:
            self.cells[name] = CellSums(self.keypoints)
        return self.cells[name]

    def _add(self, errors: dict[str, np.ndarray], rows: np.ndarray, cells: list[CellSums]) -> None:
        """Add errors {name: (P, K)}, NaN where they do not count, to the cells of their rows (P,)."""
        values = np.stack(list(errors.values()), axis=1)
        if len(cells) > 1:
            order = np.argsort(rows, kind="stable")
            values, rows = values[order], rows[order]
        starts = np.searchsorted(rows, np.arange(len(cells)))
        numbers = np.add.reduceat(np.isfinite(values), starts, axis=0, dtype=np.int64)
        sums = np.add.reduceat(np.nan_to_num(values, nan=0.0), starts, axis=0)
        places = [FIGURES.index(name) for name in errors]
        for cell, number, total in zip(cells, numbers, sums, strict=True):
            cell.sums[0, places] += number
            cell.sums[1, places] += total

    def _add_differences(self, found: dict[str, Differences]) -> None:
        for name, (errors, sequence, action) in found.items():
            if len(errors):
                self._add({name: MILLIMETRES * errors}, *self._cells_of(sequence, action))

    def merge(self, other: Accumulator) -> None:
        """Add what another process has counted, all but its last batch; raises ValueError where windows are in both."""
        if twice := self.windows.update(other.windows):
            raise ValueError(
                f"{twice} windows were evaluated by more than one process, beyond those that a sampler repeats at its "
                "end, and would count twice: use sampler=dict(type='ContiguousSampler') or DefaultSampler"
            )
        for name, sums in other.cells.items():
            if name in self.cells:
                self.cells[name].merge(sums)
            else:
                self.cells[name] = sums
        self._add_differences(self.smoothness.merge(other.smoothness))
        for mine, theirs in ((self.released, other.released), (self.dump, other.dump)):
            if mine is not None:
                mine.merge(theirs)
        self.samples += other.samples
        self.predicted += other.predicted
        self.poses += other.poses
        self.not_finite += other.not_finite
        self.has_masked |= other.has_masked
        self.has_frames &= other.has_frames

    def rename(self, actions: list[str]) -> None:
        """Let the numbers of actions stand for another list's names, which grows by those it lacks."""
        if self.actions != actions:
            actions += [name for name in self.actions if name not in actions]
            places = np.array([actions.index(name) for name in self.actions])
            for batch in (*([self.pending] if self.pending else []), *(self.dump.batches if self.dump else [])):
                batch.action = places[batch.action]
        self.actions = actions


def merged(parts: list[Accumulator], samples: int | None = None) -> Accumulator:
    """All processes together, in the order of their ranks; the parts are used up.

    samples: size of the data set. Where there were more data samples, and their windows have no index to know them by,
    the last sample of so many last ranks is a repeated one: that is how mmengine's DefaultSampler pads.
    Raises ValueError where windows were seen by several processes and are not what a sampler repeats at its end.
    """
    whole, *others = parts
    repeated = 0 if samples is None else max(sum(part.samples for part in parts) - samples, 0)
    for part in parts[len(parts) - min(repeated, len(parts)) :]:
        if part.pending is not None and part.pending.window is None:
            part.pending = part.pending.take(part.pending.sample < part.pending.sample[-1])
    for other in others:
        other.rename(whole.actions)
    waiting = [part.pending for part in parts]
    whole.pending = None
    for other in others:
        whole.merge(other)
    for whole.pending in waiting:
        whole.flush()
    return whole
