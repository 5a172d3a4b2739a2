"""Tables of keypoints (CSV): one row per frame or per keypoint; DeepLabCut's with its lines of names at the top."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .detections import DetectionRows, Detections
from .files import read_text
from .keypoint_choice import KeypointMap
from .keypoints_deeplabcut import LEVELS, people_in_columns

_FRAME = ("frame", "frame_id", "frame_index", "frame_number", "frame_num", "frames", "image_id", "frameno", "")
_TIME = ("time", "timestamp", "time_s", "seconds", "t", "timestamp_ms", "time_ms")
_PERSON = ("person", "person_id", "track_id", "id", "pose", "pose_index", "individual", "track")
_KEYPOINT = ("keypoint", "landmark", "joint", "bodypart", "name", "landmark_name", "landmark_id", "keypoint_id", "part")
_COORDINATES = {"x": "x", "y": "y", "px": "x", "py": "y", "u": "x", "v": "y"}
_SCORES = ("score", "visibility", "confidence", "conf", "likelihood", "c", "p", "s", "prob", "visible", "vis")
_ENDING = re.compile(r"^(.+?)[ _.:\-\[(]+([A-Za-z]+)[\])]?$|^([A-Za-z]+?)[ _.:\-]?(\d+)$|^(\d+)[ _.:\-]?([A-Za-z]+)$")
_BEGINNING = re.compile(r"^([xyzvcps]|px|py|conf|score|visibility|likelihood)[ _.:\-]+(.+)$", re.IGNORECASE)


def read_csv_keypoints(path: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of a table, one :class:`Detections`.

    The first line names the columns: ``nose_x, nose_y, nose_score, ...`` or ``x0, y0, c0, ...`` and perhaps ``frame``
    and ``person``; or ``frame, keypoint, x, y`` and perhaps a score. Instead of ``frame`` there may be ``time`` (s) or
    ``timestamp_ms``. A third coordinate is not read. An empty cell, NaN and a score of 0 mean that a keypoint was not
    found. Raises ValueError or OSError (file, line, column, fix).
    """
    lines = _cells(path)
    if lines[0][0].strip().lower() in LEVELS:
        return _deeplabcut(path, name, lines, keypoint_set)
    header, body, first = _header(path, lines)
    columns = {column.strip().lower(): index for index, column in reversed(list(enumerate(header)))}
    frames = next((columns[key] for key in _FRAME if key in columns and (key or columns[key] == 0)), None)
    time = next((key for key in _TIME if key in columns), None) if frames is None else None
    frames = columns[time] if time else frames
    people = next((columns[key] for key in _PERSON if key in columns), None)
    long = next((columns[key] for key in _KEYPOINT if key in columns), None)
    if long is not None and {"x", "y"} <= set(columns):
        names, rows = _long(path, body, first, columns, frames, people, long)
    else:
        names, rows = _wide(path, header, body, first, frames, people)
    if lost := next((where for where, frame, *_ in rows if not np.isfinite(frame) or (frame % 1 and not time)), None):
        raise ValueError(f"{path}: {lost}: {header[frames]!r} is no number of a frame")
    times = np.unique([frame for _, frame, *_ in rows]) if time else None
    table = DetectionRows(name, path, names)
    for where, frame, person, keypoints, scores in rows:
        number = int(frame) if times is None else int(np.searchsorted(times, frame))
        if np.isfinite(keypoints).any():
            table.add(where, number, keypoints, scores, track=person)
    found = table.finish(keypoint_set)
    if times is None:
        return [found]
    seconds = (times - times[0]) / (1000 if time.endswith("_ms") else 1)
    rate = (len(times) - 1) / seconds[-1] if len(times) > 1 else 0.0
    return [replace(found, times=seconds, fps=float(rate))]


def _deeplabcut(path: Path, name: str, lines: list[list[str]], keypoint_set: str | KeypointMap) -> list[Detections]:
    levels: dict[str, list[str]] = {}
    while len(levels) < len(lines) and (start := lines[len(levels)][0].strip().lower()) in set(LEVELS) - set(levels):
        levels[start] = [cell.strip() for cell in lines[len(levels)][1:]]
    if missing := [level for level in ("bodyparts", "coords") if level not in levels]:
        raise ValueError(
            f"{path}: its first lines are {', '.join(levels)}; DeepLabCut's {' and '.join(missing)} are missing"
        )
    number = len(levels["coords"])
    columns = list(zip(levels.get("individuals", [""] * number), levels["bodyparts"], levels["coords"], strict=False))
    header = ["frame", *("_".join(filter(None, column)) for column in columns)]
    body = lines[len(levels) :]
    table = np.array(
        [
            [_value(path, row, line, column, header) for column in range(len(columns) + 1)]
            for row, line in enumerate(body, len(levels) + 1)
        ]
    ).reshape(len(body), len(columns) + 1)
    if not (np.isfinite(table[:, 0]) & (table[:, 0] % 1 == 0)).all():
        raise ValueError(f"{path}: some rows do not begin with the number of a frame")
    return people_in_columns(path, name, columns, table[:, 0].astype(np.int64), table[:, 1:], keypoint_set)


def _cells(path: Path) -> list[list[str]]:
    text = read_text(path).removeprefix("\ufeff")
    start = text[:10000]
    separator = max((",", ";", "\t"), key=start.count)
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in line)]
    if separator == ";":  # where numbers have commas, columns have semicolons
        lines = [[re.sub(r"^(-?\d+),(\d+)$", r"\1.\2", cell.strip()) for cell in line] for line in lines]
    if len(lines) < 2:
        raise ValueError(f"{path}: holds {len(lines)} lines; a line of column names and one per frame are expected")
    return lines


def _header(path: Path, lines: list[list[str]]) -> tuple[list[str], list[list[str]], int]:
    """Names of the columns, the other lines, and the number of the first of these."""
    if all(_number(cell) is not None for cell in lines[0]):
        raise ValueError(f"{path}: line 1 has numbers; the names of the columns are expected (nose_x, nose_y, ...)")
    return lines[0], lines[1:], 2


def _split(column: str) -> tuple[str, str] | None:
    """Keypoint and what the column says of it: 'left_hip_x' and 'x0' are (left_hip, x) and (0, x)."""
    column = column.strip()
    if match := _BEGINNING.match(column):
        return match[2], match[1].lower()
    if match := _ENDING.match(column):
        if match[1] is not None:
            return match[1], match[2].lower()
        return (match[4], match[3].lower()) if match[3] is not None else (match[5], match[6].lower())
    return None


def _wide(
    path: Path, header: Sequence[str], body: list[list[str]], first: int, frames: int | None, people: int | None
) -> tuple[list[str] | None, list[tuple]]:
    places: dict[str, dict[str, int]] = {}
    for index, column in enumerate(header):
        if index in (frames, people) or (parts := _split(column)) is None:
            continue
        kind = _COORDINATES.get(parts[1]) or ("score" if parts[1] in _SCORES else None)
        if parts[1] == "v" and {"x", "y"} <= set(places.get(parts[0], ())):
            kind = "score"  # MediaPipe's visibility
        if kind:
            places.setdefault(parts[0], {})[kind] = index
    keypoints = {name: place for name, place in places.items() if {"x", "y"} <= set(place)}
    if not keypoints:
        raise ValueError(
            f"{path}: no two columns are x and y of a keypoint (nose_x, nose_y; x0, y0; ...); it has "
            f"{', '.join(header[:12])}"
        )
    rows = []
    for number, line in enumerate(body, first):
        where = f"line {number}"
        values = [
            [_value(path, number, line, place.get(kind), header) for kind in ("x", "y", "score")]
            for place in keypoints.values()
        ]
        array = np.array(values)
        scores = np.where(
            np.isnan(array[:, 2]) & (not any("score" in place for place in keypoints.values())), 1, array[:, 2]
        )
        frame = number - first if frames is None else _value(path, number, line, frames, header)
        rows.append((where, frame, _person(path, number, line, people, header), array[:, :2], scores))
    return _names(list(keypoints)), rows


def _long(
    path: Path,
    body: list[list[str]],
    first: int,
    columns: dict[str, int],
    frames: int | None,
    people: int | None,
    long: int,
) -> tuple[list[str] | None, list[tuple]]:
    if frames is None:
        raise ValueError(
            f"{path}: has one row per keypoint and no column 'frame' or 'time'; it has {', '.join(columns)}"
        )
    header = list(columns)
    score = next((columns[key] for key in ("v", *_SCORES) if key in columns), None)
    poses: dict[tuple[float, int | None], dict[str, list[float]]] = {}
    names: dict[str, None] = {}
    for number, line in enumerate(body, first):
        frame, person = _value(path, number, line, frames, header), _person(path, number, line, people, header)
        keypoint = line[long].strip() if long < len(line) else ""
        names[keypoint] = None
        x, y = (_value(path, number, line, columns[axis], header) for axis in "xy")
        confidence = 1.0 if score is None else _value(path, number, line, score, header)
        poses.setdefault((frame, person), {})[keypoint] = [x, y, confidence]
    order = sorted(names, key=int) if all(name.isdigit() for name in names) else list(names)
    lost = [float("nan")] * 3
    rows = []
    for (frame, person), pose in poses.items():
        array = np.array([pose.get(keypoint, lost) for keypoint in order])
        rows.append((f"frame {frame:g}", frame, person, array[:, :2], array[:, 2]))
    return _names(order), rows


def _names(keypoints: list[str]) -> list[str] | None:
    """None where the keypoints are numbered one after the other."""
    return None if all(name.isdigit() for name in keypoints) else keypoints


def _person(path: Path, number: int, line: list[str], column: int | None, header: Sequence[str]) -> int | None:
    value = float("nan") if column is None else _value(path, number, line, column, header)
    return None if np.isnan(value) else int(value)


def _value(path: Path, number: int, line: list[str], column: int | None, header: Sequence[str]) -> float:
    text = "" if column is None or column >= len(line) else line[column].strip()
    value = _number(text)
    if value is None:
        raise ValueError(f"{path}: line {number}, column {column + 1} ({header[column]}): {text!r} is no number")
    return value


def _number(text: str) -> float | None:
    if text.strip().lower() in ("", "nan", "none", "null", "na"):
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None
