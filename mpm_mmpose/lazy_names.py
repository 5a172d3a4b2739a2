"""Names of a package that are imported when they are asked for, so that nobody waits for what is not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """A package's ``__getattr__`` that finds each name in its module, of ``places``; AttributeError for others."""

    def find(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f".{places[name]}", package), name)

    return find
