"""A table of the paper with its figures and ours, as Markdown and CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from statistics import mean

from . import paper
from .table import FIGURES, Table

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
    tests: list[dict[str, dict]] = field(default_factory=list)
    """What the tests left, one a seed: by the part before the names of their figures, as `Row.tests`."""
    trainings: list[dict] = field(default_factory=list)
    """What the trainings left."""
    counted: dict[str, float] = field(default_factory=dict)
    """Figures that were counted and not measured."""
    missing: str | None = None

    @property
    def pretraining_windows(self) -> int:
        """Windows of the pre-training, 0 without one."""
        return max((training["windows"] for training in self.trainings if training["kind"] == "pre-train"), default=0)

    def measured(self, figure: str) -> Measured:
        """A figure, averaged as the protocol of its test says."""
        if figure in self.counted:
            return Measured([self.counted[figure]])
        found = Measured()
        for tests in self.tests:
            prefix = max((name for name in tests if figure.startswith(name)), key=len, default=None)
            if prefix is None:
                return Measured()
            test, name = tests[prefix], figure.removeprefix(prefix)
            figures = test["figures"]
            average = f"{name}/mean_over_actions" if test["average"] == "actions" else name
            if average not in figures:
                return Measured()
            found.values.append(figures[average])
            if f"{name}/low" in figures:
                found.intervals.append((figures[f"{name}/low"], figures[f"{name}/high"]))
        return found

    def by_action(self, figure: str, action: str) -> float | None:
        """Mean over seeds of a figure of the row's own test, of one action; None where there is none."""
        values = [tests[""]["by_action"].get(action, {}).get(figure) for tests in self.tests if "" in tests]
        return mean(values) if values and None not in values else None

    @property
    def protocol(self) -> str:
        """Under which the tests were counted."""
        return ", ".join(sorted({test["protocol"] for tests in self.tests for test in tests.values()})) or NOTHING


def cells(table: Table, results: list[RowResult]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table as text."""
    several = any(len(result.tests) > 1 for result in results)
    printed = {name for row in table.rows.values() for name in row.printed}
    with_interval = {name for name in table.figures if any(result.measured(name).interval for result in results)}
    head = ["row"]
    for figure in table.figures:
        head += [f"{FIGURES[figure]}: paper", "ours"] if figure in printed else [FIGURES[figure]]
        head += ["95 % interval"] if figure in with_interval else []
        head += ["seeds, from to"] if several else []
    rows = []
    for result in results:
        row = table.rows[result.row]
        line = [row.title]
        for figure in table.figures:
            ours = result.measured(figure)
            line += [_number(row.printed.get(figure))] if figure in printed else []
            line += [_number(ours.mean)]
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
    lines += _action_lines(table, results)
    if picture:
        lines += ["", f"![{table.title}]({picture})"]
    lines += ["", "What differs from the paper, and what to know:", ""]
    lines += [f"- {text}" for text in (*differences, *table.notes, *_missing(table, results))]
    if table.number in paper.contents()["tables"]:
        lines += ["", f"## As printed: {paper.contents()['tables'][table.number]['title']}", ""]
        lines += [paper.markdown(table.number)]
    return "\n".join([*lines, ""])


def _action_lines(table: Table, results: list[RowResult]) -> list[str]:
    """Tables of the figures by action, the paper's above ours, where both know the actions."""
    lines: list[str] = []
    for figure in table.figures:
        rows = [result for result in results if figure in table.rows[result.row].actions]
        if not any(result.by_action(figure, action) is not None for result in rows for action in paper.ACTIONS):
            continue
        lines += ["", f"## {FIGURES[figure]}, by action", "", "| row | | " + " | ".join(paper.ACTIONS) + " |"]
        lines += ["|---|---|" + "---:|" * len(paper.ACTIONS)]
        for result in rows:
            row = table.rows[result.row]
            ours = {action: result.by_action(figure, action) for action in paper.ACTIONS}
            for whose, values in (("paper", row.actions[figure]), ("ours", ours)):
                cells = [row.title, whose, *(_number(values[action]) for action in paper.ACTIONS)]
                lines += ["| " + " | ".join(cells) + " |"]
    return lines


def comma_separated(table: Table, results: list[RowResult]) -> str:
    """The table for programs: one line per row and figure, numbers in full, empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        "table row title figure paper ours interval_low interval_high seeds smallest largest protocol missing".split()
    )
    for result in results:
        for figure in table.figures:
            ours = result.measured(figure)
            row = table.rows[result.row]
            numbers = [row.printed.get(figure), ours.mean, *(ours.interval or (None, None))]
            numbers += [len(ours.values), *(ours.spread or (None, None))]
            names = [table.number, result.row, row.title, figure]
            protocol = "" if result.protocol == NOTHING else result.protocol
            writer.writerow(
                [*names, *("" if value is None else value for value in numbers), protocol, result.missing or ""]
            )
    return text.getvalue()


def _missing(table: Table, results: list[RowResult]) -> list[str]:
    return [f"{table.rows[result.row].title}: not run. {result.missing}" for result in results if result.missing]


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def _range(ends: tuple[float, float] | None) -> str:
    return NOTHING if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"
