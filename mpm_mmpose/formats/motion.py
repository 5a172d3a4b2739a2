"""People of a scene as joint angles on a level floor, which every format of skeletons writes in its own way."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..pose.scene import LiftedPerson, Scene
from .files import paths_of
from .fitting import Fitted, fit
from .placing import every_frame, level_axes, stand
from .skeleton import skeleton_of


class SkeletonMotion(NamedTuple):
    """A person's motion, N frames from their first pose to the last; root: (N, 3) m, where the pelvis is, y up."""

    path: Path
    fitted: Fitted
    root: np.ndarray


def motions_of(path: Path, scene: Scene, suffix: str) -> tuple[list[SkeletonMotion], list[str]]:
    """The motions of the people of a scene, each with the path of its file, and the notes on them.

    suffix: of the format, which names it in the notes. Poses that are missing are interpolated, which the notes say.
    Keypoints that were never seen have no joints where the scene leaves them out. People of fewer than 2 poses are left
    out with a note. Raises ValueError where nobody is left.
    """
    format = suffix.removeprefix(".").upper()
    fits, roots, paths = [], [], []
    axes, notes = level_axes(scene)
    for file, person in zip(paths_of(path, scene.people, suffix), scene.people, strict=True):
        try:
            fitted, root, said = _motion(person, axes, scene)
        except ValueError as error:
            notes.append(f"{format}: person {person.name} is left out: {error}")
            continue
        paths.append(file)
        fits.append(fitted)
        roots.append(root)
        notes += [f"{format}: person {person.name} {one}" for one in said]
    if not paths:
        reason = "; ".join(notes) if scene.people else "the recording has no people"
        raise ValueError(f"{path}: there is nobody to write; {reason}")
    places = stand([fitted.positions for fitted in fits], roots)
    return list(map(SkeletonMotion, paths, fits, places)), notes


def _motion(person: LiftedPerson, axes: np.ndarray, scene: Scene) -> tuple[Fitted, np.ndarray | None, list[str]]:
    """A person's motion, their root (N, 3) m where it is known, turned by axes (3, 3), and the notes on it."""
    unseen = person.never_seen if scene.leave_out_unseen else ()
    skeleton = skeleton_of(person.keypoint_set, unseen)
    known = np.isfinite(person.keypoints_3d).all((1, 2))
    needed = min(2, len(scene.times))  # a still image is a motion of one frame
    if known.sum() < needed:
        raise ValueError(f"{known.sum()} frames have a pose, and a motion needs {needed}")
    rows = slice(*(np.flatnonzero(known)[[0, -1]] + (0, 1)))
    frames = person.frames[rows]
    poses = every_frame(frames, person.keypoints_3d[rows]) @ axes.T
    fitted = fit(skeleton, poses, scene.fps)
    root = None
    if person.trajectory is not None:
        root = every_frame(frames, person.trajectory[rows]) @ axes.T
        there = np.isfinite(root).all(1)
        root = (
            np.stack([np.interp(np.arange(len(root)), np.flatnonzero(there), axis[there]) for axis in root.T], 1)
            if there.any()
            else None
        )
    said = []
    if fitted.filled.any():
        said.append(f"has no pose in {fitted.filled.sum()} of {len(poses)} frames; those are interpolated")
    if frames[0]:
        said.append(f"begins with frame {frames[0]}")
    names = skeleton.keypoints.names
    if out := [name for index, name in enumerate(names) if index not in skeleton.kept]:
        said.append(f"is without {', '.join(out)}, which were never seen")
    return fitted, root, said
