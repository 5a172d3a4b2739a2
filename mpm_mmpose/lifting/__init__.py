"""2D tracks to 3D, by any model of windows; numpy alone."""

from __future__ import annotations

from importlib import import_module

_PLACES = {"TrackLifter": "track_lifter", "Track2D": "tracks", "Track3D": "tracks"}
__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    # Imported when asked for: `--help` answers at once.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
