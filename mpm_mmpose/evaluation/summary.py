"""Figures of what was seen: of all of it, by action, by sequence and by keypoint, with intervals."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from .accumulator import FIGURES, MASKED, CellSums
from .bootstrap import intervals
from .pck import TOTAL, hits
from .pose_error import ERRORS
from .protocol import Protocol

Row = dict[str, float]


class Summary:
    """Figures, each the quotient of two sums over the cells (sequence, action) of an evaluation.

    Names: those of `FIGURES`, in mm (mpjve per step, acceleration per step squared); `given/<error>`, of keypoints that
    were not masked; `pck` and `auc` of all groups and `pck/<group>`, `auc/<group>`, per cent. A figure with nothing to
    count is NaN.

    cells: what an `Accumulator` keeps. groups: columns of the PCK groups, empty where they are not known.
    left_out: figures that are not to be given.
    """

    def __init__(
        self,
        cells: dict[tuple[str, str], CellSums],
        groups: dict[str, list[int]],
        protocol: Protocol,
        left_out: Collection[str] = (),
    ) -> None:
        names = sorted(cells)
        self.protocol, self.groups = protocol, groups
        self.sums = np.stack([cells[name].sums for name in names])
        self.histogram = np.stack([cells[name].histogram for name in names])
        self.poses = np.array([cells[name].poses for name in names])
        self.sequence_of = [sequence for sequence, _ in names]
        self.action_of = [action for _, action in names]
        quotients = self._errors(slice(None)) | self._pck()
        self.quotients = {name: parts for name, parts in quotients.items() if name not in left_out}

    def total(self) -> Row:
        """All poses; with `poses`, their number."""
        return next(iter(self._by([""] * len(self.poses)).values()))

    def by_action(self) -> dict[str, Row]:
        """As `total`, by name of the action."""
        return self._by(self.action_of)

    def by_sequence(self) -> dict[str, Row]:
        """As `total`, by name of the sequence."""
        return self._by(self.sequence_of)

    def mean_over_actions(self) -> Row:
        """Mean of the actions' figures, of the actions that have any."""
        rows = list(self.by_action().values())
        return {name: _mean([row[name] for row in rows]) for name in self.quotients}

    def by_keypoint(self, names: Sequence[str]) -> dict[str, Row]:
        """Errors, PCK and AUC of every keypoint, and `number`, how often it counts."""
        rows = {}
        for column, name in enumerate(names):
            quotients = self._errors([column]) | self._curve("", [column])
            rows[name] = {key: float(_quotient(top.sum(), bottom.sum())) for key, (top, bottom) in quotients.items()}
            rows[name]["number"] = int(self.sums[:, 0, 0, column].sum())
        return rows

    def intervals(self, names: Sequence[str], over_actions: bool) -> dict[str, tuple[float, float]]:
        """95 % intervals of figures, or of their means over actions; empty where there is nothing to resample."""
        tops, bottoms = (np.array([self.quotients[name][i] for name in names]) for i in (0, 1))
        units = [_recording(name) for name in self.sequence_of]
        units = units if self.protocol.resample == "recordings" else self.sequence_of
        found = intervals(
            tops,
            bottoms,
            _numbers(units),
            _numbers(self.action_of) if over_actions else None,
            self.protocol.resamples,
            self.protocol.seed,
        )
        return {} if found is None else {name: (float(a), float(b)) for name, (a, b) in zip(names, found, strict=True)}

    def _errors(self, columns: slice | list[int]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        number, total = self.sums[..., columns].sum(-1).transpose(1, 2, 0)
        found = {name: (total[i], number[i]) for i, name in enumerate(FIGURES)}
        for name, masked in zip(ERRORS, MASKED, strict=True):
            found[f"given/{name}"] = tuple(a - b for a, b in zip(found[name], found[masked], strict=True))
        return found

    def _pck(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        found = {}
        for group, columns in self.groups.items():
            found |= self._curve("" if group == TOTAL else f"/{group}", columns)
        return found

    def _curve(self, suffix: str, columns: list[int]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        histogram = self.histogram[:, columns].sum(1)
        curve, number = hits(histogram), histogram.sum(-1)
        return {f"pck{suffix}": (100 * curve[:, -1], number), f"auc{suffix}": (100 * curve.mean(-1), number)}

    def _by(self, names: Sequence[str]) -> dict[str, Row]:
        groups = _numbers(names)
        size = int(groups.max()) + 1
        columns = {
            name: _quotient(*(np.bincount(groups, weights=part, minlength=size) for part in parts))
            for name, parts in self.quotients.items()
        }
        poses = np.bincount(groups, weights=self.poses, minlength=size)
        return {
            group: {name: float(column[i]) for name, column in columns.items()} | {"poses": int(poses[i])}
            for i, group in enumerate(sorted(set(names)))
        }


def _numbers(names: Sequence[str]) -> np.ndarray:
    """Number of each name among the sorted different ones."""
    return np.unique(np.array(names), return_inverse=True)[1].reshape(-1)


def _recording(sequence: str) -> str:
    """`S9_Walking_1.54138969` -> `S9_Walking_1`: what several cameras saw."""
    return sequence.rpartition(".")[0] or sequence


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    numerator = np.asarray(numerator, np.float64)
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=np.asarray(denominator) > 0)


def _mean(values: list[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
