"""What a caller asked for and cannot have: commands end with status 2 on it, and with 1 on all other failures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path


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


def exit_status(work: Callable[[], object], interrupted: str = "interrupted") -> int:
    """Do the work of a command: 0 done, 1 failed, 2 wrong use, 130 Ctrl-C; what was wrong is one line on stderr."""
    try:
        work()
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 130
    return 0


def check_readable(source: str | Path) -> Path:
    """The path; raises UsageError where nothing is there or we may not read it, ValueError for an empty file."""
    path = Path(source)
    try:
        there = path.exists()
    except PermissionError:
        raise UsageError(f"{path}: its folder may not be looked into; ask for permission to it (chmod +x)") from None
    if not there:
        raise UsageError(f"{path}: does not exist; give a video, image, folder or keypoint file, or webcam")
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise UsageError(f"{path}: may not be read; ask for permission to it (chmod +r)")
    if path.is_file() and path.stat().st_size == 0:
        raise ValueError(f"{path}: is empty; write or fetch it again")
    return path
