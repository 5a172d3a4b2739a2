"""Frames in which a 2D detector takes a person's left for the right: what is before and after them says so."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..pose.keypoints import get_keypoint_set
from .tracks import Track2D

#: s; frames that are further apart do not say which side is which, and an exchange that lasts longer is not undone.
LONGEST_STEP, LONGEST = 0.1, 1.0
#: Sides change over where the keypoints jump by this share of the person's size, and by less than half as much if
#: they are exchanged.
JUMP, CLEARLY = 0.12, 0.5
_LEGS = ("hip", "knee", "ankle", "toe", "heel", "foot")
MOST_NAMED = 3


class Exchange(NamedTuple):
    """rows of a track in which left and right of a part ('legs' or 'upper body') are exchanged."""

    part: str
    rows: slice


def check_sides(track: Track2D, notes: list[str], mend: bool = False) -> Track2D:
    """The track, with mend with sides put back that were exchanged for up to a second; notes get which."""
    exchanges = find_exchanges(track)
    if not exchanges:
        return track
    named: dict[tuple[int, int], list[str]] = {}
    for part, rows in exchanges:
        named.setdefault((rows.start, rows.stop), []).append(part)
    said = []
    for (start, stop), parts in list(named.items())[:MOST_NAMED]:
        what = "" if len(parts) > 1 else f" of the {parts[0]}"
        when = f"{track.times[start]:.2f} to {track.times[stop - 1]:.2f} s"
        said.append(f"left and right{what} in {stop - start} frames from {when}")
    more = f" and {len(named) - MOST_NAMED} times more" if len(named) > MOST_NAMED else ""
    end = "this is undone" if mend else "--mend-sides undoes that"
    notes.append(f"person {track.person}: the detector exchanges {', '.join(said)}{more}; {end}")
    return put_back(track, exchanges) if mend else track


def put_back(track: Track2D, exchanges: list[Exchange]) -> Track2D:
    """The track with left and right exchanged once more there."""
    keypoints, scores = track.keypoints.copy(), track.scores.copy()
    parts = _parts(track.keypoint_set)
    for part, rows in exchanges:
        left, right = parts[part].T
        for values in (keypoints, scores):
            values[rows, left], values[rows, right] = values[rows, right].copy(), values[rows, left].copy()
    return replace(track, keypoints=keypoints, scores=scores)


def find_exchanges(track: Track2D) -> list[Exchange]:
    """Where left and right of the legs, or of the rest, are exchanged for up to a second.

    From a frame to the next the keypoints of a part jump as if they were exchanged, and some frames later back.
    """
    found = []
    for part, pairs in _parts(track.keypoint_set).items():
        changes = _changes(track, pairs)
        row = 0
        while row + 1 < len(changes):
            start, stop = int(changes[row]), int(changes[row + 1])
            if track.times[stop - 1] - track.times[start] <= LONGEST and _unbroken(track, start, stop):
                found.append(Exchange(part, slice(start, stop)))
                row += 2
            else:
                row += 1
    return sorted(found, key=lambda exchange: exchange.rows.start)


def _parts(keypoint_set: str) -> dict[str, np.ndarray]:
    """Index pairs (P, 2), left and right, of each part of the body."""
    keypoints = get_keypoint_set(keypoint_set)
    legs = [any(word in keypoints.names[left] for word in _LEGS) for left, _ in keypoints.flip_pairs]
    pairs = np.array(keypoints.flip_pairs)
    return {"legs": pairs[np.array(legs)], "upper body": pairs[~np.array(legs)]}


def _changes(track: Track2D, pairs: np.ndarray) -> np.ndarray:
    """Rows at which the sides change over."""
    if len(track) < 3 or not len(pairs):
        return np.empty(0, np.int64)
    # seen (N, P), both (N - 1, P), count (N - 1, 1, 1), places (N, P, 2, 2): pair, side, x and y.
    seen = (track.scores[:, pairs] > 0).all(2)
    both = seen[1:] & seen[:-1]
    count = np.maximum(both.sum(1), 1)[:, None, None]
    places = np.where(seen[..., None, None], track.keypoints[:, pairs], 0).astype(np.float64)
    now, before = places[1:], places[:-1]

    def step(first: np.ndarray, second: np.ndarray) -> np.ndarray:  # (N - 1, P, 2, 2) each, to px (N - 1,)
        moved = np.where(both[..., None, None], second - first, 0)
        moved = (
            moved - moved.mean(2, keepdims=True).sum(1, keepdims=True) / count[..., None]
        )  # all of the part together
        return (np.linalg.norm(moved, axis=-1) * both[..., None]).sum((1, 2)) / (2 * count[:, 0, 0])

    same, across = step(before, now), step(before, now[:, :, ::-1])
    near = np.diff(track.times) <= LONGEST_STEP
    sure = (both.sum(1) >= 2) & near & (same > JUMP * _size(track)) & (across < CLEARLY * same)
    return np.flatnonzero(sure) + 1


def _size(track: Track2D) -> float:
    """px, the usual standard deviation of the keypoints about their middle."""
    seen = (track.scores > 0)[..., None]
    count = np.maximum(seen.sum(1, keepdims=True), 1)
    points = np.where(seen, track.keypoints, 0)
    about = np.where(seen, points - points.sum(1, keepdims=True) / count, 0)
    return float(np.median(np.sqrt((about**2).sum((1, 2)) / count[:, 0, 0])))


def _unbroken(track: Track2D, start: int, stop: int) -> bool:
    return bool((np.diff(track.times[start - 1 : stop + 1]) <= LONGEST_STEP).all())
