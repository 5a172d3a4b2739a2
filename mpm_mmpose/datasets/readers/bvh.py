"""BVH files to motion of the 17 Human3.6M keypoints.

bvhio parses the hierarchy. The numbers are read and the joints placed here, vectorised over frames: bvhio does both
joint by joint in Python (some 1,300 frames a second) and waits for ever at the end of a truncated file.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...keypoints import H36M_17
from ...limits import HIGHEST_FPS, LOWEST_FPS, is_fps
from ...messages import shortened
from .files import read_text
from .kinematics import HEAD_TOP_OF_TRUNK, NOSE_OF_TRUNK, axis_rotation, y_up_to_z_up
from .motion import Motion, check_size

if TYPE_CHECKING:
    from bvhio import BvhJoint

_HEADER = re.compile(r"^\s*MOTION\s*^\s*Frames:\s*(\d+)\s*^\s*Frame Time:\s*(\S+)[^\S\n]*\n", re.MULTILINE)
_CHANNEL = re.compile("[XYZ](position|rotation)")
_BANDAI = re.compile(r"dataset-\d+_(?P<action>[^_]+)_(?P<style>[^_]+)_\d+")

# part of the body: its joint in the skeletons of Bandai Namco Research, and of Mixamo, LAFAN1 and the CMU conversions
_SIDED = {
    "hip": ("UpperLeg_{0}", "{1}UpLeg"),
    "knee": ("LowerLeg_{0}", "{1}Leg"),
    "ankle": ("Foot_{0}", "{1}Foot"),
    "shoulder": ("UpperArm_{0}", "{1}Arm"),
    "elbow": ("LowerArm_{0}", "{1}ForeArm"),
    "wrist": ("Hand_{0}", "{1}Hand"),
}
_JOINTS = {
    f"{side}_{part}": tuple(name.format(side[0].upper(), side.title()) for name in names)
    for part, names in _SIDED.items()
    for side in ("left", "right")
} | {"hips": ("Hips",), "spine": ("Spine",), "neck": ("Neck", "Neck1"), "head": ("Head",)}


def read_bvh(path: str | Path, metres_per_unit: float = 0.01) -> Motion:
    """Motion of a BVH file with Y up, in centimetres unless ``metres_per_unit`` says otherwise.

    Keypoints are the joints of their names; beyond that, as in Human3.6M's own skeleton: pelvis is the middle of the
    hip joints; thorax is the neck joint; spine the first spine joint; nose and head top lie on the skull's axis (the
    bone from neck to head, carried along by the head's rotation) at 0.247 and 0.482 of the trunk's length above the
    neck, because head joints often have no end offset to tell where the skull ends. Position channels replace
    the offset.
    subject and action: the style and the action of Bandai Namco file names, else the folder's and the file's name.
    Raises ValueError (file, line or field, fix) for a file that is cut off, no BVH file, or lacks a joint.
    """
    path = Path(path)
    joints, frames, seconds = _parse(path)
    positions, rotations = _place(joints, frames)
    keypoints = _keypoints(path, joints, positions, rotations) * metres_per_unit
    check_size(f"{path}: OFFSET", keypoints, metres_per_unit)
    known = _BANDAI.fullmatch(path.stem)
    return Motion(
        name=path.stem,
        keypoints_3d=y_up_to_z_up(keypoints),
        fps=round(1 / seconds, 3),
        subject=known["style"] if known else path.parent.name,
        action=known["action"] if known else path.stem,
        source=str(path),
    )


def _parse(path: Path) -> tuple[list[tuple[BvhJoint, int]], np.ndarray, float]:
    """Joints in file order with the index of their parent (-1: none), channel values (T, C), seconds a frame."""
    from bvhio import readAsBvh  # here, because reading other formats does not need it

    text = read_text(path)
    header = _HEADER.search(text)
    if not text.lstrip().startswith("HIERARCHY") or header is None:
        missing = "'HIERARCHY' at the start" if header else "'MOTION', 'Frames: N', 'Frame Time: s' after the hierarchy"
        raise ValueError(f"{path}: has no {missing}; it is cut off or no BVH file, fetch it again or leave it out")
    try:
        root = readAsBvh(str(path), loadKeyFrames=False).Root
        seconds = float(header[2])
    except (SyntaxError, ValueError, IndexError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(
            f"{path}: hierarchy or frame time is not as BVH has it ({shortened(str(reason))}); repair the file"
        ) from None
    joints: list[tuple[BvhJoint, int]] = []

    left = [(root, -1)]
    while left:
        joint, parent = left.pop()
        joints.append((joint, parent))
        left += [(child, len(joints) - 1) for child in reversed(joint.Children)]
    if not (seconds > 0 and is_fps(round(1 / seconds, 3))):
        raise ValueError(
            f"{path}: 'Frame Time' is {header[2][:40]}; write the seconds a frame, {1 / HIGHEST_FPS:g} to "
            f"{1 / LOWEST_FPS:g}"
        )
    channels = [channel for joint, _ in joints for channel in joint.Channels]
    unknown = sorted(channel for channel in set(channels) if not _CHANNEL.fullmatch(channel))
    if unknown:
        raise ValueError(
            f"{path}: CHANNELS has {shortened(', '.join(unknown))}; only X, Y, Z position and rotation can be read"
        )
    return joints, _numbers(path, text, header, len(channels)), seconds


def _numbers(path: Path, text: str, header: re.Match, channels: int) -> np.ndarray:
    frames = int(header[1])
    if frames == 0:
        raise ValueError(f"{path}: 'Frames' is 0; leave this file out")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # how numpy says that a word is not a number
        try:
            numbers = np.fromstring(text[header.end() :], sep=" ")
        except (DeprecationWarning, ValueError):
            numbers = np.empty(0)
    if numbers.size == frames * channels and np.isfinite(numbers).all():
        return numbers.reshape(frames, channels)
    lines = [line.split() for line in text[header.end() :].splitlines()]
    first = text.count("\n", 0, header.end()) + 1
    for number, words in enumerate(lines, first):
        if words and (len(words) != channels or not all(map(_is_number, words))):
            raise ValueError(
                f"{path}: line {number} has {len(words)} values, not {channels} finite numbers as the hierarchy's "
                "channels ask for; the file is cut off or damaged there, fetch it again or leave it out"
            )
    raise ValueError(
        f"{path}: 'Frames' says {frames}, but there are {sum(map(bool, lines))}; fetch the file again or leave it out"
    )


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


def _place(joints: list[tuple[BvhJoint, int]], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World positions (J, T, 3) and rotations (J, T, 3, 3) of all joints, in the file's unit and axes."""
    positions = np.empty((len(joints), len(values), 3))
    rotations = np.empty((len(joints), len(values), 3, 3))
    column = 0
    for index, (joint, parent) in enumerate(joints):
        local = np.tile(np.array(joint.Offset, dtype=np.float64), (len(values), 1))
        turn = np.eye(3)
        for channel in joint.Channels:
            axis, kind = channel[0].lower(), channel[1:].lower()
            if kind == "position":
                local[:, "xyz".index(axis)] = values[:, column]
            else:
                turn = turn @ axis_rotation(axis, np.radians(values[:, column]))
            column += 1
        if parent < 0:
            positions[index], rotations[index] = local, turn
        else:
            positions[index] = positions[parent] + (rotations[parent] @ local[..., None])[..., 0]
            rotations[index] = rotations[parent] @ turn
    return positions, rotations


def _keypoints(
    path: Path, joints: list[tuple[BvhJoint, int]], positions: np.ndarray, rotations: np.ndarray
) -> np.ndarray:
    """The 17 keypoints (T, 17, 3), in the file's unit and axes; see :func:`read_bvh` for the rules."""
    index_of = {joint.Name.split(":")[-1].lower(): index for index, (joint, _) in enumerate(joints)}
    part = {}
    for name, candidates in _JOINTS.items():
        there = [index_of[candidate.lower()] for candidate in candidates if candidate.lower() in index_of]
        if not there:
            raise ValueError(
                f"{path}: no joint for {name} (looked for {', '.join(candidates)}); rename it in the file, or add its "
                "name to mpm_mmpose/datasets/readers/bvh.py"
            )
        part[name] = there[0]
    points = {name: positions[index] for name, index in part.items()}
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    points["thorax"] = points["neck"]

    bone = np.linalg.inv(rotations[part["neck"], 0]) @ (points["head"][0] - points["neck"][0])
    neck_length = np.linalg.norm(bone)
    trunk = sum(
        np.linalg.norm(points[upper][0] - points[lower][0])
        for lower, upper in (("pelvis", "spine"), ("spine", "thorax"))
    )
    axis = rotations[part["head"]] @ (bone / neck_length)
    points["nose"] = points["head"] + axis * (NOSE_OF_TRUNK * trunk - neck_length)
    points["head_top"] = points["head"] + axis * (HEAD_TOP_OF_TRUNK * trunk - neck_length)
    return np.stack([points[name] for name in H36M_17.names], axis=1)
