"""JSON as MMPose's demos and inferencers write it, of 3D and of 2D."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_file import write_atomically
from ..pose.keypoints import COCO_17, get_keypoint_set
from ..pose.scene import LiftedPerson, Scene


def write_json(path: str | Path, scene: Scene) -> Path:
    """MMPose's layout of 3D results, as its demos write it: ``meta_info`` and, frame by frame, ``instance_info``.

    keypoints are m in MMPose's axes: x to the camera's left, y away from it, z up, the lowest keypoint of each pose at
    z = 0. Beside MMPose's fields a frame has its time (s), and an instance has track_id, bbox (px), keypoints_2d (px),
    keypoint_scores_2d, masked, and spread (m), trajectory (m, camera axes), trajectory_spread (m, of its depth) and
    misfit (of the 3D from the 2D) where they are known; ``meta_info`` has the median misfit of each person.
    """
    meta = _meta(scene, scene.people[0].keypoint_set if scene.people else "h36m_17")
    meta["keypoints_space"] = "m; x left, y away, z up from the lowest keypoint"
    meta["notes"] = scene.notes
    medians = {person.name: _median(person.misfit) for person in scene.people if person.misfit is not None}
    meta["misfit"] = {name: value for name, value in medians.items() if value is not None}
    return _write_frames(path, meta, scene, _instance_3d)


def write_scene_2d(path: str | Path, scene: Scene) -> Path:
    """The 2D alone in MMPose's layout, which ``demo/keypoints_to_3d.py`` reads.

    Nothing is rounded, and ``meta_info`` has the rate, the size of the images and the keypoint set, so that the same 3D
    is lifted from the file.
    """
    meta = _meta(scene, scene.people[0].keypoint_set_2d if scene.people else COCO_17.name)
    return _write_frames(path, meta, scene, _instance_2d)


def mmpose_axes(poses: np.ndarray) -> np.ndarray:
    """Camera axes (..., K, 3) m to MMPose's for 3D results: x left, y away, z up, the lowest keypoint at z = 0."""
    turned = poses[..., [0, 2, 1]] * np.array([-1, 1, -1], poses.dtype)
    turned[..., 2] -= turned[..., 2].min(axis=-1, keepdims=True)
    return turned


def _meta(scene: Scene, keypoint_set: str) -> dict[str, Any]:
    names = get_keypoint_set(keypoint_set).names
    # MMPose's names of these sets tell readers which keypoints they are.
    known = {"h36m_17": "h36m", "coco_17": "coco", "halpe_26": "halpe26"}
    meta: dict[str, Any] = dict(dataset_name=known.get(keypoint_set, keypoint_set), num_keypoints=len(names))
    if names[: len(COCO_17)] == COCO_17.names or keypoint_set == "h36m_17":
        meta["keypoint_id2name"] = {str(index): name for index, name in enumerate(names)}
    meta |= dict(keypoint_set=keypoint_set, keypoint_names=list(names), fps=scene.fps, made_by=scene.made_by)
    if scene.width and scene.height:
        meta |= dict(image_size=[scene.width, scene.height])
    return meta


def _instance_3d(person: LiftedPerson, row: int) -> dict[str, Any] | None:
    poses = person.keypoints_3d
    if not np.isfinite(poses[row]).all():
        return None
    instance: dict[str, Any] = dict(
        keypoints=_round(mmpose_axes(poses[row]), 5), keypoint_scores=[1.0] * poses.shape[1]
    )
    if person.masked is not None:
        instance["masked"] = person.masked[row].tolist()
    for name, digits in (("spread", 5), ("trajectory", 4), ("trajectory_spread", 4), ("misfit", 4)):
        values = getattr(person, name)
        if values is not None and np.isfinite(values[row]).all():  # JSON has no NaN
            instance[name] = _round(values[row], digits)
    if person.keypoints_2d is not None and person.scores_2d is not None:
        instance["keypoints_2d"] = _round(np.nan_to_num(person.keypoints_2d[row]), 3)
        instance["keypoint_scores_2d"] = _round(person.scores_2d[row], 4)
        instance["bbox"] = _box(person, row)
    return instance | _id(person)


def _instance_2d(person: LiftedPerson, row: int) -> dict[str, Any]:
    keypoints, scores = _exact(np.nan_to_num(person.keypoints_2d[row])), _exact(person.scores_2d[row])
    return dict(keypoints=keypoints, keypoint_scores=scores, bbox=_box(person, row)) | _id(person)


def _id(person: LiftedPerson) -> dict[str, Any]:
    return dict(track_id=int(person.name) if person.name.isdecimal() else person.name)


def _box(person: LiftedPerson, row: int) -> list:
    """[[x1, y1, x2, y2]] px around the keypoints that were found."""
    found = person.keypoints_2d[row][person.scores_2d[row] > 0]
    box = np.concatenate((found.min(0), found.max(0))) if len(found) else np.zeros(4)
    return _round(box[None], 2)


def _write_frames(
    path: str | Path, meta: dict[str, Any], scene: Scene, instance: Callable[[LiftedPerson, int], dict[str, Any] | None]
) -> Path:
    """Write frame by frame, because all of a long video as Python's objects takes gigabytes."""

    def lines() -> Iterator[str]:
        rows = [{int(frame): row for row, frame in enumerate(person.frames)} for person in scene.people]
        for frame in range(len(scene.times)):
            there = (instance(scene.people[index], row[frame]) for index, row in enumerate(rows) if frame in row)
            instances = [one for one in there if one is not None]
            yield json.dumps(dict(frame_id=frame, time=float(scene.times[frame]), instances=instances))

    def write(file: Path) -> None:
        with open(file, "w", encoding="utf-8") as text:
            text.write(f'{{"meta_info": {json.dumps(meta)},\n"instance_info": [\n')
            for index, line in enumerate(lines()):
                text.write(",\n" * (index > 0) + line)
            text.write("\n]}\n")

    return write_atomically(path, write)


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if len(known) else None


def _round(array: np.ndarray, digits: int) -> list:
    # Through float64, or the file has float32's digits.
    return np.round(np.asarray(array, np.float64), digits).tolist()


def _exact(array: np.ndarray) -> list:
    """The shortest digits that are read as the same float32."""
    return np.asarray(array, np.float32).astype(str).astype(np.float64).tolist()
