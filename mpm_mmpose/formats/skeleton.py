"""A skeleton for a keypoint set: its joints, their names and the pose in which they rest; pure.

Axes: x to the person's left, y up, z ahead, all as in the rest pose (a T-pose that faces z). A joint stands on a
keypoint and its rotation aims one bone. Where several bones leave a keypoint (pelvis, thorax), the keypoint's own joint
turns with the hips or shoulders, and each bone gets a joint at no distance that aims it, as in the BVH files of the CMU
motion capture database; so every bone has exactly the direction of the pose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from ..pose.keypoints import KeypointSet, get_keypoint_set

UP, AHEAD, LEFT = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)
#: Names that motion software knows ({0} is Left or Right): of a joint that several bones leave, ...
_HUBS = {"pelvis": "Hips", "thorax": "Spine1", "spine4": "Spine2"}
#: ... of any other, ...
_JOINTS = {
    "spine2": "Spine0",
    "spine": "Spine",
    "spine3": "Spine1",
    "thorax": "Neck",
    "nose": "Head",
    "head": "Head",
    "head_top": "HeadTop_End",
    "clavicle": "{0}Shoulder",
    "shoulder": "{0}Arm",
    "elbow": "{0}ForeArm",
    "wrist": "{0}Hand",
    "hand": "{0}Hand_End",
    "hip": "{0}UpLeg",
    "knee": "{0}Leg",
    "ankle": "{0}Foot",
    "foot": "{0}ToeBase",
    "toe": "{0}Toe_End",
}
#: ... and of one that aims a bone from where several leave, by where the bone ends.
_AIMING = {
    "spine2": "LowerBack",
    "spine": "LowerBack",
    "thorax": "NeckBase",
    "nose": "Neck",
    "head": "Neck",
    "head_top": "Neck",
    "clavicle": "{0}Collar",
    "shoulder": "{0}Shoulder",
    "hip": "{0[0]}HipJoint",
}
#: m, what is drawn of a foot and a hand beyond the last keypoint, and of anything else.
_FOOT, _HAND, _TIP = 0.15, 0.08, 0.01
_REST = {"knee": (0.0, -1.0, 0.0), "ankle": (0.0, -1.0, 0.0), "foot": AHEAD, "toe": AHEAD}  # others up or aside


@dataclass(frozen=True)
class Joint:
    """parent: index, -1 for the root; keypoint: where it stands; aim: the keypoint its bone leads to, -1 for none.

    hub: turns with the hips or the shoulders.
    """

    name: str
    parent: int
    keypoint: int
    aim: int = -1
    hub: bool = False


@dataclass(frozen=True)
class Skeleton:
    """Joints in BVH's order (depth first), and for each keypoint the direction of its bone at rest, (K, 3)."""

    keypoints: KeypointSet
    joints: tuple[Joint, ...]
    rest: np.ndarray

    @property
    def kept(self) -> frozenset[int]:
        """Keypoints that a joint stands on."""
        return frozenset(joint.keypoint for joint in self.joints)

    def offsets(self, lengths: np.ndarray) -> np.ndarray:
        """(J, 3) m from each joint's parent at rest, for lengths (K,) m of the bones."""
        moved = np.array([j.parent >= 0 and self.joints[j.parent].keypoint != j.keypoint for j in self.joints])
        points = [joint.keypoint for joint in self.joints]
        return moved[:, None] * lengths[points, None] * self.rest[points]

    def end(self, joint: Joint) -> np.ndarray:
        """(3,) m from a joint that none hangs on to where its bone is drawn to, at rest."""
        if joint.name.endswith("Foot"):
            return _FOOT * np.array(AHEAD)
        return (_HAND if joint.name.endswith("Hand") else _TIP) * self.rest[joint.keypoint]


def skeleton_of(keypoint_set: str, without: Collection[str] = ()) -> Skeleton:
    """The skeleton of a keypoint set; ValueError for one that is no body that hangs on its pelvis.

    without: names of keypoints that get no joint, nor does what hangs on them; hips, shoulders and the spine, by which
    the trunk turns, get theirs all the same.
    """
    keypoints = get_keypoint_set(keypoint_set)
    hubs = {name for name in keypoints.names if keypoints.parent_of.count(name) > 1}
    named = all(part_of(name) in (_HUBS if name in hubs else _JOINTS) for name in keypoints.names)
    if not named or keypoints.names[keypoints.root] != "pelvis":
        raise ValueError(
            f"keypoint set {keypoint_set} has no skeleton whose root is the pelvis; joint angles can be had of "
            "h36m_17, common_16, mpi_inf_3dhp_17 and mpi_inf_3dhp_28"
        )
    trunk = {name for hub in hubs for name in _up_to_the_root(keypoints, hub)}
    out = set(without) - trunk
    joints: list[Joint] = []

    def grow(keypoint: int, parent: int) -> None:
        name = keypoints.names[keypoint]
        hub = name in hubs
        children = [child for child, above in enumerate(keypoints.parent_of) if above == name]
        children = [child for child in children if hub or keypoints.names[child] not in out]
        joints.append(
            Joint(
                _named(_HUBS if hub else _JOINTS, name), parent, keypoint, -1 if hub else next(iter(children), -1), hub
            )
        )
        here = len(joints) - 1
        for child in children:
            if hub:
                joints.append(Joint(_named(_AIMING, keypoints.names[child]), here, keypoint, child))
            grow(child, len(joints) - 1)

    grow(keypoints.root, -1)
    return Skeleton(keypoints, tuple(joints), np.array([_rest(name) for name in keypoints.names]))


def _up_to_the_root(keypoints: KeypointSet, name: str | None) -> Iterator[str]:
    while name is not None:
        yield name
        name = keypoints.parent_of[keypoints.index(name)]


def part_of(name: str) -> str:
    """A keypoint's name without its side."""
    return name.removeprefix("left_").removeprefix("right_")


def _named(table: dict[str, str], keypoint: str) -> str:
    return table[part_of(keypoint)].format(keypoint.partition("_")[0].title())


def _rest(name: str) -> tuple[float, float, float]:
    side = {"left": 1.0, "right": -1.0}.get(name.partition("_")[0], 0.0)
    return _REST.get(part_of(name), (side, 0.0, 0.0) if side else UP)
