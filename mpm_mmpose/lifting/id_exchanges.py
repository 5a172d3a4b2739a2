"""People whose ids change over: nobody runs faster than a sprinter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .tracks import Track2D

#: m/s that a person moves at most in the image (a sprinter's record), and m of which noise is no motion.
FASTEST, LEAST = 12.0, 0.25
#: m, standard deviation of a standing person's keypoints about their middle.
BODY = 0.5
#: Ids are exchanged where the people then move less than this share of what they move otherwise.
CLEARLY = 0.5
#: Notes of one recording.
MOST_NOTES = 3


class _Jump(NamedTuple):
    row: int
    speed: float


def check_exchanges(tracks: Sequence[Track2D], mend: bool = False) -> tuple[list[Track2D], list[str]]:
    """The people, and notes on those who move faster than 12 m/s in the image, and with whom they seem exchanged.

    How large a metre is in the image is told by the person's own size there. mend: let people whose ids are exchanged
    go on as each other.
    """
    people, notes = list(tracks), []
    for index in range(len(people)):
        row = 1
        while (jump := _next_jump(people[index], row)) is not None:
            track, row = people[index], jump.row + 1
            when = f"{track.times[jump.row - 1]:.2f} to {track.times[jump.row]:.2f} s"
            moves = f"would move at {jump.speed:.0f} m/s from {when}"
            other = _partner(people, index, jump.row)
            if other is None:
                notes.append(
                    f"person {track.person} {moves}: this may be somebody else from there on; --ids ignore tracks "
                    "people anew"
                )
                continue
            names = f"persons {track.person} and {people[other].person}"
            if mend:
                people[index], people[other] = _exchanged(track, people[other], track.times[jump.row])
                notes.append(f"{names} {moves}: their ids are exchanged there, which is undone")
            elif other > index:
                notes.append(f"{names} {moves}: their ids seem to be exchanged there; --ids mend undoes that")
    more = len(notes) - MOST_NOTES
    return people, notes[:MOST_NOTES] + ([f"and {more} more such jumps"] if more > 0 else [])


def _next_jump(track: Track2D, row: int) -> _Jump | None:
    """The first row from ``row`` on to which the person moves too fast."""
    if row >= len(track):
        return None
    both = (track.scores[row - 1 : -1] > 0) & (track.scores[row:] > 0)
    steps = np.where(both[..., None], track.keypoints[row:] - track.keypoints[row - 1 : -1], 0)
    moved = np.linalg.norm(steps.sum(1) / np.maximum(both.sum(1), 1)[:, None], axis=1)
    sizes = _sizes(track)
    metres = moved / np.maximum(np.maximum(sizes[row:], sizes[row - 1 : -1]), 1e-6) * BODY
    speeds = metres / np.diff(track.times[row - 1 :])
    fast = np.flatnonzero((speeds > FASTEST) & (metres > LEAST) & (both.sum(1) >= 3))
    return _Jump(row + int(fast[0]), float(speeds[fast[0]])) if len(fast) else None


def _sizes(track: Track2D) -> np.ndarray:
    """(N,) px, standard deviation of the keypoints; a person who bends is as large as usually."""
    seen = (track.scores > 0)[..., None]
    points = np.where(seen, track.keypoints, 0)
    count = np.maximum(seen.sum(1, keepdims=True), 1)
    about = np.where(seen, points - points.sum(1, keepdims=True) / count, 0)
    sizes = np.sqrt((about**2).sum((1, 2)) / count[:, 0, 0])
    return np.maximum(sizes, np.median(sizes))


def _middle(track: Track2D, row: int) -> np.ndarray:
    seen = track.scores[row] > 0
    return track.keypoints[row][seen].mean(0) if seen.any() else np.full(2, np.nan)


def _partner(people: Sequence[Track2D], index: int, row: int) -> int | None:
    """Index of the person with whom this one was exchanged on the way to ``row``; None for nobody."""
    track = people[index]
    here = _middle(track, row - 1), _middle(track, row)
    best, chosen = CLEARLY, None
    for other, candidate in enumerate(people):
        after = int(np.searchsorted(candidate.times, track.times[row]))
        if other == index or not 0 < after < len(candidate):
            continue
        there = _middle(candidate, after - 1), _middle(candidate, after)
        straight = np.linalg.norm(here[1] - here[0]) + np.linalg.norm(there[1] - there[0])
        across = np.linalg.norm(there[1] - here[0]) + np.linalg.norm(here[1] - there[0])
        if across < best * straight:
            best, chosen = across / straight, other
    return chosen


def _exchanged(first: Track2D, second: Track2D, time: float) -> tuple[Track2D, Track2D]:
    """Two people who go on as each other from ``time`` s on."""
    ends = [int(np.searchsorted(track.times, time)) for track in (first, second)]

    def joined(begin: Track2D, rows: int, end: Track2D, rest: int) -> Track2D:
        parts = {
            name: np.concatenate((getattr(begin, name)[:rows], getattr(end, name)[rest:]))
            for name in ("times", "keypoints", "scores")
        }
        return replace(begin, **parts)

    return joined(first, ends[0], second, ends[1]), joined(second, ends[1], first, ends[0])
