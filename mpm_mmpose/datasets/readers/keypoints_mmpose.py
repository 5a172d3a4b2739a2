"""Files of MMPose's demos (``results_<video>.json``) and of its inferencers (``<video>.json``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...keypoints import get_keypoint_set
from .detections import DetectionRows, Detections, field, integer


def read_mmpose(path: Path, name: str, content: Any, keypoint_set: str = "auto") -> list[Detections]:
    """The people in a video, one :class:`Detections`.

    content: the file's JSON: a list of frames (``frame_id``, ``instances``), which the demos put beside ``meta_info``
    as ``instance_info``. An instance has ``keypoints`` (K, 2) px, ``keypoint_scores`` (K,), and where it is known
    ``bbox`` ((4,) or (1, 4): x1 y1 x2 y2 px) and ``track_id``. Raises ValueError (file, place, field, fix).
    """
    frames = content
    if isinstance(content, dict):
        frames = field(str(path), content, "instance_info")
        if keypoint_set == "auto":
            keypoint_set = _set_of(path, content.get("meta_info"))
    if not isinstance(frames, list):
        raise ValueError(f"{path}: field 'instance_info' is no list of frames; is the format right?")
    if frames and isinstance(frames[0], dict) and "frame_id" not in frames[0] and "keypoints" in frames[0]:
        raise ValueError(f"{path}: is the result of a single image; give that of a video")
    rows = DetectionRows(name, path)
    for index, frame in enumerate(frames):
        where = f"frame {index} of the file"
        number = integer(f"{path}: {where}", "field 'frame_id'", field(f"{path}: {where}", frame, "frame_id"))
        instances = field(f"{path}: {where}", frame, "instances")
        if not isinstance(instances, list):
            raise ValueError(f"{path}: {where}: field 'instances' is no list of people; is the format right?")
        for person, instance in enumerate(instances):
            here = f"frame_id {number}, instance {person}"
            keypoints, scores = (field(f"{path}: {here}", instance, n) for n in ("keypoints", "keypoint_scores"))
            rows.add(here, number, keypoints, scores, instance.get("bbox"), instance.get("track_id"))
    return [rows.finish(keypoint_set)]


def _set_of(path: Path, meta: Any) -> str:
    """The keypoint set that ``meta_info`` names, 'auto' where it leaves that to the number of keypoints."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not isinstance(names, dict):
        return "auto"
    if meta.get("dataset_name") == "h36m":
        return "h36m_17"
    # Halpe and COCO-WholeBody begin with COCO's keypoints; animals and hands may have as many, but others.
    coco = get_keypoint_set("coco_17").names
    if tuple(names.get(str(index)) for index in range(len(coco))) != coco:
        raise ValueError(
            f"{path}: field 'meta_info': the keypoints of {meta.get('dataset_name')!r} are not read; detect with a "
            "model of COCO, COCO-WholeBody, Halpe or Human3.6M keypoints"
        )
    return "auto"
