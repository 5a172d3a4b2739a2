"""Poses fitted to a skeleton: bones of fixed length, and how the joints turn; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..pose.bones import SHORTEST, measure_bones, place_bones
from ..pose.rotations import angle_about, interpolate_directions, perpendicular, shortest_turn, turn_about, unit
from .skeleton import LEFT, UP, Skeleton, part_of

#: Bones whose far end bends like a hinge, about an axis of the rest pose: (of the left, of the right).
_HINGES = {"knee": (LEFT, LEFT), "elbow": ((0.0, -1.0, 0.0), UP)}
#: From how far it is bent a hinge tells how the limb is turned about itself, and where it tells all, rad.
HINGE_FROM, HINGE_ALL = np.deg2rad((10, 30))
#: How fast a bone may turn about itself to where it ought to be, degrees a second: what bounds jumps.
FASTEST_TWIST = 360.0


@dataclass(frozen=True)
class Fitted:
    """A motion of fixed bones: N frames. lengths (K,) m; directions (N, K, 3) of the bone that ends in a keypoint.

    rotations (N, J, 3, 3): of joints in the axes of the skeleton; filled (N,) bool: something had to be interpolated.
    """

    skeleton: Skeleton
    lengths: np.ndarray
    directions: np.ndarray
    rotations: np.ndarray
    filled: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """(N, K, 3) m, keypoints relative to the root, of bones of these lengths in these directions."""
        return place_bones(self.skeleton.keypoints, self.lengths, self.directions)

    @property
    def local_rotations(self) -> np.ndarray:
        """(N, J, 3, 3), each joint's in its parent's axes."""
        parents = [joint.parent for joint in self.skeleton.joints]
        local = self.rotations.copy()
        local[:, 1:] = self.rotations[:, parents[1:]].swapaxes(-1, -2) @ self.rotations[:, 1:]
        return local


def fit(skeleton: Skeleton, poses: np.ndarray, fps: float) -> Fitted:
    """The motion of fixed bones that has the directions of poses (N, K, 3) m, in the skeleton's axes, at ``fps``.

    A bone is as long as the median of it and its mirror image over the frames. Where an end of a bone is NaN, or it has
    no length, its direction is interpolated. How a limb is turned about itself is not in
    the pose: an upper limb turns so that the elbow or knee bends like a hinge as far as it is bent, else the shortest
    way from its parent; no bone turns about itself faster than that and FASTEST_TWIST. Keypoints without a joint count
    as bones of no length. Raises ValueError for a keypoint that is never there.
    """
    keypoints = skeleton.keypoints
    lengths, directions, known = measure_bones(keypoints, poses)
    for keypoint, name in enumerate(keypoints.names):
        if keypoint not in skeleton.kept:
            directions[:, keypoint], lengths[keypoint] = skeleton.rest[keypoint], 0
            known[:, keypoint] = True
        elif keypoint == keypoints.root:
            directions[:, keypoint] = UP
        elif known[:, keypoint].any():
            directions[:, keypoint] = interpolate_directions(directions[:, keypoint], known[:, keypoint])
        elif lengths[keypoint] < SHORTEST:
            directions[:, keypoint] = skeleton.rest[keypoint]
        else:
            raise ValueError(f"{name} is not there in any frame; joint angles need every keypoint")
    return Fitted(skeleton, lengths, directions, _aim(skeleton, directions, fps), ~known.all(1))


def _aim(skeleton: Skeleton, directions: np.ndarray, fps: float) -> np.ndarray:
    """Rotations (N, J, 3, 3) of the joints, each worked out in its parent's axes, so that turning wrings no limb."""
    rotations = np.tile(np.eye(3), (len(directions), len(skeleton.joints), 1, 1))
    for index, joint in enumerate(skeleton.joints):
        above = rotations[:, joint.parent] if index else rotations[:, 0].copy()
        if joint.hub:
            turned = _turn(above, LEFT, UP, *_hub(skeleton, joint.keypoint, directions), fps)
        elif joint.aim >= 0:
            axis, hinge, share = _hinge(skeleton, joint.aim, directions)
            turned = _turn(above, skeleton.rest[joint.aim], axis, directions[:, joint.aim], hinge, share, fps)
        else:
            turned = np.eye(3)
        rotations[:, index] = above @ turned
    return rotations


def _turn(
    above: np.ndarray,
    rest: np.ndarray,
    axis: np.ndarray,
    direction: np.ndarray,
    wanted: np.ndarray,
    share: np.ndarray,
    fps: float,
) -> np.ndarray:
    """Rotations (N, 3, 3) within ``above`` (N, 3, 3) that take ``rest`` (3,) to ``direction`` (N, 3), and ``axis`` (3,)
    by a share (N,) of the way towards ``wanted`` (N, 3), but not faster than FASTEST_TWIST.
    """
    direction, wanted = (np.einsum("nji,nj->ni", above, vectors) for vectors in (direction, wanted))
    turned = shortest_turn(np.array(rest), direction)
    turned = turn_about(direction, share * angle_about(direction, turned @ axis, wanted)) @ turned
    # How far each frame's rotation is from the one before carried along the shortest way.
    carried = shortest_turn(direction[:-1], direction[1:]) @ turned[:-1]
    jumps = angle_about(direction[1:], carried @ axis, turned[1:] @ axis)
    most = np.deg2rad(FASTEST_TWIST) / fps
    behind = [0.0]
    for jump in jumps:
        late = math.remainder(behind[-1] - jump, math.tau)
        behind.append(math.copysign(max(abs(late) - most, 0.0), late))
    return turn_about(direction, np.array(behind)) @ turned


def _hub(skeleton: Skeleton, keypoint: int, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the person's left is (N, 3) at a hub, and where up is (N, 3); both as they are: share 1."""
    keypoints = skeleton.keypoints
    children = [child for child, parent in enumerate(keypoints.parents) if parent == keypoint]
    (left,), (right,) = (set(children) & set(side) for side in (keypoints.left, keypoints.right))
    (middle,) = set(children) - {left, right}
    across = directions[:, left] - directions[:, right]
    nowhere = np.linalg.norm(across, axis=-1, keepdims=True) < SHORTEST
    across = np.where(nowhere, perpendicular(directions[:, left]), unit(across))
    up = directions[:, middle if keypoint == keypoints.root else keypoint]
    return across, up, np.ones(len(directions))


def _hinge(skeleton: Skeleton, keypoint: int, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The axis (3,) at rest about which the bone beyond bends, where it is (N, 3), and how well that tells (N,)."""
    name = skeleton.keypoints.names[keypoint]
    if part_of(name) not in _HINGES or skeleton.keypoints.parents.index(keypoint) not in skeleton.kept:
        return perpendicular(skeleton.rest[keypoint]), directions[:, keypoint], np.zeros(len(directions))
    beyond = directions[:, skeleton.keypoints.parents.index(keypoint)]
    across = np.cross(directions[:, keypoint], beyond)
    bend = np.arctan2(np.linalg.norm(across, axis=-1), (directions[:, keypoint] * beyond).sum(-1))
    share = np.clip((bend - HINGE_FROM) / (HINGE_ALL - HINGE_FROM), 0, 1)
    axis = _HINGES[part_of(name)][name.startswith("right_")]
    return np.array(axis), across, share * share * (3 - 2 * share)
