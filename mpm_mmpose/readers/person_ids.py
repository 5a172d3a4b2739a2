"""From what trackers write for a person's id to a number, a name, or nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..messages import brief

_NOBODY = ("", "none", "null", "nan", "undefined")
_LONGEST, _DEPTH = 64, 5


def person_id(where: str, value: Any, depth: int = 0) -> int | str | None:
    """The id that ``value`` says: a number from 0 on, a name, or None where it says none.

    None, NaN, numbers below 0 and empty text say none. Numbers may be text, and in lists of lists; where such a list
    has several (AlphaPose does that where boxes were merged) nobody knows which, so it says none. Names are made fit
    for the name of a file. Raises ValueError (place, fix) for what is no id.
    """
    if isinstance(value, list | tuple | np.ndarray):
        if depth == _DEPTH:
            raise ValueError(f"{where}: track id is in lists more than {_DEPTH} deep; give a number or a name")
        said = {person_id(where, one, depth + 1) for one in value} - {None}
        return said.pop() if len(said) == 1 else None
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in _NOBODY:
            return None
        if re.fullmatch(r"[-+]?[0-9]{1,18}(\.0*)?", text):
            return person_id(where, float(text) if "." in text else int(text))
        return re.sub(r"[^\w.-]+", "_", text)[:_LONGEST].strip(".") or None
    if value is None:
        return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{where}: track id is {brief(value)}; give a number or a name, or leave it out")
    if value != value or value < 0:
        return None
    if value % 1 or value >= 2**53:
        raise ValueError(f"{where}: track id is {brief(value)}; give a whole number below 2^53, or a name")
    return int(value)
