"""What a page is given of a scene: texts, numbers, and where each array lies in the packed bytes; pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..pose.keypoints import KeypointSet, get_keypoint_set
from ..pose.scene import LiftedPerson, Scene
from .packing import Packer

#: A tenth of a millimetre, and of a pixel.
METRES, PIXELS = 1e-4, 0.1
#: Nobody is larger, no image wider; what a model puts beyond is shown there.
LARGEST_POSE, WIDEST_SHOWN = 20.0, 32_000.0
#: Part of the frames whose lowest keypoint may be below the floor, so that one wild frame lifts nobody.
BELOW_FLOOR = 0.01


def scene_content(scene: Scene, packer: Packer) -> dict[str, Any]:
    """The scene as JSON takes it; its arrays go into ``packer``. ValueError for arrays that do not fit together."""
    frames = len(scene.times)
    if frames == 0:
        raise ValueError(f"scene {scene.name!r} has no frames; there is nothing to show")
    return dict(
        name=scene.name,
        fps=float(scene.fps),
        frames=frames,
        times=packer.exact(np.asarray(scene.times) - scene.times[0]),
        start=float(scene.times[0]),
        width=int(scene.width),
        height=int(scene.height),
        madeBy=scene.made_by,
        notes=list(scene.notes),
        people=[_person(person, frames, packer) for person in scene.people],
    )


def _person(person: LiftedPerson, frames: int, packer: Packer) -> dict[str, Any]:
    _check(person, frames)
    poses = np.asarray(person.keypoints_3d, np.float64)
    content: dict[str, Any] = dict(
        name=person.name,
        skeleton=_skeleton(get_keypoint_set(person.keypoint_set)),
        rows=packer.whole(person.frames),
        poses=packer.measured(poses, METRES, LARGEST_POSE),
        floor=_floor(poses if person.ground_truth is None else person.ground_truth),
        reach=_reach(poses),
    )
    if person.trajectory is not None and np.isfinite(person.trajectory).any():
        content["trajectory"] = packer.exact(person.trajectory)
        content["trajectoryFloor"] = _floor(poses + np.asarray(person.trajectory)[:, None])
    if person.masked is not None and person.masked.any():
        content["masked"] = packer.shares(person.masked)
    if person.spread is not None:
        content["spread"] = packer.measured(person.spread, METRES, LARGEST_POSE)
    if person.ground_truth is not None:
        errors = frame_errors(poses, person.ground_truth)
        content["ground_truth"] = packer.measured(person.ground_truth, METRES, LARGEST_POSE)
        content["errors"] = packer.exact(errors)
        content["meanError"] = float(np.nanmean(errors)) if np.isfinite(errors).any() else None
    if person.keypoints_2d is not None:
        points = np.asarray(person.keypoints_2d, np.float64)
        scores = np.ones(points.shape[:2]) if person.scores_2d is None else person.scores_2d
        content["image"] = dict(
            skeleton=_skeleton(get_keypoint_set(person.keypoint_set_2d or person.keypoint_set)),
            points=packer.measured(points, PIXELS, WIDEST_SHOWN),
            scores=packer.shares(scores),
        )
    return content


def frame_errors(poses: np.ndarray, ground_truth: np.ndarray) -> np.ndarray:
    """MPJPE (N,) in mm of poses (N, K, 3) m over the keypoints of known ground_truth (N, K, 3); NaN where none is."""
    # Its package registers the metric with MMEngine, which pages without ground truth can do without.
    from ..evaluation.pose_error import MILLIMETRES, keypoint_errors

    counted = np.isfinite(ground_truth).all(-1)
    distances = MILLIMETRES * keypoint_errors(poses, ground_truth, counted, names=("mpjpe",))["mpjpe"]
    known = np.isfinite(distances)
    sums = np.where(known, distances, 0).sum(1)
    return np.divide(sums, known.sum(1), out=np.full(len(sums), np.nan), where=known.any(1))


def _skeleton(keypoints: KeypointSet) -> dict[str, Any]:
    sides = {i: "left" for i in keypoints.left} | {i: "right" for i in keypoints.right}
    return dict(
        names=[name.replace("_", " ") for name in keypoints.names],
        parents=list(keypoints.parents),
        sides=[sides.get(i, "middle") for i in range(len(keypoints))],
    )


def _floor(poses: np.ndarray) -> float:
    """Height (y down, m) that the lowest keypoint of all but a few frames is at or above."""
    lowest = np.where(np.isfinite(poses[..., 1]), poses[..., 1], -np.inf).max(1, initial=-np.inf)
    lowest = lowest[np.isfinite(lowest)]
    return float(np.quantile(lowest, 1 - BELOW_FLOOR)) if len(lowest) else 0.0


def _reach(poses: np.ndarray) -> float:
    """How far to a side of the pelvis a person goes, m, but for a few frames."""
    sideways = np.nanmax(np.where(np.isfinite(poses), np.abs(poses), 0)[..., [0, 2]], axis=(1, 2), initial=0)
    return float(np.quantile(sideways, 1 - BELOW_FLOOR)) if len(sideways) else 0.0


def _check(person: LiftedPerson, frames: int) -> None:
    """ValueError that names the person and field where shapes do not fit; a page that fails in a browser says less."""
    rows, keypoints = len(person.frames), len(get_keypoint_set(person.keypoint_set))
    keypoints_2d = len(get_keypoint_set(person.keypoint_set_2d or person.keypoint_set))
    shapes = dict(
        keypoints_3d=(rows, keypoints, 3),
        trajectory=(rows, 3),
        masked=(rows, keypoints),
        spread=(rows, keypoints),
        ground_truth=(rows, keypoints, 3),
        keypoints_2d=(rows, keypoints_2d, 2),
        scores_2d=(rows, keypoints_2d),
    )
    for name, shape in shapes.items():
        value = getattr(person, name)
        if value is not None and np.shape(value) != shape:
            raise ValueError(f"person {person.name!r}: {name} has the shape {np.shape(value)}, and not {shape}")
    if rows and not (person.frames[0] >= 0 and person.frames[-1] < frames and (np.diff(person.frames) > 0).all()):
        raise ValueError(f"person {person.name!r}: frames must rise from 0 to at most {frames - 1}, the scene's last")
