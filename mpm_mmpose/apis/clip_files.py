"""Files that hold poses of several clips, opened to take one: dumps of an evaluation, our results, pose stores."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import numpy as np

from ..data.pose_store import PoseStore
from ..formats.arrays import read_scene
from ..formats.result_file import read_arrays
from ..pose.geometry import root_relative
from ..pose.keypoints import COMMON_16, H36M_17, MPI_INF_3DHP_17, MPI_INF_3DHP_28, get_keypoint_set
from ..pose.scene import LiftedPerson, Scene
from ..readers.archives import npz_fields

_DUMPED = ("prediction", "ground_truth", "counted", "keypoints")


class ClipFile(Protocol):
    """A file with clips by name; `clip` gives one of them as a scene of one person."""

    path: Path
    names: Sequence[str]

    def clip(self, name: str) -> Scene:
        """The clip called ``name``; its fps is NaN, its width and height 0, where the file does not say them."""


class Dump:
    """What ``PoseErrorMetric(dump=...)`` wrote: predictions and ground truth by sequence, without 2D and rate."""

    def __init__(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        self.path, self._arrays = path, arrays
        self._keypoint_set = _set_of(path, tuple(arrays["keypoints"].tolist()))
        shape = (len(arrays["ground_truth"]), len(arrays["keypoints"]), 3)
        for name in ("prediction", "ground_truth", "counted", "masked", "sequence", "frame"):
            wanted = (
                shape if name in ("prediction", "ground_truth") else shape[: 1 if name in ("sequence", "frame") else 2]
            )
            if name in arrays and arrays[name].shape != wanted:
                raise ValueError(f"{path}: {name} has shape {arrays[name].shape}, not {wanted}; write it again")
        if not shape[0]:
            raise ValueError(f"{path}: holds no poses; give another evaluation's")
        if {"sequence", "frame", "sequences"} <= set(arrays):
            there = np.unique(arrays["sequence"])
            if there[-1] >= len(arrays["sequences"]):
                raise ValueError(f"{path}: sequence has {there[-1]}, of {len(arrays['sequences'])}; write it again")
            self.names = tuple(arrays["sequences"][there].tolist())
            self._ids = dict(zip(self.names, there.tolist(), strict=True))
        else:
            self.names, self._ids = (path.stem,), None

    def clip(self, name: str) -> Scene:
        """The poses of a sequence, each frame of the first window that holds it. Ground truth that did not
        count is NaN.
        """
        arrays = self._arrays
        if self._ids is None:
            rows = frames = np.arange(len(arrays["ground_truth"]))
        else:
            rows = np.flatnonzero(arrays["sequence"] == self._ids[name])
            frames, first = np.unique(arrays["frame"][rows], return_index=True)
            rows = rows[first]
        ground_truth = np.where(arrays["counted"][rows, :, None], arrays["ground_truth"][rows], np.nan)
        person = LiftedPerson(
            name,
            self._keypoint_set,
            frames,
            arrays["prediction"][rows],
            masked=arrays["masked"][rows] if "masked" in arrays else None,
            ground_truth=ground_truth,
        )
        return Scene(name, [person], frames / 1.0, float("nan"))


class Results:
    """What an inference left as .npz: the people of one recording, each a clip."""

    def __init__(self, path: Path) -> None:
        self.path, self._scene = path, read_scene(path)
        self.names = tuple(person.name for person in self._scene.people)
        if not self.names:
            raise ValueError(f"{path}: there is nobody in it; give a file with 3D poses")

    def clip(self, name: str) -> Scene:
        """The person called ``name``."""
        scene = self._scene
        person = scene.people[self.names.index(name)]
        return Scene(scene.name, [person], scene.times, scene.fps, scene.width, scene.height)


class Store:
    """A pose store, whose 3D is the ground truth."""

    def __init__(self, path: Path) -> None:
        self.path, self._store = path, PoseStore(path)
        self.names = self._store.names
        if self._store.keypoints_3d is None:
            raise ValueError(f"{path}: this store has no 3D; give one that has")

    def clip(self, name: str) -> Scene:
        """The sequence called ``name``, relative to its root."""
        poses = self._store.sequence(self.names.index(name))
        root = get_keypoint_set(poses.keypoint_set).root
        ground_truth = root_relative(poses.keypoints_3d, root)
        person = LiftedPerson(
            name,
            poses.keypoint_set,
            np.arange(len(ground_truth)),
            ground_truth,
            keypoints_2d=poses.keypoints,
            scores_2d=poses.keypoint_scores,
            keypoint_set_2d=poses.keypoint_set,
            ground_truth=ground_truth,
        )
        return Scene(name, [person], np.arange(len(ground_truth)) / poses.fps, poses.fps, poses.width, poses.height)


def _set_of(path: Path, names: tuple[str, ...]) -> str:
    """The keypoint set with these names, of those that have 3D."""
    for keypoints in (H36M_17, COMMON_16, MPI_INF_3DHP_17, MPI_INF_3DHP_28):
        if keypoints.names == names:
            return keypoints.name
    raise ValueError(
        f"{path}: its keypoints ({', '.join(name[:40] for name in names[:3])}, ...) are those of no known set with 3D"
    )


def open_clips(path: Path) -> ClipFile:
    """The clips of a file or store. Raises ValueError (file, field, fix) for what holds none."""
    if path.is_dir():
        return Store(path)
    if "prediction" not in npz_fields(path):
        return Results(path)
    return Dump(path, read_arrays(path, _DUMPED, ("masked", "sequence", "frame", "sequences")))


def find_clip(file: ClipFile, name: str) -> str:
    """``name`` where the file has it; ValueError with the nearest of its names where not."""
    if name in file.names:
        return name
    near = get_close_matches(name, file.names, n=3, cutoff=0.4) or file.names[:5]
    raise ValueError(f"{file.path}: has no clip {name!r}; it has {', '.join(near)}{', ...' * (len(file.names) > 5)}")
