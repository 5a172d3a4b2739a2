"""BVH: a person as a skeleton of fixed bones and joint angles, for Blender, MotionBuilder and the like."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np

from ..atomic_file import write_atomically
from ..pose.rotations import euler_zxy
from ..pose.scene import Scene
from .files import Written
from .fitting import Fitted
from .motion import motions_of
from .skeleton import Skeleton

UNIT = 100.0  # cm, which motion software takes BVH to be in
ROTATIONS = "Zrotation Xrotation Yrotation"


def write_bvh(path: Path, scene: Scene) -> Written:
    """One file per person, ``<path>_<person>.bvh`` if there are several, of all frames from their first to their last.

    y up, cm, angles in degrees as Rz Rx Ry, the rest pose a T-pose that faces z; see :mod:`.skeleton` for the bones,
    :func:`~.motion.motions_of` for which people are written, and :func:`~.placing.stand` for where people are.
    """
    motions, notes = motions_of(path, scene, ".bvh")
    return Written([write_motion(motion.path, motion.fitted, motion.root, scene.fps) for motion in motions], notes)


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
        end = UNIT * skeleton.end(joint)
        text.write(f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET {_words(end)}\n{pad}  }}\n")
    text.write(f"{pad}}}\n")


def _words(offset: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in np.round(offset, 6) + 0.0)
