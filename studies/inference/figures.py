"""Means over clips with their intervals, and tables and pictures of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mpm_mmpose.evaluation.bootstrap import intervals


class Figure(NamedTuple):
    """A mean and its 95 % interval over clips, NaN where there are fewer than two."""

    mean: float
    low: float = np.nan
    high: float = np.nan

    def text(self, digits: int = 1) -> str:
        """As in a table: the mean, and the interval in brackets."""
        if not np.isfinite(self.mean):
            return "-"
        interval = f" ({self.low:.{digits}f} to {self.high:.{digits}f})" if np.isfinite(self.low) else ""
        return f"{self.mean:.{digits}f}{interval}"


class ClipSums:
    """Sums of errors clip by clip, by name; every clip is resampled whole, as its frames resemble each other."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = defaultdict(list)
        self._counts: dict[str, list[int]] = defaultdict(list)

    def add(self, name: str, errors: np.ndarray) -> None:
        """The errors of the next clip, of any shape; NaN does not count."""
        known = np.isfinite(errors)
        self._sums[name].append(float(errors[known].sum()))
        self._counts[name].append(int(known.sum()))

    def mean(self, name: str) -> Figure:
        """Of all errors of a name."""
        return self._figure(np.array(self._sums[name]), np.array(self._counts[name]))

    def difference(self, name: str, other: str) -> Figure:
        """Mean of a name minus that of another, of the same clips and the same number of errors in each."""
        if self._counts[name] != self._counts[other]:
            raise ValueError(f"{name} and {other} have different numbers of errors; count the same ones of both")
        return self._figure(np.array(self._sums[name]) - self._sums[other], np.array(self._counts[name]))

    @staticmethod
    def _figure(sums: np.ndarray, counts: np.ndarray) -> Figure:
        if not counts.sum():
            return Figure(np.nan)
        found = intervals(sums[None], counts[None].astype(np.float64), np.arange(len(sums)))
        return Figure(sums.sum() / counts.sum(), *(() if found is None else found[0].tolist()))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; all columns but the first to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
