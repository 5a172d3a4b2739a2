"""People of one frame in the many ways that programs write them: what is a person, and where its keypoints are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .detections import numbers

# Where programs put the people of a frame, and the keypoints of a person; the first that is there counts.
_PEOPLE = ("instances", "people", "predictions", "poses", "persons", "detections", "pose_landmarks", "landmarks")
_KEYPOINTS = ("keypoints", "pose_keypoints_2d", "pose_keypoints", "landmarks", "pose_landmarks")
_SCORES = ("score", "visibility", "confidence", "conf", "likelihood", "visible", "v", "c")
_SCORE_LISTS = ("keypoint_scores", "keypoints_scores", "scores", "confidences")
_NAMES = ("name", "part", "id", "label")
_TRACKS = ("track_id", "idx", "person_id", "tracking_id", "id")
#: A person has at least so many keypoints; a shorter list of numbers is something else.
_FEWEST = 5


@dataclass(frozen=True)
class Person:
    """keypoints (K, 2) with NaN or a score of 0 where none was found, scores (K,), names (K,), box x1 y1 x2 y2."""

    keypoints: np.ndarray
    scores: np.ndarray
    names: tuple[str, ...] | None = None
    box: Any = None
    track: Any = None


def people_of(where: str, frame: Any) -> list[Person]:
    """The people of one frame, out of whatever lists and fields they are wrapped in; raises ValueError (place, field).

    A person is a list of points, or a table with such a list; points are x, y and perhaps a score, in lists, in tables
    with fields ``x`` and ``y``, one after the other, or by name.
    """
    if frame is None:
        return []
    if isinstance(frame, dict):
        if _is_person(frame):
            return _person(where, frame)
        for name in _PEOPLE:
            if name in frame:
                return people_of(where, frame[name])
        raise ValueError(f"{where}: has no people; it has {', '.join(map(str, frame)) or 'nothing'}")
    if not isinstance(frame, list):
        raise ValueError(f"{where}: is {type(frame).__name__}, where people are expected")
    if is_points(frame):
        return [Person(*_points(where, frame, None))]
    return [person for index, item in enumerate(frame) for person in people_of(f"{where}, person {index}", item)]


def is_points(value: Any) -> bool:
    """Whether a value is one person's keypoints: a list of points, or of numbers."""
    if not isinstance(value, list) or len(value) < _FEWEST:
        return False
    first = value[0]
    if isinstance(first, dict):
        return _is_point(first)
    if isinstance(first, list):
        return 2 <= len(first) <= 5 and all(one is None or isinstance(one, int | float) for one in first)
    return isinstance(first, int | float) and len(value) >= 2 * _FEWEST


def _is_point(value: dict) -> bool:
    return {"x", "y"} <= set(value) or isinstance(value.get("position"), dict)


def _is_person(value: dict) -> bool:
    return any(name in value and _has_points(value[name]) for name in _KEYPOINTS)


def _has_points(value: Any) -> bool:
    return value == [] or is_points(value) or isinstance(value, dict)


def _person(where: str, record: dict) -> list[Person]:
    name = next(name for name in _KEYPOINTS if name in record and _has_points(record[name]))
    if record[name] == []:  # OpenPose: hands or a face without a body
        return []
    given = next((record[key] for key in _SCORE_LISTS if isinstance(record.get(key), list)), None)
    keypoints, scores, names = _points(f"{where}, field {name!r}", record[name], given)
    track = next((record[key] for key in _TRACKS if record.get(key) is not None), None)
    return [Person(keypoints, scores, names, _box(where, record), track)]


def _box(where: str, record: dict) -> Any:
    box = record.get("box", record.get("bbox"))
    if isinstance(box, dict) and {"x1", "y1", "x2", "y2"} <= set(box):  # Ultralytics
        return [box[name] for name in ("x1", "y1", "x2", "y2")]
    return box if "bbox_score" in record else None  # MMPose; others mean x, y, width, height, or do not say


def _points(
    where: str, value: Any, scores: Sequence[float] | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...] | None]:
    """Keypoints (K, 2), scores (K,), and their names (K,) where the file has some."""
    names = None
    if isinstance(value, dict) and {"x", "y"} <= set(value):  # Ultralytics: a list of all x, one of all y
        keypoints = np.stack([numbers(where, name, value[name], missing=True) for name in ("x", "y")], -1)
        scores = next((value[name] for name in _SCORES if name in value), scores)
        return *_scored(where, keypoints, scores), None
    if isinstance(value, dict):
        names, value = tuple(map(str, value)), list(value.values())
    if value and isinstance(value[0], dict):
        if names is None and all(isinstance(point.get(key), str) for point in value for key in _name_key(point)):
            names = tuple(point[key] for point in value for key in _name_key(point)) or None
        rows = []
        for point in value:
            place = point.get("position", point)
            rows.append([place.get("x"), place.get("y"), next((point[s] for s in _SCORES if s in point), 1.0)])
        value = rows
    array = numbers(where, "keypoints", value, missing=True)
    if array.ndim == 1:
        pairs = scores is not None and len(array) == 2 * len(scores)
        if len(array) % (2 if pairs else 3):
            raise ValueError(f"{where}: holds {len(array)} numbers, not x, y, score each")
        array = array.reshape(-1, 2 if pairs else 3)
    if array.ndim != 2 or not 2 <= array.shape[1] <= 5:
        raise ValueError(f"{where}: has shape {array.shape}, not (keypoints, 2) or, with scores, (keypoints, 3)")
    if scores is None and array.shape[1] > 2:
        # MediaPipe's points are x, y, z, visibility, and where one leaves out the last, z is negative for some
        scores = array[:, 3] if array.shape[1] > 3 else array[:, 2]
        if array.shape[1] == 3 and len(array) == 33 and (scores < 0).any():
            scores = None
    return *_scored(where, array[:, :2], scores), names


def _name_key(point: dict) -> list[str]:
    return [key for key in _NAMES if isinstance(point.get(key), str)][:1]


def _scored(where: str, keypoints: np.ndarray, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    scores = np.ones(len(keypoints)) if scores is None else numbers(where, "scores", scores, missing=True)
    return keypoints, scores
