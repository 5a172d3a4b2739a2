"""MPJVE and acceleration error of poses that come in any order, keeping only the edges of what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

ERRORS = ("mpjve", "acceleration")
# Stretches that may wait for neighbours beyond the one that every sequence needs. A loader that shuffles, or deals
# neighbours out to processes, makes one of nearly every frame, and keeping them would be keeping the predictions.
MOST_STRETCHES = 4096
TORN = (
    "neighbouring frames were not seen together (a shuffled loader, DefaultSampler in several processes, or a data set "
    "whose stride is not the protocol's frame_step): use sampler=dict(type='ContiguousSampler')"
)
OVERLAP = "windows of several processes overlap in time, so that frames between them would count twice"


class Frames(NamedTuple):
    """M consecutive frames of one sequence: pred, gt (M, K, 3), counted (M, K), action (M,)."""

    pred: np.ndarray
    gt: np.ndarray
    counted: np.ndarray
    action: np.ndarray

    def part(self, rows: slice | np.ndarray) -> Frames:
        """Some of the frames."""
        return Frames(*(array[rows] for array in self))


@dataclass(eq=False)
class _Stretch:
    """Frames `first` to `last` of a sequence, of which the outer two on each side are kept."""

    first: int
    last: int
    head: Frames
    tail: Frames


class Differences(NamedTuple):
    """Errors (M, K), NaN where they do not count, with the sequence and action (M,) that they belong to."""

    errors: np.ndarray
    sequence: np.ndarray
    action: np.ndarray


class Smoothness:
    """Errors of velocity and acceleration between frames that are `step` apart, each frame once.

    The error of velocity (MPJVE) is the distance of the two poses' differences between a frame and the next, that of
    acceleration the distance of their second differences; a keypoint counts where it counts in all frames involved.
    Unit: that of the poses, a step, and a step squared. Source: VideoPose3D (Pavllo et al., CVPR 2019); second
    differences as in HMMR (Kanazawa et al., CVPR 2019).
    """

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self.stretches: dict[int, list[_Stretch]] = {}
        self.problem: str | None = None
        """Why there are no figures, or None."""

    def add(self, sequence: np.ndarray, frame: np.ndarray, frames: Frames) -> dict[str, Differences]:
        """Take in P frames in any order; the errors that they complete.

        sequence (P,), frame (P,) multiples of `step`, frames with P in the place of M.
        """
        if self.problem:
            return {}
        rows = self._new_in_order(sequence, frame)
        sequence, frame, frames = sequence[rows], frame[rows], frames.part(rows)
        breaks = np.flatnonzero((np.diff(sequence) != 0) | (np.diff(frame) != self.step)) + 1
        found: dict[str, list[Differences]] = {name: [] for name in ERRORS}
        for start, end in zip([0, *breaks], [*breaks, len(frame)], strict=True):
            if end > start and not self.problem:
                run = frames.part(slice(start, end))
                self._join(int(sequence[start]), int(frame[start]), int(frame[end - 1]), run, found)
        return self._result(found)

    def merge(self, other: Smoothness) -> dict[str, Differences]:
        """Take in the stretches of another process; the errors between theirs and ours."""
        self.problem = self.problem or other.problem
        found: dict[str, list[Differences]] = {name: [] for name in ERRORS}
        for sequence, stretches in other.stretches.items():
            for stretch in stretches:
                if any(s.first <= stretch.last and stretch.first <= s.last for s in self.stretches.get(sequence, ())):
                    self.problem = self.problem or OVERLAP
                if not self.problem:
                    self._insert(sequence, stretch, found)
        return self._result(found)

    def _new_in_order(self, sequence: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Rows of the frames that were not seen before, by sequence and frame, each frame once."""
        order = np.lexsort((frame, sequence))
        repeats = (np.diff(sequence[order]) == 0) & (np.diff(frame[order]) == 0)
        order = order[np.append(True, ~repeats)] if len(order) else order
        fresh = np.ones(len(order), bool)
        for number in np.unique(sequence):
            for stretch in self.stretches.get(int(number), ()):
                inside = (frame[order] >= stretch.first) & (frame[order] <= stretch.last)
                fresh &= ~(inside & (sequence[order] == number))
        return order[fresh]

    def _join(self, sequence: int, first: int, last: int, run: Frames, found: dict[str, list[Differences]]) -> None:
        """Put a run of new frames between the stretches it touches."""
        stretches = self.stretches.setdefault(sequence, [])
        before = next((s for s in stretches if s.last + self.step == first), None)
        after = next((s for s in stretches if last + self.step == s.first), None)
        # Frames of (M, K, 3), (M, K) and (M,) each: M is R in the run, 2 at most in a head or tail, R + 4 in `whole`.
        parts = [*([before.tail] if before else []), run, *([after.head] if after else [])]
        whole = Frames(*map(np.concatenate, zip(*parts, strict=True)))
        old_before = len(before.tail.pred) if before else 0
        self._differences(sequence, whole, slice(max(old_before - 1, 0), old_before + len(run.pred)), found)
        # Of 2 frames at most from each part, the new head has the first 2, the new tail the last 2.
        heads = [*([before.head] if before else []), run.part(slice(2)), *([after.head] if after else [])]
        tails = [*([before.tail] if before else []), run.part(slice(-2, None)), *([after.tail] if after else [])]
        stretches[:] = [s for s in stretches if s is not before and s is not after]
        stretches.append(
            _Stretch(
                before.first if before else first,
                after.last if after else last,
                Frames(*(np.concatenate(part)[:2] for part in zip(*heads, strict=True))),
                Frames(*(np.concatenate(part)[-2:] for part in zip(*tails, strict=True))),
            )
        )
        if sum(map(len, self.stretches.values())) - len(self.stretches) > MOST_STRETCHES:
            self.problem = TORN
            self.stretches.clear()

    def _insert(self, sequence: int, stretch: _Stretch, found: dict[str, list[Differences]]) -> None:
        """Put a whole stretch, inside of which all is counted, between those it touches."""
        stretches = self.stretches.setdefault(sequence, [])
        for side in ("before", "after"):
            wanted = stretch.first - self.step if side == "before" else stretch.last + self.step
            for other in stretches:
                if (other.last if side == "before" else other.first) == wanted:
                    stretches.remove(other)
                    left, right = (other, stretch) if side == "before" else (stretch, other)
                    stretch = self._connect(sequence, left, right, found)
                    break
        stretches.append(stretch)

    def _connect(self, sequence: int, left: _Stretch, right: _Stretch, found: dict[str, list[Differences]]) -> _Stretch:
        whole = Frames(*map(np.concatenate, zip(left.tail, right.head, strict=True)))
        edge = len(left.tail.pred) - 1
        self._differences(sequence, whole, slice(edge, edge + 1), found)
        head = Frames(*(np.concatenate(part)[:2] for part in zip(left.head, right.head, strict=True)))
        tail = Frames(*(np.concatenate(part)[-2:] for part in zip(left.tail, right.tail, strict=True)))
        return _Stretch(left.first, right.last, head, tail)

    def _differences(self, sequence: int, frames: Frames, pairs: slice, found: dict[str, list[Differences]]) -> None:
        """Errors of the new pairs of neighbours, and of all triples: no triple lies within what is kept of an edge."""
        difference, counted = frames.pred.astype(np.float64) - frames.gt, frames.counted
        for name in ERRORS:
            difference, counted = np.diff(difference, axis=0), counted[1:] & counted[:-1]
            rows = pairs if name == "mpjve" else slice(None)
            errors = np.where(counted, np.linalg.norm(difference, axis=-1), np.nan)[rows]
            action = frames.action[len(frames.action) - len(difference) :][rows]
            found[name].append(Differences(errors, np.full(len(errors), sequence), action))

    @staticmethod
    def _result(found: dict[str, list[Differences]]) -> dict[str, Differences]:
        return {
            name: Differences(*map(np.concatenate, zip(*parts, strict=True))) for name, parts in found.items() if parts
        }
