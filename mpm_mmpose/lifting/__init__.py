"""2D tracks to 3D, by any model of windows; numpy alone."""

from __future__ import annotations

from ..lazy_names import lazy_names

_PLACES = {"TrackLifter": "track_lifter", "Track2D": "tracks", "Track3D": "tracks"}
__all__ = list(_PLACES)
__getattr__ = lazy_names(__name__, _PLACES)
