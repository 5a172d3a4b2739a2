"""Foreign values in messages; pure."""

from __future__ import annotations

from numbers import Number
from pathlib import Path
from typing import Any


def brief(value: Any) -> str:
    """A foreign value for a message: short, whatever it is, since some take for ever to be written out whole."""
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= 60 else f"{value[:60]!r}... ({len(value)} characters)"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, Number):
        return repr(value)
    if isinstance(value, list | tuple) and len(value) <= 6 and all(isinstance(item, str | Number) for item in value):
        inside = ", ".join(map(brief, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")


def shortened(text: str, most: int = 300) -> str:
    """Text with foreign words in it: one line, of which the middle goes where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most * 2 // 3]} ... {text[-most // 3 :]}"


def of_file(error: Exception, path: Path) -> Exception:
    """The error, with the file where its message does not name one in that folder."""
    named = str(path.parent) in str(error) or path.name in str(error)
    return error if named or not isinstance(error, ValueError) else ValueError(f"{path}: {error}")
