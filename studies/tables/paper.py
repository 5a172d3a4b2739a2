"""What is printed in the paper: its tables cell by cell, its recipe, and what may be cited of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("paper.json")
#: Columns of table 1 with a figure each.
ACTIONS = (
    "Directions Discussion Eating Greeting Phoning Photo Posing Purchases Sitting SittingDown Smoking Waiting WalkDog "
    "Walking WalkTogether"
).split()


@cache
def contents() -> dict:
    """The file: about, sections, equations and figures by number, recipe, and tables by number."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def rows(table: str) -> list[dict]:
    """The printed rows of a table as column to cell, None where a dash is printed."""
    printed = contents()["tables"][table]
    return [dict(zip(printed["columns"], row, strict=True)) for row in printed["rows"]]


def cell(table: str, column: str, **where: object) -> float:
    """The figure in a column of the one row that has these cells.

    Raises KeyError where no row or several have them, or a dash is printed.
    """
    found = [row for row in rows(table) if all(row[name] == value for name, value in where.items())]
    if len(found) != 1 or found[0][column] is None:
        raise KeyError(f"table {table}, {column}, {where}: {len(found)} such rows, or a dash")
    return found[0][column]


def markdown(table: str) -> str:
    """A table as it is printed, other methods and notes included."""
    printed = contents()["tables"][table]
    lines = ["| " + " | ".join(printed["columns"]) + " |", "|" + "---|" * len(printed["columns"])]
    lines += [
        "| " + " | ".join("-" if value is None else str(value) for value in row) + " |" for row in printed["rows"]
    ]
    return "\n".join([*lines, *(f"\n{note}" for note in printed["notes"])])
