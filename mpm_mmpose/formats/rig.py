"""Motion for skeletons of somebody else's: which of its joints turns as which of ours, whatever its rest pose; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..pose.rotations import shortest_turn, unit
from .fitting import Fitted
from .skeleton import UP, Skeleton

#: Bones of limbs, from the joint that turns to the one at its end.
_LIMBS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}
SIDES = ("left", "right")
_TIPS = ("head_top", "head", "nose")
#: In the unit of the file; nothing of a character is further away or larger.
_FARTHEST = 1e9
#: Share of a leg: no ankle stands higher above its sole.
_HIGHEST_ANKLE = 0.25


@dataclass(frozen=True)
class Rig:
    """A skeleton of J joints, parents before children (-1: none), at rest.

    local (J, 4, 4): each joint's place and turn in its parent's axes, at rest. parts: joints by part of the body, as
    :data:`~mpm_mmpose.readers.bvh_joints.PARTS`.
    """

    parents: Sequence[int]
    local: np.ndarray
    parts: Mapping[str, int]

    @property
    def rest(self) -> np.ndarray:
        """(J, 4, 4), each joint's place and turn in the world, at rest."""
        rest = self.local.copy()
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                rest[joint] = rest[parent] @ self.local[joint]
        return rest

    def above(self, joint: int) -> list[int]:
        """The joint and what it hangs on, up to the root."""
        found = []
        while joint >= 0:
            found.append(joint)
            joint = self.parents[joint]
        return found

    def shared(self, first: int, second: int) -> int:
        """The joint that both hang on; -1 for none."""
        other = set(self.above(second)[1:])
        return next((joint for joint in self.above(first)[1:] if joint in other), -1)

    @property
    def hips(self) -> int:
        """The joint that both legs hang on."""
        return self.shared(self.parts["left_hip"], self.parts["right_hip"])

    @property
    def chest(self) -> int:
        """The joint that both arms hang on."""
        return self.shared(self.parts["left_shoulder"], self.parts["right_shoulder"])


def check_rig(rig: Rig) -> None:
    """ValueError where legs or arms hang on nothing, or the body at rest has no left or up."""
    if rig.hips < 0 or rig.chest < 0:
        raise ValueError("its legs or arms hang on no joint of both sides")
    with np.errstate(all="ignore"):
        rest = rig.rest
        if not (np.abs(rest) < _FARTHEST).all():  # NaN as well
            raise ValueError("some of it is beyond any bound at rest")
    if (np.linalg.det(rest[:, :3, :3]) <= 0).any():
        raise ValueError("it is scaled to nothing or mirrored")
    places = rest[:, :3, 3]
    ends = [(rig.parts[f"{side}_{one}"], rig.parts[f"{side}_{end}"]) for side in SIDES for one, end in _LIMBS.items()]
    spans = [places[one] - places[end] for one, end in ends]
    spans.append(places[rig.parts["left_hip"]] - places[rig.parts["right_hip"]])
    if min(np.linalg.norm(span) for span in spans) <= 0:
        raise ValueError("its bones have no length at rest")


def retarget(fitted: Fitted, root: np.ndarray, rig: Rig) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Turns (N, 3, 3) of joints of the rig in their parents' axes, and the place (N, 3) of its hips in theirs.

    Limbs point where ours point, hips and chest turn as ours do; what turns nothing stays as at rest. root: (N, 3) m,
    where the pelvis is, y up; the rig's own goes as far as its legs are longer, its soles on the floor.
    """
    rest = rig.rest
    turned_at_rest = unit(np.swapaxes(rest[:, :3, :3], -1, -2)).swapaxes(-1, -2)  # without scales
    places, body = rest[:, :3, 3], _body_axes(rig)
    wanted = _wanted(fitted, rig, places @ body.T, body)
    world: dict[int, np.ndarray] = {}
    local: dict[int, np.ndarray] = {}
    for joint, parent in enumerate(rig.parents):
        above = world.get(parent, turned_at_rest[parent] if parent >= 0 else np.eye(3))
        if joint in wanted:
            world[joint] = wanted[joint] @ turned_at_rest[joint]
            local[joint] = np.swapaxes(above, -1, -2) @ world[joint]
        elif parent in world:
            world[joint] = above @ (turned_at_rest[parent].T @ turned_at_rest[joint])
    middle = (places[rig.parts["left_hip"]] + places[rig.parts["right_hip"]]) / 2
    hips = root * _size(fitted, rig, places) + wanted[rig.hips] @ (places[rig.hips] - middle)
    hips[:, 1] += _ankle_height(rig, places @ body.T)
    above = np.linalg.inv(rest[rig.parents[rig.hips]]) if rig.parents[rig.hips] >= 0 else np.eye(4)
    return local, hips @ above[:3, :3].T + above[:3, 3]


def _body_axes(rig: Rig) -> np.ndarray:
    """(3, 3) from the world to left, up, ahead of the rig's body at rest."""
    places = rig.rest[:, :3, 3]
    left = unit(places[rig.parts["left_hip"]] - places[rig.parts["right_hip"]])
    up = places[rig.parts["neck"]] - (places[rig.parts["left_hip"]] + places[rig.parts["right_hip"]]) / 2
    up = unit(up - (up @ left) * left)
    return np.stack((left, up, np.cross(left, up)))


def _wanted(fitted: Fitted, rig: Rig, places: np.ndarray, body: np.ndarray) -> dict[int, np.ndarray]:
    """Turns (N, 3, 3) from the rig's rest to the pose, in the world, of the joints that turn.

    places (J, 3): at rest in the body's axes, which ``body`` (3, 3) leads to.
    """
    skeleton, turns = fitted.skeleton, fitted.rotations
    keypoints = skeleton.keypoints
    aiming = {joint.aim: index for index, joint in enumerate(skeleton.joints) if joint.aim >= 0}
    hubs = [index for index, joint in enumerate(skeleton.joints) if joint.hub]
    wanted: dict[int, np.ndarray] = {}
    chest = next(index for index in hubs if index)
    spine = [index for index in _chain(skeleton, chest) if skeleton.joints[index].aim >= 0]
    between = rig.above(rig.chest)[1:]
    between = between[: between.index(rig.hips)][::-1] if rig.hips in between else []
    for number, joint in enumerate(between):
        wanted[joint] = turns[:, spine[number * len(spine) // len(between)]] @ body
    wanted[rig.hips] = turns[:, 0] @ body
    if rig.chest != rig.hips:
        wanted[rig.chest] = turns[:, chest] @ body
    # A nose is ahead of a neck, so the line from the chest to the top of the head tells how both are.
    tip = next((keypoints.index(name) for name in _TIPS if name in keypoints.names), None)
    if tip is not None and tip in skeleton.kept:
        line = fitted.positions[:, tip] - fitted.positions[:, skeleton.joints[chest].keypoint]
        line = np.einsum("nji,nj->ni", turns[:, chest], unit(line))
        wanted[rig.parts["neck"]] = turns[:, chest] @ shortest_turn(np.array(UP), line) @ body
    for side in SIDES:
        for start, end in _LIMBS.items():
            index = aiming.get(keypoints.index(f"{side}_{end}"))
            joint = rig.parts[f"{side}_{start}"]
            if index is None:
                continue
            bone = unit(places[rig.parts[f"{side}_{end}"]] - places[joint])
            straightened = shortest_turn(bone, skeleton.rest[keypoints.index(f"{side}_{end}")])
            wanted[joint] = turns[:, index] @ straightened @ body
    return wanted


def _chain(skeleton: Skeleton, joint: int) -> list[int]:
    """Joints from the root's children to the parent of ``joint``."""
    found = []
    while (joint := skeleton.joints[joint].parent) > 0:
        found.append(joint)
    return found[::-1]


def _size(fitted: Fitted, rig: Rig, places: np.ndarray) -> float:
    """How many times as long as the person's the rig's legs are."""
    bones = [(f"{side}_{start}", f"{side}_{_LIMBS[start]}") for side in SIDES for start in ("hip", "knee")]
    theirs = sum(float(np.linalg.norm(places[rig.parts[end]] - places[rig.parts[start]])) for start, end in bones)
    index = fitted.skeleton.keypoints.index
    ours = sum(float(fitted.lengths[index(end)]) for _, end in bones)
    return theirs / ours if ours > 0 else 1.0


def _ankle_height(rig: Rig, places: np.ndarray) -> float:
    """How high the ankles stand at rest, in the body's axes, where the floor is at 0; 0 where it cannot be there."""
    ankles = min(places[rig.parts[f"{side}_ankle"], 1] for side in SIDES)
    leg = places[rig.parts["left_hip"], 1] - places[rig.parts["left_ankle"], 1]
    return float(ankles) if 0 < ankles < _HIGHEST_ANKLE * leg else 0.0
