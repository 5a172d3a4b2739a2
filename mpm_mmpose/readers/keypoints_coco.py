"""COCO's results format, and AlphaPose's ``alphapose-results.json``, which is made after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..messages import brief
from .detections import DetectionRows, Detections, field, numbers, triples
from .frame_names import frames_of_names
from .keypoint_choice import KeypointMap


def read_coco(path: Path, name: str, content: Any, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of a COCO results file, a :class:`Detections` a video.

    content: the file's JSON, a list of people: ``image_id`` (a number is the frame; text as AlphaPose's), ``keypoints``
    (x, y, score) * K px, optional ``track_id`` and ``bbox`` (x, y, width, height px).
    Raises ValueError (file, place, field, fix).
    """
    return _read(path, name, content, keypoint_set, track="track_id", box="bbox")


def read_alphapose(path: Path, name: str, content: Any, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of an AlphaPose file, a :class:`Detections` a video.

    content: as for :func:`read_coco`, with ``image_id`` the image's name, whose number is the frame and whose rest is
    the video (:func:`~mpm_mmpose.readers.frame_names.frames_of_names`); ``idx`` the person's track and ``box``
    (x, y, width, height px).
    """
    return _read(path, name, content, keypoint_set, track="idx", box="box")


def _read(
    path: Path, name: str, content: Any, keypoint_set: str | KeypointMap, track: str, box: str
) -> list[Detections]:
    if isinstance(content, dict):
        raise ValueError(f"{path}: is no list of people; leave the format out, or give results in COCO's format")
    if not isinstance(content, list) or not content:
        raise ValueError(f"{path}: is no list of people, or an empty one; is the format right?")
    places = _places(path, content)
    videos = list(dict.fromkeys(video for video, _ in places))
    rows = {video: DetectionRows(f"{name}/{video}" if len(videos) > 1 else name, path) for video in videos}
    for index, ((video, frame), record) in enumerate(zip(places, content, strict=True)):
        here = f"person {index} of the file (image_id {brief(record['image_id'])})"
        keypoints, scores = triples(f"{path}: {here}", "keypoints", field(f"{path}: {here}", record, "keypoints"))
        corners = _corners(f"{path}: {here}", box, record.get(box))
        rows[video].add(here, frame, keypoints, scores, corners, record.get(track))
    return [table.finish(keypoint_set) for table in rows.values()]


def _places(path: Path, content: list) -> list[tuple[str, int]]:
    """Video and frame of each person's image: 'walk/000012.jpg' is frame 12 of 'walk', 7 is frame 7 of ''."""
    images = [field(f"{path}: person {index} of the file", record, "image_id") for index, record in enumerate(content)]
    if all(isinstance(image, int) and not isinstance(image, bool) for image in images):
        return [("", image) for image in images]
    for index, image in enumerate(images):
        if isinstance(image, bool) or not isinstance(image, int | str) or not any(map(str.isdecimal, str(image))):
            raise ValueError(
                f"{path}: person {index} of the file: field 'image_id' is {brief(image)}; a frame's number or a name "
                "that has one is needed"
            )
    names = list(dict.fromkeys(str(image) for image in images))
    suffixes = (Path(name).suffix for name in names)
    bare = [
        name.removesuffix(suffix) if not suffix[1:].isdecimal() else name
        for name, suffix in zip(names, suffixes, strict=True)
    ]
    frames = frames_of_names(bare)
    if frames is None:
        raise ValueError(f"{path}: some names of images ('image_id') have no number of the frame; give it to all")
    place = dict(zip(names, frames, strict=True))
    return [place[str(image)] for image in images]


def _corners(where: str, name: str, box: Any) -> np.ndarray | None:
    """x1, y1, x2, y2 of x, y, width, height; any other number of numbers is left for the check of the box."""
    if box is None:
        return None
    box = numbers(where, name, box)
    return np.concatenate((box[:2], box[:2] + box[2:])) if box.shape == (4,) else box
