"""What every writer gives back, and how files of a person are called; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .scene import Person


class Written(NamedTuple):
    """The files that were written, and what a reader of them has to know: who was left out, what was filled in."""

    paths: list[Path]
    notes: list[str]


def paths_of(path: Path, people: Sequence[Person]) -> list[Path]:
    """Where each person's file goes: ``path`` for one, else ``<path>_<person>``, what no file name can hold as ``_``.

    People whose names are the same then, to a disk that does not tell a from A, get a number: ``a_b``, ``a_b_2``.
    """
    if len(people) == 1:
        return [path]
    names: list[str] = []
    taken: set[str] = set()
    for person in people:
        name = wanted = re.sub(r"[^\w.-]", "_", person.name)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}_{number}"
        names.append(name)
        taken.add(name.casefold())
    return [path.with_name(f"{path.stem}_{name}{path.suffix}") for name in names]
