"""BVH: a person as a skeleton of fixed bones and joint angles, for Blender, MotionBuilder and the like."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np

from ..atomic_file import write_atomically
from ..pose.rotations import euler_zxy
from ..pose.scene import LiftedPerson, Scene
from .files import Written, paths_of
from .fitting import Fitted, fit
from .placing import every_frame, level_axes, stand
from .skeleton import AHEAD, Joint, Skeleton, skeleton_of

UNIT = 100.0  # cm, which motion software takes BVH to be in
ROTATIONS = "Zrotation Xrotation Yrotation"
#: m, what is drawn of a foot and a hand beyond the last keypoint, and of anything else.
_FOOT, _HAND, _TIP = 0.15, 0.08, 0.01


def write_bvh(path: Path, scene: Scene) -> Written:
    """A file a person, ``<path>_<person>.bvh`` where there are several, of all frames from their first to their last.

    y up, cm, angles in degrees as Rz Rx Ry, the rest pose a T-pose that faces z; see :mod:`.skeleton` for the bones and
    :func:`~.placing.stand` for where people are. Poses that are missing are put between those around, which the notes
    say. People of fewer than 2 poses are left out with a note. Raises ValueError where nobody is left.
    """
    motions, roots, paths = [], [], []
    axes, notes = level_axes(scene)
    for file, person in zip(paths_of(path, scene.people), scene.people, strict=True):
        try:
            motion, root, said = _motion(person, axes, scene.fps)
        except ValueError as error:
            notes.append(f"BVH: person {person.name} is left out: {error}")
            continue
        paths.append(file)
        motions.append(motion)
        roots.append(root)
        notes += [f"BVH: person {person.name} {one}" for one in said]
    if not paths:
        reason = "; ".join(notes) if scene.people else "the recording has no people"
        raise ValueError(f"{path}: there is nobody to write; {reason}")
    places = stand([motion.positions for motion in motions], roots)
    for file, motion, root in zip(paths, motions, places, strict=True):
        write_motion(file, motion, root, scene.fps)
    return Written(paths, notes)


def write_motion(path: Path, motion: Fitted, root: np.ndarray, fps: float) -> Path:
    """Write the BVH of one motion; root: (N, 3) m, where the pelvis is."""
    offsets = UNIT * motion.skeleton.offsets(motion.lengths)
    angles = np.rad2deg(euler_zxy(motion.local_rotations)).reshape(len(root), -1)
    # Adding 0 takes the minus from what is rounded to 0.
    rows = np.round(np.concatenate((UNIT * root, angles), axis=1), 6) + 0.0

    def write(file: Path) -> None:
        with open(file, "w", encoding="ascii", newline="\n") as text:
            text.write("HIERARCHY\n")
            _write_joint(text, motion.skeleton, offsets, 0, 0)
            text.write(f"MOTION\nFrames: {len(rows)}\nFrame Time: {1 / fps:.9g}\n")
            np.savetxt(text, rows, fmt="%.6f")

    return write_atomically(path, write)


def _motion(person: LiftedPerson, axes: np.ndarray, fps: float) -> tuple[Fitted, np.ndarray | None, list[str]]:
    """A person's motion, their root (N, 3) m where it is known, turned by axes (3, 3), and what is to be said of it."""
    skeleton = skeleton_of(person.keypoint_set)
    known = np.isfinite(person.keypoints_3d).all((1, 2))
    if known.sum() < 2:
        raise ValueError(f"{known.sum()} frames have a pose, and a motion needs 2")
    rows = slice(*(np.flatnonzero(known)[[0, -1]] + (0, 1)))
    frames = person.frames[rows]
    poses = every_frame(frames, person.keypoints_3d[rows]) @ axes.T
    motion = fit(skeleton, poses, fps)
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
    if motion.filled.any():
        said.append(f"has no pose in {motion.filled.sum()} of {len(poses)} frames; they are put between those around")
    if frames[0]:
        said.append(f"begins with frame {frames[0]}")
    return motion, root, said


def _write_joint(text: TextIO, skeleton: Skeleton, offsets: np.ndarray, index: int, depth: int) -> None:
    joint, pad = skeleton.joints[index], "  " * depth
    place = "" if depth else "Xposition Yposition Zposition "
    text.write(f"{pad}{'JOINT' if depth else 'ROOT'} {joint.name}\n{pad}{{\n")
    text.write(f"{pad}  OFFSET {_words(offsets[index])}\n")
    text.write(f"{pad}  CHANNELS {len((place + ROTATIONS).split())} {place}{ROTATIONS}\n")
    children = [child for child, other in enumerate(skeleton.joints) if other.parent == index]
    for child in children:
        _write_joint(text, skeleton, offsets, child, depth + 1)
    if not children:
        end = UNIT * _end(skeleton, joint)
        text.write(f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET {_words(end)}\n{pad}  }}\n")
    text.write(f"{pad}}}\n")


def _end(skeleton: Skeleton, joint: Joint) -> np.ndarray:
    if joint.name.endswith("Foot"):
        return _FOOT * np.array(AHEAD)
    return (_HAND if joint.name.endswith("Hand") else _TIP) * skeleton.rest[joint.keypoint]


def _words(offset: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in np.round(offset, 6) + 0.0)
