"""COCO's results format, and AlphaPose's ``alphapose-results.json``, which is made after it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ...messages import brief
from .detections import DetectionRows, Detections, field, numbers, triples


def read_coco(path: Path, name: str, content: Any, keypoint_set: str = "auto") -> list[Detections]:
    """The people of a COCO results file, a :class:`Detections` a video.

    content: the file's JSON, a list of people: ``image_id`` (a number is the frame; text as AlphaPose's), ``keypoints``
    (x, y, score) * K px, optional ``track_id`` and ``bbox`` (x, y, width, height px).
    Raises ValueError (file, place, field, fix).
    """
    return _read(path, name, content, keypoint_set, track="track_id", box="bbox")


def read_alphapose(path: Path, name: str, content: Any, keypoint_set: str = "auto") -> list[Detections]:
    """The people of an AlphaPose file, a :class:`Detections` a video.

    content: as for :func:`read_coco`, with ``image_id`` the image's name, whose last digits are the frame and whose
    rest is the video; ``idx`` the person's track and ``box`` (x, y, width, height px). AlphaPose without a tracker
    gives everybody the same ``idx``: where one occurs twice in a frame, they count as not given.
    """
    return _read(path, name, content, keypoint_set, track="idx", box="box")


def _read(path: Path, name: str, content: Any, keypoint_set: str, track: str, box: str) -> list[Detections]:
    if isinstance(content, dict):
        what = "annotations" if "annotations" in content else "AlphaPose's 'cmu' or 'open' format"
        raise ValueError(f"{path}: is no list of people; these may be {what}. Give results in COCO's format")
    if not isinstance(content, list) or not content:
        raise ValueError(f"{path}: is no list of people, or an empty one; is the format right?")
    people = []
    for index, record in enumerate(content):
        where = f"person {index} of the file"
        video, frame = _frame_of(f"{path}: {where}", field(f"{path}: {where}", record, "image_id"))
        people.append((video, frame, where, record))
    videos = list(dict.fromkeys(video for video, *_ in people))
    counts = Counter((video, frame, brief(record.get(track))) for video, frame, _, record in people)
    # AlphaPose's only: elsewhere one id twice in a frame is a fault, which is found when tracks are put together.
    untracked = {video for (video, *_), number in counts.items() if number > 1 and track == "idx"}
    rows = {video: DetectionRows(f"{name}/{video}" if len(videos) > 1 else name, path) for video in videos}
    for video, frame, where, record in people:
        here = f"{where} (image_id {brief(record['image_id'])})"
        keypoints, scores = triples(f"{path}: {here}", "keypoints", field(f"{path}: {here}", record, "keypoints"))
        identity = None if video in untracked else record.get(track)
        rows[video].add(here, frame, keypoints, scores, _corners(f"{path}: {here}", box, record.get(box)), identity)
    return [table.finish(keypoint_set) for table in rows.values()]


def _frame_of(where: str, image: Any) -> tuple[str, int]:
    """Video and frame of an image: 'walk/000012.jpg' is frame 12 of 'walk', 7 is frame 7 of ''."""
    if isinstance(image, int) and not isinstance(image, bool):
        return "", image
    digits = re.search(r"^(.*?)(\d{1,18})(\.\w+)?$", image) if isinstance(image, str) else None
    if digits is None:
        raise ValueError(
            f"{where}: field 'image_id' is {brief(image)}; a frame's number or a name that ends in it is needed"
        )
    return digits[1].rstrip("/_-. "), int(digits[2])


def _corners(where: str, name: str, box: Any) -> np.ndarray | None:
    """x1, y1, x2, y2 of x, y, width, height; any other number of numbers is left for the check of the box."""
    if box is None:
        return None
    box = numbers(where, name, box)
    return np.concatenate((box[:2], box[:2] + box[2:])) if box.shape == (4,) else box
