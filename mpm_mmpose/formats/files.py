"""What every writer gives back, and how files of a person are called; pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from .scene import Person, Scene


class Written(NamedTuple):
    """The files that were written, and what a reader of them has to know: who was left out, what was filled in."""

    paths: list[Path]
    notes: list[str]


def path_of(path: Path, person: Person, scene: Scene) -> Path:
    """Where one person's file goes: ``path``, with the person's name before the suffix where there are several."""
    if len(scene.people) == 1:
        return path
    name = re.sub(r"[^\w.-]", "_", person.name)
    return path.with_name(f"{path.stem}_{name}{path.suffix}")
