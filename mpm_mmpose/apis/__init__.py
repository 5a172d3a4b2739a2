"""Whole jobs in one call."""

from __future__ import annotations

from ..errors import UsageError
from ..lazy_names import lazy_names

_PLACES = {
    "MPMInferencer": "inferencer",
    "PersonLifting": ".lifting.person_lifting",
    "WritingOptions": "results",
}
__all__ = ["UsageError", *_PLACES]
__getattr__ = lazy_names(__name__, _PLACES)
