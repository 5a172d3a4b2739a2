"""OpenPose's folders (``--write_json``): one file per frame, ``<video>_<frame>_keypoints.json``."""

from __future__ import annotations

from pathlib import Path

from .detections import DetectionRows, Detections, field, triples
from .frame_names import frames_of_names
from .json_file import read_json
from .keypoint_choice import KeypointMap

SUFFIX = "_keypoints.json"


def read_openpose(folder: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people in the files of one folder, a :class:`Detections` a video.

    A file has ``people``, each with ``pose_keypoints_2d`` (``pose_keypoints`` before OpenPose 1.3): (x, y, score) * 25,
    or * 18 with ``--model_pose COCO``, zeros for what was not found, and ``person_id``, -1 without tracking.
    Raises ValueError or OSError (file, place, field, fix).
    """
    files = sorted(file for file in folder.iterdir() if file.name.endswith(SUFFIX))
    if not files:
        raise ValueError(f"{folder}: holds no files *{SUFFIX}; give the folder that OpenPose's --write_json wrote")
    videos: dict[str, list[tuple[int, Path]]] = {}
    places = frames_of_names([file.name.removesuffix(SUFFIX) for file in files])
    if places is None:
        file = next(file for file in files if not any(map(str.isdecimal, file.name)))
        raise ValueError(f"{file}: the name does not say the frame; <video>_<frame>{SUFFIX} is expected")
    for file, (video, frame) in zip(files, places, strict=True):
        videos.setdefault(video, []).append((frame, file))
    return [
        _read_video(folder, f"{name}/{video}" if len(videos) > 1 else name, frames, keypoint_set)
        for video, frames in videos.items()
    ]


def _read_video(folder: Path, name: str, frames: list[tuple[int, Path]], keypoint_set: str | KeypointMap) -> Detections:
    rows = DetectionRows(name, folder)
    for frame, file in frames:
        rows.list_frame(frame)
        people = field(str(file), read_json(file), "people")
        if not isinstance(people, list):
            raise ValueError(f"{file}: field 'people' is no list; is the format right?")
        for index, person in enumerate(people):
            where = f"{file.name}, person {index}"
            old = isinstance(person, dict) and "pose_keypoints_2d" not in person and "pose_keypoints" in person
            value = person["pose_keypoints"] if old else field(f"{folder}: {where}", person, "pose_keypoints_2d")
            if value == []:  # hands or a face without a body
                continue
            keypoints, scores = triples(f"{folder}: {where}", "pose_keypoints_2d", value)
            rows.add(where, frame, keypoints, scores, track=person.get("person_id"))
    return rows.finish(keypoint_set)
