"""Lists of frames with people in them, of any program: in one file, or one file per frame in a folder.

Ultralytics' ``tojson`` and ``summary``, MediaPipe's landmarks, dumps of what MMPose's inferencers return, PoseFlow,
ControlNet and ComfyUI, Pose2Sim and RTMLib, pose detectors of browsers; see :mod:`.keypoints_people` for the people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..limits import is_fps
from .detections import DetectionRows, Detections, integer, numbers
from .frame_names import frames_of_names
from .json_file import read_json
from .keypoint_choice import KeypointMap
from .keypoints_people import Person, is_points, people_of

_NUMBERS = ("frame_id", "frame_index", "frame_number", "frame_num", "frame", "index")
_SIZES = (("width", "height"), ("canvas_width", "canvas_height"), ("image_width", "image_height"))
#: A list of people without a frame is one image where there are so few.
_MOST_IN_AN_IMAGE = 20


def read_frames(path: Path, name: str, content: Any, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of a file, a :class:`Detections`.

    content: the file's JSON: a list of frames; or a table with such a list as ``frames`` and perhaps ``fps``, ``width``
    and ``height``; or a table of frames by the names of their images. Raises ValueError (file, place, field, fix).
    """
    meta = {}
    if isinstance(content, dict) and isinstance(content.get("frames"), list | dict):
        meta, content = content, content["frames"]
    if isinstance(content, dict) and all(re.search("[0-9]", str(key)) for key in content):
        names = [str(key) for key in content]
        places = frames_of_names([name.removesuffix(Path(name).suffix) for name in names]) or frames_of_names(names)
        frames = [(number, f"frame {name!r}", content[name]) for name, (_, number) in zip(names, places, strict=True)]
    elif isinstance(content, dict):
        frames = [(_number_in_name(path), "the file", content)]
    elif isinstance(content, list):
        frames = list(_numbered(path, content))
    else:
        raise ValueError(f"{path}: is {type(content).__name__}, where a list of frames is expected")
    return [_read(path, name, frames, meta, keypoint_set)]


def is_frame(content: Any) -> bool:
    """Whether JSON is the people of one frame, and not a list of frames or of people with the frames they are in."""
    if isinstance(content, dict):
        return any(isinstance(content.get(name), list) for name in ("people", "predictions", "instances", "landmarks"))
    if not isinstance(content, list) or not content:
        return content == []
    first = content[0]
    if isinstance(first, dict):
        return "keypoints" in first and "image_id" not in first and not any(name in first for name in _NUMBERS)
    return is_points(content) or (
        isinstance(first, list) and bool(first) and isinstance(first[0], dict) and len(content) == 1
    )


def read_frame_files(
    folder: Path, files: Iterable[Path], name: str, keypoint_set: str | KeypointMap = "auto"
) -> list[Detections]:
    """The people of a folder in which every file is a frame, one :class:`Detections` per video.

    A file is called ``<video>_<frame>.json`` or alike: the last number is the frame, what is before it the video.
    """
    videos: dict[str, list[tuple[int, str, Any]]] = {}
    files = sorted(files)
    places = frames_of_names([file.stem for file in files])
    if places is None:
        raise ValueError(f"{folder}: some name of a file does not say the frame; <video>_<frame>.json is expected")
    for file, (video, frame) in zip(files, places, strict=True):
        videos.setdefault(video, []).append((frame, file.name, read_json(file)))
    return [
        _read(folder, f"{name}/{video}" if len(videos) > 1 else name, frames, {}, keypoint_set)
        for video, frames in videos.items()
    ]


def _numbered(path: Path, frames: list) -> Iterator[tuple[int, str, Any]]:
    """Number, place in the file and content of each frame."""
    if frames and all(isinstance(frame, str) for frame in frames):  # Ultralytics' tojson gives text
        try:
            frames = [json.loads(frame) for frame in frames]
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: is a list of text that is no JSON ({error}); is it the right file?") from None
    if is_points(frames) or _is_image(frames):
        if len(frames) > _MOST_IN_AN_IMAGE and not is_points(frames):
            raise ValueError(
                f"{path}: is a list of {len(frames)} people without frames; put a list around the people of each "
                "frame, or give each a field 'frame_id'"
            )
        yield _number_in_name(path), "the file", frames
        return
    for index, frame in enumerate(frames):
        number = next((frame[key] for key in _NUMBERS if key in frame), index) if isinstance(frame, dict) else index
        where = f"frame {index} of the file"
        yield integer(f"{path}: {where}", "the frame's number", number), where, frame


def _is_image(frames: list) -> bool:
    return bool(frames) and all(
        isinstance(one, dict) and "keypoints" in one and not any(name in one for name in _NUMBERS) for one in frames
    )


def _number_in_name(path: Path) -> int:
    digits = re.search(r"(\d{1,18})\D*$", path.stem)
    return int(digits[1]) if digits else 0


def _read(
    path: Path, name: str, frames: list[tuple[int, str, Any]], meta: dict, keypoint_set: str | KeypointMap
) -> Detections:
    rows = DetectionRows(name, path)
    for number, where, content in frames:
        rows.list_frame(number)
        for person in people_of(f"{path}: {where}", content):
            keypoints, scores = _ordered(f"{path}: {where}", rows, person)
            rows.add(where, number, keypoints, scores, person.box, person.track)
    first = next((content for _, _, content in frames if isinstance(content, dict)), {})
    width, height = _size(str(path), {**first, **meta})
    found = rows.finish(keypoint_set, width, height)
    fps = meta.get("fps", 0)
    return replace(found, fps=float(fps)) if isinstance(fps, int | float) and is_fps(fps) else found


def _ordered(where: str, rows: DetectionRows, person: Person) -> tuple[Any, Any]:
    """Keypoints and scores in the order of the first person of the file, where they have names."""
    if not rows.rows:
        rows.names = person.names
    if person.names == rows.names:
        return person.keypoints, person.scores
    if person.names is None or rows.names is None or not set(person.names) <= set(rows.names):
        raise ValueError(
            f"{where}: its keypoints have other names than those before; give one detector's result per file"
        )
    places = [person.names.index(name) if name in person.names else -1 for name in rows.names]
    there = [place >= 0 for place in places]
    return person.keypoints[places] * [[1 if one else float("nan")] for one in there], person.scores[places] * there


def _size(where: str, meta: dict) -> tuple[int, int]:
    for names in _SIZES:
        if all(isinstance(meta.get(name), int | float) and not isinstance(meta[name], bool) for name in names):
            width, height = (float(numbers(where, name, meta[name])) for name in names)
            if width > 0 and height > 0:
                return int(width), int(height)
    return 0, 0
