"""Annotation files of COCO's layout: ``images``, ``annotations``, ``categories``; PoseTrack's and CVAT's too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .detections import DetectionRows, Detections, field, integer, triples
from .frame_names import frames_of_names
from .keypoint_choice import KeypointMap


def read_annotations(path: Path, name: str, content: Any, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The annotated people, a :class:`Detections` a video.

    content: the file's JSON. ``annotations`` are people with ``keypoints`` (x, y, v) * K px and ``image_id`` (or
    ``frame_id``), perhaps ``track_id``; v is 0 for what is not there, 1 or 2 (or a score) for what is. ``images`` say
    ``width`` and ``height``, and the frame as ``frame_id`` or by the number in ``file_name``, whose folder is the
    video; ``categories`` the names of the ``keypoints``. Raises ValueError (file, place, field, fix).
    """
    people = content["annotations"]
    if not isinstance(people, list) or not people:
        raise ValueError(f"{path}: field 'annotations' is no list of people, or an empty one")
    images = {image.get("id"): image for image in content.get("images") or () if isinstance(image, dict)}
    names, places = _names(content), _places(path, images)
    rows: dict[str, DetectionRows] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for index, record in enumerate(people):
        where = f"annotation {index}"
        if isinstance(record, dict) and "keypoints" in record and not record["keypoints"]:
            continue
        values, seen = triples(f"{path}: {where}", "keypoints", field(f"{path}: {where}", record, "keypoints"))
        image = images.get(record.get("image_id"), {})
        video, frame = places.get(record.get("image_id")) or ("", _frame(f"{path}: {where}", record))
        if video not in rows:
            rows[video] = DetectionRows(name, path, names if names and len(names) == len(values) else None)
            sizes[video] = _size(f"{path}: image of {where}", image)
            for number in (number for there, number in places.values() if there == video):
                rows[video].list_frame(number)
        found = np.minimum(seen, 1)  # COCO's v of 2: seen, 1: where it is known to be
        rows[video].add(where, frame, values, found, track=record.get("track_id"))
    if not rows:
        raise ValueError(f"{path}: no annotation has keypoints; give the file of persons' keypoints")
    for video, table in rows.items():
        table.name = f"{name}/{video}" if len(rows) > 1 else name
    return [table.finish(keypoint_set, *sizes[video]) for video, table in rows.items()]


def _names(content: dict) -> list[str] | None:
    for category in content.get("categories") or ():
        names = category.get("keypoints") if isinstance(category, dict) else None
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            return names
    return None


def _places(path: Path, images: dict[Any, dict]) -> dict[Any, tuple[str, int]]:
    """Video and frame of each image that has a name, by its id."""
    named = {key: str(image["file_name"]) for key, image in images.items() if "file_name" in image}
    found = frames_of_names([name.removesuffix(Path(name).suffix) for name in named.values()])
    if found is None:
        raise ValueError(f"{path}: some 'file_name' of 'images' has no number of the frame; give it to all")
    places = dict(zip(named, found, strict=True))
    for key, image in images.items():
        if "frame_id" in image:
            number = integer(f"{path}: image {key}", "field 'frame_id'", image["frame_id"])
            places[key] = (places.get(key, ("", 0))[0], number)
    return places


def _frame(where: str, record: dict) -> int:
    for name in ("frame_id", "image_id"):
        if name in record:
            return integer(where, f"field {name!r}", record[name])
    raise ValueError(f"{where}: says neither 'image_id' nor 'frame_id'; a frame is needed")


def _size(where: str, image: dict) -> tuple[int, int]:
    return tuple(integer(where, f"field {name!r}", image.get(name, 0)) for name in ("width", "height"))
