"""Files of MMPose's demos (``results_<video>.json``) and of its inferencers (``<video>.json``)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..limits import LARGEST_IMAGE, check_fps
from ..messages import brief
from ..pose.keypoints import get_keypoint_set
from .detections import DetectionRows, Detections, field, integer, numbers
from .keypoint_choice import KeypointMap


def read_mmpose(path: Path, name: str, content: Any, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people in a video, one :class:`Detections`.

    content: the file's JSON: a list of frames (``frame_id``, ``instances``), which the demos put beside ``meta_info``
    as ``instance_info``. An instance has ``keypoints`` (K, 2) px, ``keypoint_scores`` (K,), and where it is known
    ``bbox`` ((4,) or (1, 4): x1 y1 x2 y2 px) and ``track_id``. Ours say more: ``time`` (s) of each frame, and in
    ``meta_info`` ``fps``, ``image_size`` (width and height, px) and ``keypoint_set``. Raises ValueError (file, place,
    field, fix).
    """
    frames, meta = content, {}
    if isinstance(content, dict):
        frames, meta = field(str(path), content, "instance_info"), content.get("meta_info")
        meta = meta if isinstance(meta, dict) else {}
        if keypoint_set == "auto":
            keypoint_set = _set_of(path, meta)
    if not isinstance(frames, list):
        raise ValueError(f"{path}: field 'instance_info' is no list of frames; is the format right?")
    if frames and isinstance(frames[0], dict) and "frame_id" not in frames[0] and "keypoints" in frames[0]:
        raise ValueError(f"{path}: is the result of a single image; give that of a video")
    times = _times_of(path, frames)
    rows = DetectionRows(name, path)
    for index, frame in enumerate(frames):
        where = f"frame {index} of the file"
        number = integer(f"{path}: {where}", "field 'frame_id'", field(f"{path}: {where}", frame, "frame_id"))
        if times is None:
            rows.list_frame(number)
        instances = field(f"{path}: {where}", frame, "instances")
        if not isinstance(instances, list):
            raise ValueError(f"{path}: {where}: field 'instances' is no list of people; is the format right?")
        for person, instance in enumerate(instances):
            here = f"frame_id {number}, instance {person}"
            keypoints = field(f"{path}: {here}", instance, "keypoints")
            scores = instance.get("keypoint_scores")  # MMPose 0.x writes them as third of x, y, score
            frame_number = number if times is None else index
            rows.add(here, frame_number, keypoints, scores, instance.get("bbox"), instance.get("track_id"))
    found = rows.finish(keypoint_set, *_size_of(path, meta))
    return [replace(found, fps=_fps_of(path, meta, times), times=times)]


def _times_of(path: Path, frames: list) -> np.ndarray | None:
    """(F,) s; None where the frames do not say."""
    said = [frame["time"] for frame in frames if isinstance(frame, dict) and "time" in frame]
    if not said:
        return None
    if len(said) < len(frames):
        raise ValueError(f"{path}: some frames have a field 'time' and others none; give it to all or to none")
    times = numbers(str(path), "time", said)
    if times.ndim != 1:
        raise ValueError(f"{path}: field 'time' of a frame is no number; give seconds")
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        raise ValueError(
            f"{path}: frame {late[0] + 1} of the file: field 'time' is {times[late[0] + 1]:g} s, no later than that of "
            "the frame before; sort the frames, each once"
        )
    return times


def _fps_of(path: Path, meta: dict, times: np.ndarray | None) -> float:
    """What ``meta_info`` says, else the usual rate of the times, else 0."""
    if "fps" not in meta:
        if times is None or len(times) < 2:
            return 0.0
        return check_fps(f"{path}: by the fields 'time'", 1 / float(np.median(np.diff(times))))
    fps = numbers(f"{path}: meta_info", "fps", meta["fps"])
    if fps.ndim:
        raise ValueError(f"{path}: meta_info: field 'fps' is {brief(meta['fps'])}; give frames a second")
    return check_fps(f"{path}: meta_info", float(fps))


def _size_of(path: Path, meta: dict) -> tuple[int, int]:
    """Width and height, px, 0 where ``meta_info`` does not say."""
    if "image_size" not in meta:
        return 0, 0
    size = numbers(f"{path}: meta_info", "image_size", meta["image_size"])
    if size.shape != (2,) or not ((size > 0) & (size <= LARGEST_IMAGE)).all() or (size % 1).any():
        raise ValueError(
            f"{path}: meta_info: field 'image_size' is {brief(meta['image_size'])}; give width and height in px"
        )
    return int(size[0]), int(size[1])


def _set_of(path: Path, meta: dict) -> str:
    """The keypoint set that ``meta_info`` names, 'auto' where it leaves that to the number of keypoints."""
    if "keypoint_set" in meta:
        try:
            return get_keypoint_set(meta["keypoint_set"]).name
        except (KeyError, TypeError):
            raise ValueError(
                f"{path}: meta_info: keypoint_set {brief(meta['keypoint_set'])} is not known; leave it out, or "
                "name the set yourself"
            ) from None
    names = meta.get("keypoint_id2name")
    if not isinstance(names, dict):
        return "auto"
    if meta.get("dataset_name") == "h36m":
        return "h36m_17"
    # Halpe and COCO-WholeBody begin with COCO's keypoints; animals and hands may have as many, but others.
    coco = get_keypoint_set("coco_17").names
    if tuple(names.get(str(index)) for index in range(len(coco))) != coco:
        raise ValueError(
            f"{path}: field 'meta_info': the keypoints of {brief(meta.get('dataset_name'))} are not read; detect with "
            "a model of COCO, COCO-WholeBody, Halpe or Human3.6M keypoints"
        )
    return "auto"
