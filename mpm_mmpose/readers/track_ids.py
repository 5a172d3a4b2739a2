"""Who is who where a file says it, but not of everybody: ids that are missing or twice in a frame are settled."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np

from .boxes import MIN_OVERLAP, box_overlaps, detection_boxes
from .detections import Detections

#: Frames that a person may be out of sight and still be known by where they were.
REACH = 30
#: More people than this share of those in frames with several have an id that another has: the ids mean nothing.
MOST_DOUBLE = 0.5


def settle_ids(detections: Detections) -> Detections:
    """The same people with ids that are once in a frame, and notes on what was changed; without where ids say nothing.

    Rows without an id, and those whose id another row of the frame has, get the id of the person whose box, in the
    nearest frame in which that person is known, they overlap most (``MIN_OVERLAP`` or more); what is left begins a new
    one. All others keep theirs.
    """
    if detections.tracks is None:
        return detections
    tracks = detections.tracks.copy()
    _, pair, number = np.unique(
        np.stack((detections.frames, tracks), 1), axis=0, return_inverse=True, return_counts=True
    )
    twice = (number[pair.reshape(-1)] > 1) & (tracks >= 0)
    crowd = _in_company(detections.frames)
    if twice.sum() > MOST_DOUBLE * max(crowd.sum(), 1):
        note = "the file gives several people of a frame the same id: its ids are not used"
        return replace(detections, tracks=None, notes=[*detections.notes, note])
    uncertain = twice | (tracks < 0)
    if not uncertain.any():
        return detections
    ids = _Known(detections, tracks, ~uncertain)
    tracks[uncertain] = -1
    rows = np.flatnonzero(uncertain)
    rows = rows[np.argsort(detections.frames[rows], kind="stable")]
    known = 0
    for part in np.split(rows, np.flatnonzero(np.diff(detections.frames[rows])) + 1):
        known += ids.settle(part)
    note = (
        f"{len(rows)} of {len(tracks)} detections have no id, or one that is twice in a frame: {known} got the id of "
        f"the person they overlap, {len(rows) - known} a new one"
    )
    return replace(detections, tracks=tracks, notes=[*detections.notes, note])


def _in_company(frames: np.ndarray) -> np.ndarray:
    """(N,) bool, the rows of frames that have several."""
    _, where, number = np.unique(frames, return_inverse=True, return_counts=True)
    return number[where.reshape(-1)] > 1


class _Known:
    """Where the people of a file are known to be; ``tracks`` (N,) is changed as more becomes known."""

    def __init__(self, detections: Detections, tracks: np.ndarray, sure: np.ndarray) -> None:
        self.frames, self.tracks, self.boxes = detections.frames, tracks, detection_boxes(detections)
        self.reach = REACH * detections.step
        self.new = count(int(max(tracks.max(), max(detections.track_names, default=-1))) + 1)
        self.rows: dict[int, list[int]] = {}
        for row in np.flatnonzero(sure)[np.argsort(self.frames[sure], kind="stable")]:
            self.rows.setdefault(int(tracks[row]), []).append(int(row))

    def settle(self, rows: np.ndarray) -> int:
        """Give ids to the uncertain rows of one frame; returns how many got one that was known."""
        frame = self.frames[rows[0]]
        near = {track: row for track in self.rows if (row := self._nearest(track, frame)) is not None}
        people = list(near)
        overlaps = np.zeros((len(rows), len(people)))
        if people:
            overlaps = box_overlaps(self.boxes[rows][:, None], self.boxes[list(near.values())])
        left, free, known = set(range(len(rows))), set(range(len(people))), 0
        for place in np.argsort(-overlaps, axis=None, kind="stable"):
            row, person = divmod(int(place), len(people))
            if overlaps[row, person] < MIN_OVERLAP:
                break
            if row in left and person in free:
                left.discard(row)
                free.discard(person)
                self._give(int(rows[row]), people[person])
                known += 1
        for row in sorted(left):
            self._give(int(rows[row]), next(self.new))
        return known

    def _nearest(self, track: int, frame: int) -> int | None:
        """The row of a person in the nearest frame within reach; None where there is none, or one in this frame."""
        rows = self.rows[track]
        frames = self.frames[rows]
        place = int(np.abs(frames - frame).argmin())
        return rows[place] if 0 < abs(int(frames[place]) - int(frame)) <= self.reach else None

    def _give(self, row: int, track: int) -> None:
        self.tracks[row] = track
        self.rows.setdefault(track, []).append(row)
