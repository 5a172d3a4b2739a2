"""Whole jobs in one call."""

from __future__ import annotations

from importlib import import_module

from ..errors import UsageError

_PLACES = {
    "MPMInferencer": "inferencer",
    "PersonLifting": "person_options",
    "WritingOptions": "person_options",
    "lift_file": "file_lifting",
}
__all__ = ["UsageError", *_PLACES]


def __getattr__(name: str) -> object:
    # Imported when asked for: the 2D stage takes seconds to import, which training and tests do without.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
