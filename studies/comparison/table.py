"""Trainings as a table: means over seeds, paired intervals against the first model, and what each model costs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np

from .lifters import LIFTERS

TITLES = dict(mpjpe="MPJPE", p_mpjpe="P-MPJPE", n_mpjpe="N-MPJPE", mpjve="MPJVE", acceleration="acceleration")
_RESAMPLES = 1000
Results = Mapping[str, Sequence[Mapping]]
"""What trainings left, one a seed, by model; of the same frames."""


def check_same_frames(results: Results) -> None:
    """ValueError unless all were tested on as many frames of the same sequences."""
    tested = {name: {s: n for s, (_, n) in runs[0]["by_sequence"].items()} for name, runs in results.items()}
    (first, frames), *others = tested.items()
    for name, also in others:
        if also != frames:
            raise ValueError(f"{name} was tested on other frames than {first}; test them on one store")


def paired_interval(runs: Sequence[Mapping], others: Sequence[Mapping], seed: int = 0) -> tuple[float, float, float]:
    """How much larger the MPJPE of ``runs`` is, mm, and its 95 % interval, by drawing the same sequences for both.

    Errors of a sequence are means over seeds. Recordings of one take by several cameras are drawn together.
    """
    names = list(runs[0]["by_sequence"])
    frames = np.array([runs[0]["by_sequence"][name][1] for name in names], float)
    ours, theirs = (
        np.mean([[run["by_sequence"][name][0] for name in names] for run in of], axis=0) for of in (runs, others)
    )
    takes, unit = np.unique([name.rpartition(".")[0] or name for name in names], return_inverse=True)
    sums = np.stack([np.bincount(unit, values * frames) for values in (ours - theirs, np.ones_like(frames))])
    drawn = np.random.default_rng(seed).multinomial(len(takes), np.full(len(takes), 1 / len(takes)), _RESAMPLES)
    low, high = np.percentile((drawn @ sums[0]) / (drawn @ sums[1]), [2.5, 97.5])
    return float(sums[0].sum() / sums[1].sum()), float(low), float(high)


def columns(results: Results) -> list[dict[str, str]]:
    """A row a model: text by heading."""
    check_same_frames(results)
    first = next(iter(results.values()))
    rows = []
    for name, runs in results.items():
        figures = {key: np.array([run["figures"][key] for run in runs]) for key in runs[0]["figures"]}
        row = {"model": LIFTERS[name].title}
        row |= {TITLES[key]: f"{values.mean():.1f}" for key, values in figures.items()}
        row["seeds, from to"] = f"{figures['mpjpe'].min():.1f} to {figures['mpjpe'].max():.1f}"
        difference = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*paired_interval(runs, first))
        row["to the first"] = "" if runs is first else difference
        row["M parameters"] = f"{runs[0]['parameters'] / 1e6:.1f}"
        row["MFLOP a frame"] = f"{runs[0]['mflop_a_frame']:.1f}"
        row["steps"] = f"{np.mean([run['steps'] for run in runs]):.0f}"
        row["windows/s, training"] = f"{np.mean([run['windows_a_second'] for run in runs]):.0f}"
        row["frames/s, test"] = f"{np.mean([run['frames_a_second'] for run in runs]):.0f}"
        row["rate"] = f"x {runs[0]['training']['rate']:g}"
        rows.append(row)
    return rows


def by_group(results: Results, field: str) -> list[dict[str, str]]:
    """A row an action, MPJPE of every model, the hardest of the first model's first."""
    first = next(iter(results))
    means = {
        name: {group: np.mean([run[field][group] for run in runs]) for group in runs[0][field]}
        for name, runs in results.items()
    }
    title = field.removeprefix("by_")
    order = sorted(means[first], key=lambda group: -means[first][group])
    return [{title: group} | {name: f"{means[name][group]:.1f}" for name in means} for group in order]


def as_markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """A table of all the rows' headings; numbers to the right."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", f"|{'|'.join(['---', *['---:'] * (len(names) - 1)])}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row.get(name, '') for name in names)} |" for row in rows)])


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """The same for other programs."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
