"""Which frame of which video an image is, by its name: numbers, dates and times of day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

_DIGITS = re.compile(r"([0-9]{1,18}[0-9]?)")
#: A date and a time of day, or a time of day alone, each part set off; then a fraction of a second.
_CLOCK = re.compile(
    r"(?<![0-9])(?:(?P<date>(?:19|20)[0-9]{2}[-_.]?[01][0-9][-_.]?[0-3][0-9])[ T_-]*)?"
    r"(?P<hour>[0-2][0-9])(?P<mark>[-_.:h]?)(?P<minute>[0-5][0-9])(?:(?P=mark)|m)(?P<second>[0-5][0-9])s?"
    r"(?:[-_.,]?(?P<fraction>[0-9]{1,9}))?(?![0-9])"
)
#: Times of day without a date are of this one.
_NO_DATE = "20000101"


def frames_of_names(names: Sequence[str]) -> list[tuple[str, int]] | None:
    """Video and frame of each name of an image, without its suffix: 'walk/000012' is frame 12 of 'walk'.

    The frame is the last number that is not the same in all names alike, so 'IMG (12) small' is frame 12 of 'IMG
    small'. A date with a time of day, or a time of day with a fraction, is the frame in microseconds since 1970, of one
    video. None where a name has no number.
    """
    if (clocks := [_clock(name) for name in names]) and None not in clocks:
        return clocks
    parts = [_DIGITS.split(name) for name in names]
    if any(len(part) < 3 for part in parts):
        return None
    alike: dict[tuple[str, ...], list[int]] = {}
    for index, part in enumerate(parts):
        alike.setdefault(tuple(part[::2]), []).append(index)
    found: list[tuple[str, int]] = [("", 0)] * len(names)
    for rows in alike.values():
        groups = range(1, len(parts[rows[0]]), 2)
        changing = [group for group in groups if len({int(parts[row][group]) for row in rows}) > 1]
        chosen = (changing or groups)[-1]
        for row in rows:
            part = parts[row]
            before, after = "".join(part[:chosen]).rstrip("/_-. (["), "".join(part[chosen + 1 :]).strip("/_-. )]")
            found[row] = f"{before} {after}".strip(), int(part[chosen])
    return found


def _clock(name: str) -> tuple[str, int] | None:
    """Video, and microseconds since 1970, of a name that says when its image was taken."""
    for match in _CLOCK.finditer(name):
        date, mark, fraction = match["date"], match["mark"], match["fraction"]
        if not (fraction and mark if not date else fraction or mark or match["hour"] != "00"):
            continue  # six digits may be a number
        day = re.sub(r"\D", "", date or _NO_DATE)
        try:
            time = datetime.strptime(day + match["hour"] + match["minute"] + match["second"], "%Y%m%d%H%M%S")
        except ValueError:
            continue
        seconds = int(time.replace(tzinfo=timezone.utc).timestamp())
        micro = int(((fraction or "") + "000000")[:6])
        video = f"{name[: match.start()].rstrip('/_-. ')} {name[match.end() :].strip('/_-. ')}".strip()
        return video, seconds * 1_000_000 + micro
    return None
