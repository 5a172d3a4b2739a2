"""A scene as plain arrays in one .npz file, and back."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_file import write_atomically
from ..limits import check_fps
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson, Scene
from .result_file import read_arrays

AXES = "m; camera axes: x right, y down, z away"
_NEEDED = ("person", "frame", "keypoints_3d", "keypoint_set")
#: Of LiftedPerson, in the file where they are known of everybody.
_OPTIONAL = (
    "masked",
    "spread",
    "trajectory",
    "trajectory_spread",
    "keypoints_2d",
    "scores_2d",
    "ground_truth",
    "misfit",
)
_READ = (*_NEEDED, *_OPTIONAL, "fps", "notes", "made_by", "width", "height", "frame_times", "keypoint_set_2d")


def write_npz(path: str | Path, scene: Scene) -> Path:
    """All people row by row, N rows, as plain arrays.

    person (N,) text, frame (N,), time (N,) s; keypoints_3d (N, K, 3) root-relative m, camera axes (x right, y down, z
    away), NaN where there is none; masked (N, K); where they are known spread (N, K) m, trajectory (N, 3) m,
    trajectory_spread (N,) m of its depth, ground_truth (N, K, 3) m and misfit (N,) of the 3D from the 2D; keypoints_2d
    (N, K', 2) px and scores_2d (N, K'); frame_times (F,) s of all frames; keypoint_set, keypoint_names,
    keypoint_set_2d, axes, fps, width, height, made_by, notes. Raises ValueError for people of several keypoint sets.
    """
    people = scene.people
    sets = sorted({person.keypoint_set for person in people})
    if len(sets) > 1:
        raise ValueError(f"{path}: people of several keypoint sets ({', '.join(sets)}); write them to a file each")
    arrays: dict[str, Any] = dict(
        fps=scene.fps,
        notes=np.array(scene.notes, dtype=str),
        frame_times=scene.times,
        axes=AXES,
        made_by=scene.made_by,
        width=scene.width,
        height=scene.height,
    )
    if people:
        frames = np.concatenate([person.frames for person in people])
        arrays |= dict(
            person=np.repeat([person.name for person in people], [len(person.frames) for person in people]),
            frame=frames,
            time=scene.times[frames],
            keypoints_3d=np.concatenate([person.keypoints_3d for person in people]),
            keypoint_set=people[0].keypoint_set,
            keypoint_names=np.array(get_keypoint_set(people[0].keypoint_set).names),
        )
        if people[0].keypoint_set_2d is not None:
            arrays["keypoint_set_2d"] = people[0].keypoint_set_2d
        for name in _OPTIONAL:
            if all(getattr(person, name) is not None for person in people):
                arrays[name] = np.concatenate([getattr(person, name) for person in people])

    whole = BytesIO()  # numpy leaves a file that it could not end open, and adds .npz to a name that does not end so
    np.savez_compressed(whole, **arrays)
    return write_atomically(path, lambda file: file.write_bytes(whole.getbuffer()))


def read_scene(path: str | Path) -> Scene:
    """The scene of a file of :func:`write_npz`, of this version or an older one; called as the file.

    Raises ValueError (file, field, fix) for a file that is damaged or not of this kind, OSError where it cannot be
    read. Nothing in it is unpickled.
    """
    path = Path(path)
    arrays = read_arrays(path, ["fps"], [name for name in _READ if name != "fps"])
    fps = check_fps(str(path), float(arrays["fps"]))
    notes = [str(note) for note in arrays.get("notes", [])]
    made_by = str(arrays.get("made_by", ""))
    size = dict(width=int(arrays.get("width", 0)), height=int(arrays.get("height", 0)))
    if "person" not in arrays and "frame_times" in arrays:  # nobody was found
        return Scene(path.stem, [], arrays["frame_times"], fps, made_by=made_by, notes=notes, **size)
    _check(path, arrays)
    last = int(arrays["frame"].max()) if len(arrays["frame"]) else -1
    times = arrays.get("frame_times", np.arange(last + 1) / fps)
    if not (np.diff(times) > 0).all():
        raise ValueError(f"{path}: frame_times do not rise; write the file again")
    if last >= len(times):
        raise ValueError(f"{path}: frame has {last}, but frame_times only {len(times)} frames; write the file again")
    names, first, of = np.unique(arrays["person"], return_index=True, return_inverse=True)
    rows_of = np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of.ravel(), minlength=len(names)))[:-1])
    people = []
    for number in np.argsort(first):
        name, rows = names[number], rows_of[number]
        if not (np.diff(arrays["frame"][rows].astype(np.int64)) > 0).all():
            raise ValueError(f"{path}: frame does not rise in the rows of person {name!s:.60}; write the file again")
        people.append(
            LiftedPerson(
                name=str(name),
                keypoint_set=str(arrays["keypoint_set"]),
                frames=arrays["frame"][rows],
                keypoints_3d=arrays["keypoints_3d"][rows],
                keypoint_set_2d=str(arrays["keypoint_set_2d"]) if "keypoint_set_2d" in arrays else None,
                **{field: arrays[field][rows] for field in _OPTIONAL if field in arrays},
            )
        )
    return Scene(path.stem, people, times, fps, made_by=made_by, notes=notes, **size)


def _check(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if missing := [name for name in _NEEDED if name not in arrays]:
        raise ValueError(f"{path}: has no {', '.join(missing)}; give an .npz that this package wrote of 3D results")
    try:
        number = len(get_keypoint_set(str(arrays["keypoint_set"])))
        number_2d = len(get_keypoint_set(str(arrays.get("keypoint_set_2d", arrays["keypoint_set"]))))
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]}") from None
    rows = len(arrays["person"])
    shapes = dict(keypoints_3d=(rows, number, 3), ground_truth=(rows, number, 3), trajectory=(rows, 3))
    shapes |= dict(masked=(rows, number), spread=(rows, number), scores_2d=(rows, number_2d))
    shapes |= dict(keypoints_2d=(rows, number_2d, 2))
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise ValueError(f"{path}: {name} has shape {arrays[name].shape}, not {shape}; write it again")
    for name in ("frame", *_OPTIONAL):
        if name in arrays and len(arrays[name]) != len(arrays["person"]):
            raise ValueError(
                f"{path}: {name} has {len(arrays[name])} rows, person {len(arrays['person'])}; write it again"
            )
