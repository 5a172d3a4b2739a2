"""CSV: one row per person and frame, for spreadsheets and statistics."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..atomic_file import write_atomically
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import Scene

# What a cell begins with that a spreadsheet computes.
_FIRST = ("=", "+", "-", "@")
_FORMULA = re.compile(r"([;|]\s*)([=+@-])")


def write_csv(path: str | Path, scene: Scene) -> Path:
    """Lines of comment (#), a line of names, then rows: person, frame, time (s), and x, y, z (m) of each keypoint.

    Camera axes relative to the pelvis, as in the scene; where the pelvis is, trajectory_x, _y, _z (m), the spread of
    its depth (m), the misfit of the 3D from the 2D, and the names of the keypoints that were masked, where that is
    known of anybody. What is not known is empty. Raises ValueError for people of several keypoint sets.
    """
    sets = sorted({person.keypoint_set for person in scene.people})
    if len(sets) > 1:
        raise ValueError(f"{path}: people of several keypoint sets ({', '.join(sets)}); write them to a file each")
    points = [*get_keypoint_set(sets[0]).names] if sets else []
    placed = any(person.trajectory is not None for person in scene.people)
    points += ["trajectory"] * placed
    judged = any(person.misfit is not None for person in scene.people)
    certain = any(person.trajectory_spread is not None for person in scene.people)
    any_masked = any(person.masked is not None for person in scene.people)
    comments = (
        f"made by {scene.made_by} of {_in_comment(scene.name)}",
        f"fps {scene.fps:g}; keypoint set {sets[0] if sets else 'of nobody'}",
        "m, relative to the pelvis, camera axes: x right, y down, z away; frames from 0; time in s; empty: not known",
        *(["trajectory: the pelvis in the camera's axes, m"] if placed else []),
        *(["trajectory_spread: one standard deviation of its depth, m"] if certain else []),
        *(["masked: keypoints that the model was not shown, and guesses"] if any_masked else []),
        *(["misfit: of the 3D from the 2D it came from, 0 the same, 1 nothing in common"] if judged else []),
        *(f"note: {_in_comment(note)}" for note in scene.notes),
    )

    def rows() -> Iterator[list[object]]:
        for person in scene.people:
            nowhere = np.full((len(person.frames), 3), np.nan)
            values = [person.keypoints_3d.reshape(len(person.frames), -1)]
            values += [nowhere if person.trajectory is None else person.trajectory] if placed else []
            values += [_column(person.trajectory_spread, nowhere)] if certain else []
            values += [_column(person.misfit, nowhere)] if judged else []
            names = get_keypoint_set(person.keypoint_set).names
            for index, row in enumerate(np.concatenate(values, axis=1)):
                frame = int(person.frames[index])
                cells = [f"{value:.6f}" if np.isfinite(value) else "" for value in row]
                if any_masked:
                    masked = [] if person.masked is None else np.flatnonzero(person.masked[index])
                    cells.append(" ".join(names[keypoint] for keypoint in masked))
                yield [_cell(person.name), frame, f"{scene.times[frame]:.6f}", *cells]

    def write(file: Path) -> None:
        with open(file, "w", encoding="utf-8", newline="") as text:
            for comment in comments:
                text.write("# " + " ".join(comment.split()) + "\n")
            table = csv.writer(text, lineterminator="\n")
            coordinates = [f"{point}_{axis}" for point in points for axis in "xyz"]
            more = dict(trajectory_spread=certain, misfit=judged, masked=any_masked)
            there = [name for name, known in more.items() if known]
            table.writerow(["person", "frame", "time", *coordinates, *there])
            table.writerows(rows())

    return write_atomically(path, write)


def _column(values: np.ndarray | None, nowhere: np.ndarray) -> np.ndarray:
    """Values (N,) as (N, 1), NaN where they are not known; nowhere (N, 3) NaN."""
    return nowhere[:, :1] if values is None else values[:, None]


def _in_comment(text: str) -> str:
    """A name or note without commas, after which a spreadsheet begins another cell, which might be a formula."""
    return _FORMULA.sub(r"\1'\2", text.replace(",", ";"))


def _cell(text: str) -> str:
    """A name that no spreadsheet takes for a formula; numbers, as ids of people are, stay numbers."""
    return f"'{text}" if text[:1] in _FIRST and not text[1:].isdecimal() else text
