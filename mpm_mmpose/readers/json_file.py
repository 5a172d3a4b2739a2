"""JSON of a file, bounded by what it becomes in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .files import read_bytes

#: Bytes that a JSON file may have; docs/data.md says how much video that is, and how much memory it takes.
JSON_LIMIT = 2 * 2**30
# Bytes that each of these becomes as Python's objects, but for what comes with the one before.
_COSTS = {b"[": 104, b"{": 248, b",": 32, b'"': 30}
# Numbers and lists of a recording become up to 10 times their text; empty lists alone 26 times.
_ALWAYS_ALLOWED, _MOST_TIMES = 2**30, 16


def read_json(path: str | Path, limit: int = JSON_LIMIT) -> Any:
    """The contents of a JSON file of ``limit`` bytes at most, a list of them where it is a file of JSON lines.

    Raises ValueError or OSError (file, fix).
    """
    content = read_bytes(path, limit)
    becomes = sum(cost * content.count(sign) for sign, cost in _COSTS.items())
    if becomes > max(_ALWAYS_ALLOWED, _MOST_TIMES * len(content)):
        raise ValueError(
            f"{path}: {len(content):,} bytes of JSON would take {becomes / 2**30:.1f} GiB of memory, as lists with "
            "next to nothing in them do; is it the right file?"
        )
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError(f"{path}: its lists are nested too deep for people in frames; is it the right file?") from None
    except ValueError as error:
        if (lines := _json_lines(content)) is not None:
            return lines
        raise ValueError(f"{path}: is no JSON, or is cut off ({str(error)[:200]}); write or fetch it again") from None


def _json_lines(content: bytes) -> list | None:
    """What is in a file that has a JSON object or list in every line; None where it is not."""
    try:
        lines = [line for line in content.decode(json.detect_encoding(content)).splitlines() if line.strip()]
        return [json.loads(line) for line in lines] if len(lines) > 1 and lines[0].lstrip()[0] in "{[" else None
    except (ValueError, RecursionError):
        return None
