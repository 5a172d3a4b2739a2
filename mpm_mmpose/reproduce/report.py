"""A table of the paper with its figures and ours, as Markdown and CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from statistics import mean

from .tables import FIGURES, Table, paper_figures

NOTHING = "-"


@dataclass
class Measured:
    """A figure of a row over all seeds: None where there is none."""

    values: list[float] = field(default_factory=list)
    """One a seed."""
    intervals: list[tuple[float, float]] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        """Over seeds."""
        return mean(self.values) if self.values else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Mean over seeds of the ends of the test set's 95 % interval."""
        return tuple(map(mean, zip(*self.intervals, strict=True))) if self.intervals else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """Smallest and largest over seeds, where there are several."""
        return (min(self.values), max(self.values)) if len(self.values) > 1 else None


@dataclass
class RowResult:
    """What was measured for a row, or why nothing was."""

    row: str
    tests: list[dict] = field(default_factory=list)
    """What the tests left, one a seed."""
    trainings: list[dict] = field(default_factory=list)
    """What the trainings left."""
    missing: str | None = None

    @property
    def pretraining_windows(self) -> int:
        """Windows of the pre-training, 0 without one."""
        return max((training["windows"] for training in self.trainings if training["kind"] == "pre-train"), default=0)

    def measured(self, figure: str) -> Measured:
        """A figure, averaged as the protocol of the test says."""
        found = Measured()
        for test in self.tests:
            figures = test["figures"]
            name = f"{figure}/mean_over_actions" if test["average"] == "actions" else figure
            if name not in figures:
                return Measured()
            found.values.append(figures[name])
            if f"{figure}/low" in figures:
                found.intervals.append((figures[f"{figure}/low"], figures[f"{figure}/high"]))
        return found

    @property
    def protocol(self) -> str:
        """Under which the tests were counted."""
        return ", ".join(sorted({test["protocol"] for test in self.tests})) or NOTHING


def cells(table: Table, results: list[RowResult]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table as text."""
    several = any(len(result.tests) > 1 for result in results)
    with_interval = {name for name in table.figures if any(result.measured(name).interval for result in results)}
    head = ["row"]
    for figure in table.figures:
        head += [f"{FIGURES[figure]}: paper", "ours", *(["95 % interval"] if figure in with_interval else [])]
        head += ["seeds, from to"] if several else []
    rows = []
    for result in results:
        paper = paper_figures(table, result.row)
        line = [table.rows[result.row]]
        for figure in table.figures:
            ours = result.measured(figure)
            line += [_number(paper.get(figure)), _number(ours.mean)]
            line += [_range(ours.interval)] if figure in with_interval else []
            line += [_range(ours.spread)] if several else []
        rows.append([*line, result.protocol])
    return [*head, "protocol"], rows


def markdown(table: Table, results: list[RowResult], differences: list[str], picture: str | None = None) -> str:
    """The table, and under it what differs from the paper and what is missing."""
    head, rows = cells(table, results)
    lines = [f"# Table {table.number}: {table.title}", ""]
    if rows:
        lines += ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
        lines += ["| " + " | ".join(line) + " |" for line in rows]
    else:
        lines += ["No rows."]
    if picture:
        lines += ["", f"![{table.title}]({picture})"]
    lines += ["", "What differs from the paper, and what to know:", ""]
    lines += [f"- {text}" for text in (*differences, *table.notes, *_missing(table, results))]
    return "\n".join([*lines, ""])


def comma_separated(table: Table, results: list[RowResult]) -> str:
    """The table for programs: one line a row and figure, numbers in full, empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        "table row title figure paper ours interval_low interval_high seeds smallest largest protocol missing".split()
    )
    for result in results:
        for figure in table.figures:
            ours = result.measured(figure)
            numbers = [paper_figures(table, result.row).get(figure), ours.mean, *(ours.interval or (None, None))]
            numbers += [len(ours.values), *(ours.spread or (None, None))]
            names = [table.number, result.row, table.rows[result.row], figure]
            protocol = "" if result.protocol == NOTHING else result.protocol
            writer.writerow(
                [*names, *("" if value is None else value for value in numbers), protocol, result.missing or ""]
            )
    return text.getvalue()


def _missing(table: Table, results: list[RowResult]) -> list[str]:
    said = [f"{table.rows[result.row]}: not run. {result.missing}" for result in results if result.missing]
    unknown = [
        table.rows[result.row] for result in results if set(table.figures[:1]) - set(paper_figures(table, result.row))
    ]
    if unknown and len(unknown) == len(results):
        said.append("The paper's figures of this table were not at hand: add them to paper_figures.json.")
    elif unknown:
        said.append(f"The paper's figures were not at hand for: {'; '.join(unknown)}.")
    return said


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _range(ends: tuple[float, float] | None) -> str:
    return NOTHING if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"
