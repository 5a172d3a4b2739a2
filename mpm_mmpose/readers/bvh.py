"""BVH files to motion of the 17 Human3.6M keypoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..pose.keypoints import H36M_17
from ..pose.rotations import axis_rotation
from .bvh_joints import find_joints
from .bvh_text import parse
from .cmu import cmu_subject, is_conversion, missing_thorax_bone, recorded_fps
from .kinematics import HEAD_TOP_OF_TRUNK, NOSE_OF_TRUNK
from .motion import Motion
from .world import UNITS, find_axis_up, find_unit, to_z_up

if TYPE_CHECKING:
    from bvhio import BvhJoint

_BANDAI = re.compile(r"dataset-\d+_(?P<action>[^_]+)_(?P<style>[^_]+)_\d+")


def read_bvh(
    path: str | Path,
    unit: str | None = None,
    up: str | None = None,
    fps: float | None = None,
    joint_map: Mapping[str, str] | None = None,
) -> Motion:
    """Motion of a BVH file, in whatever unit (``UNITS``) and with whatever axis up (``UPS``) it is.

    unit, up, fps: instead of what is found by the size of the person, its stance and rest pose, and the frame time.
    joint_map: parts of the body to joints, for names that are not known; see ``read_joint_map``.
    Keypoints are the joints of their names; beyond that, as in Human3.6M's own skeleton: pelvis is the middle of the
    hip joints; thorax is the neck joint; spine the first spine joint; nose and head top lie on the skull's axis (the
    bone from neck to head, carried along by the head's rotation) at 0.247 and 0.482 of the trunk's length above the
    neck, because head joints often have no end offset to tell where the skull ends. Position channels replace
    the offset. Conversions of CMU's recordings are read as ``read_asf_amc`` reads those: their thorax bone, which is
    left out, is put back, and subjects recorded at 60 Hz are.
    subject and action: the style and the action of Bandai Namco file names, the number of CMU's subject, else the
    folder's and the file's name.
    The notes say what was found that is not usual. Raises ValueError (file, line or field, fix) for a file that is cut
    off, no BVH file, or lacks a joint, and where unit or axis are not clear.
    """
    path = Path(path)
    joints, values, seconds = parse(path)
    names = [joint.Name for joint, _ in joints]
    offsets = np.array([joint.Offset for joint, _ in joints], dtype=np.float64)
    notes = []
    cmu = joint_map is None and is_conversion(names)
    thorax = missing_thorax_bone(names, offsets) if cmu else None
    if thorax is not None:
        notes.append("the thorax bone, which this conversion of CMU's skeleton leaves out, is put back")
    parts = {} if cmu else find_joints(path, names, [parent for _, parent in joints], joint_map)
    keypoints_of = _cmu_keypoints if cmu else _keypoints
    keypoints = keypoints_of(joints, parts, *place_joints(joints, values, thorax))
    rest = keypoints_of(joints, parts, *place_joints(joints, None, thorax))
    said = unit
    unit = find_unit(f"{path}: OFFSET", keypoints, said)
    if unit != "cm" and said is None:
        notes.append(f"the unit is {unit}, by the length of the legs")
    said = up
    up = up or find_axis_up(path, keypoints, rest[0])
    if up != "y" and said is None:
        notes.append(f"{up} is up")
    if fps is None:
        fps = round(1 / seconds, 3)
        at, note = recorded_fps(path) if cmu and abs(fps - 120) < 1 else (fps, "")
        fps, notes = (at if at != 120.0 else fps), notes + [note] * bool(note)
    known = _BANDAI.fullmatch(path.stem)
    number = cmu_subject(path) if cmu else None
    return Motion(
        name=path.stem,
        keypoints_3d=to_z_up(keypoints * UNITS[unit], up),
        fps=fps,
        subject=known["style"] if known else path.parent.name if number is None else f"{number:02d}",
        action=known["action"] if known else path.stem,
        source=str(path),
        notes=tuple(notes),
    )


def place_joints(
    joints: list[tuple[BvhJoint, int]], values: np.ndarray | None, thorax: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """World positions (J, T, 3) and rotations (J, T, 3, 3) of all joints, in the file's unit and axes.

    values (T, C) of the channels, None for the rest pose. thorax (3,): the offset of what hangs on Spine1.
    """
    frames = 1 if values is None else len(values)
    positions = np.empty((len(joints), frames, 3))
    rotations = np.empty((len(joints), frames, 3, 3))
    column = 0
    for index, (joint, parent) in enumerate(joints):
        offset = np.array(joint.Offset, dtype=np.float64)
        if thorax is not None and parent >= 0 and joints[parent][0].Name == "Spine1":
            offset = thorax
        local = np.tile(offset, (frames, 1))
        turn = np.eye(3)
        for channel in joint.Channels if values is not None else ():
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
    joints: list[tuple[BvhJoint, int]], parts: dict[str, int], positions: np.ndarray, rotations: np.ndarray
) -> np.ndarray:
    """The 17 keypoints (T, 17, 3), in the file's unit and axes; see :func:`read_bvh` for the rules."""
    points = {name: positions[index] for name, index in parts.items()}
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    points["thorax"] = points["neck"]
    points.setdefault("spine", (points["pelvis"] + points["thorax"]) / 2)

    bone = np.linalg.inv(rotations[parts["neck"], 0]) @ (points["head"][0] - points["neck"][0])
    neck_length = np.linalg.norm(bone)
    trunk = sum(
        np.linalg.norm(points[upper][0] - points[lower][0])
        for lower, upper in (("pelvis", "spine"), ("spine", "thorax"))
    )
    axis = rotations[parts["head"]] @ (bone / neck_length)
    points["nose"] = points["head"] + axis * (NOSE_OF_TRUNK * trunk - neck_length)
    points["head_top"] = points["head"] + axis * (HEAD_TOP_OF_TRUNK * trunk - neck_length)
    return np.stack([points[name] for name in H36M_17.names], axis=1)


# As read_asf_amc has them: the end of lowerback, lowerneck and upperneck is where the next joint is.
_CMU = {"spine": "Spine", "thorax": "Neck1", "nose": "Head"} | {
    f"{side}_{part}": f"{side.title()}{name}"
    for side in ("left", "right")
    for part, name in dict(hip="UpLeg", knee="Leg", ankle="Foot", shoulder="Arm", elbow="ForeArm", wrist="Hand").items()
}


def _cmu_keypoints(
    joints: list[tuple[BvhJoint, int]], parts: dict[str, int], positions: np.ndarray, rotations: np.ndarray
) -> np.ndarray:
    """The 17 keypoints (T, 17, 3) of a conversion of CMU's skeleton, as ``read_asf_amc`` places them."""
    index = {joint.Name: number for number, (joint, _) in enumerate(joints)}
    points = {name: positions[index[joint]] for name, joint in _CMU.items()}
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    head = index["Head"]
    end = np.array(joints[head][0].EndSite, dtype=np.float64)
    points["head_top"] = positions[head] + rotations[head] @ end
    return np.stack([points[name] for name in H36M_17.names], axis=1)
