"""What a caller asked for and cannot have: commands end with status 2 on it, and with 1 on all other failures."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(ValueError):
    """Wrong use: a name, path or option that cannot be meant; the message says what to give instead."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among those ``known``, with the nearest of them."""
    known = sorted(set(known))
    folded = {candidate.lower(): candidate for candidate in known}
    near = [folded[match] for match in get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    if near:
        return UsageError(f"{kind} {name!r} is not known; did you mean {' or '.join(map(repr, near))}?")
    shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    return UsageError(f"{kind} {name!r} is not known; there are {shown}")
