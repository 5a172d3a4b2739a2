"""BlazePose: people and 33 keypoints of each in images, without network; needs numpy, OpenCV and ai-edge-litert."""

from __future__ import annotations

from ..lazy_names import lazy_names

_PLACES = {"BlazePose": "blazepose", "PeopleFollower": "blazepose"}
__all__ = list(_PLACES)
__getattr__ = lazy_names(__name__, _PLACES)
