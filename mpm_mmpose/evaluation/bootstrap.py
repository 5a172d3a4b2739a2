"""How far figures would move with other test sequences: intervals by resampling sequences."""

from __future__ import annotations

import numpy as np

LEVEL = 95
FEWEST = 2
_AT_ONCE = 100  # resamples; bounds the memory


def intervals(
    numerators: np.ndarray,
    denominators: np.ndarray,
    unit: np.ndarray,
    action: np.ndarray | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> np.ndarray | None:
    """95 % intervals of M figures, (M, 2), each figure a quotient of two sums over C cells; None below two units.

    numerators, denominators (M, C); unit (C,) number of the sequence that each cell is of. As many sequences as there
    are are drawn with replacement, `resamples` times; frames of one sequence stay together, because they resemble each
    other. action (C,): number of the action of each cell, where the figure is the mean of the actions' quotients; an
    action that a resample lacks is left out of it. NaN where a figure has nothing to count. All figures share the
    resamples. Source: percentile bootstrap over clusters (Davison and Hinkley, 1997, section 3.8).
    """
    units = int(unit.max(initial=-1)) + 1
    if units < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, resamples, _AT_ONCE):
        number = min(_AT_ONCE, resamples - start)
        weights = rng.multinomial(units, np.full(units, 1 / units), size=number)[:, unit].astype(np.float64)
        found.append(np.stack([_figure(weights, *sums, action) for sums in zip(numerators, denominators, strict=True)]))
    values = np.concatenate(found, axis=1)
    tails = np.array([(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return np.array([_percentiles(row[np.isfinite(row)], tails) for row in values])


def _figure(
    weights: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, action: np.ndarray | None
) -> np.ndarray:
    """(R,) the figure of every resample, of weights (R, C)."""
    if action is None:
        return _quotient(weights @ numerator, weights @ denominator)
    order = np.argsort(action, kind="stable")
    starts = np.flatnonzero(np.diff(action[order], prepend=-1))
    sums = [np.add.reduceat((weights * column)[:, order], starts, axis=1) for column in (numerator, denominator)]
    means = _quotient(*sums)
    return _quotient(np.nansum(means, axis=1), np.isfinite(means).sum(1))


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def _percentiles(values: np.ndarray, tails: np.ndarray) -> np.ndarray:
    return np.percentile(values, tails) if len(values) else np.full(2, np.nan)
