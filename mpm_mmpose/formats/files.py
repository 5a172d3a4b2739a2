"""What every writer gives back, and how files are called after people and recordings; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..pose.scene import LiftedPerson

# What some system takes for something else than a letter of a name, or no system can write.
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\\ud800-\udfff]')
_LONGEST = 180  # bytes of UTF-8, of the 255 that a name may have with what is added to it


class Written(NamedTuple):
    """The files that were written, and what a reader of them has to know: who was left out, what was filled in."""

    paths: list[Path]
    notes: list[str]


class FileNames:
    """Names of files for any texts: each inside the folder they are put into, and each another one.

    Also on a disk that does not tell a from A: what would be called as something before gets a number, ``a_b_2``.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, text: str) -> str:
        """The name for a text, whose slashes make folders."""
        name = wanted = safe_name(text)
        number = 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name.casefold())
        return name


def safe_name(text: str) -> str:
    """A text as the path of a file in a folder: nothing of it leads out of there or is no letter; never empty."""
    parts = [_UNFIT.sub("_", part) for part in text.split("/") if part.strip(". ")]
    return "/".join(part.encode()[:_LONGEST].decode(errors="ignore") for part in parts) or "_"


def paths_of(path: Path, people: Sequence[LiftedPerson], suffix: str) -> list[Path]:
    """Where each person's file goes: ``path`` for one, else ``<path>_<person>``, with ``_`` for what is no letter.

    suffix: what the path ends with, which may have several dots.
    """
    if len(people) == 1:
        return [path]
    stem, end = path.name[: -len(suffix)], path.name[-len(suffix) :]
    names = FileNames()
    called = [names(re.sub(r"[^\w.-]", "_", person.name)) for person in people]
    return [path.with_name(f"{stem}_{name}{end}") for name in called]
