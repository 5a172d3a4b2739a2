"""The same motion by other bodies, and poses beside those that were recorded; pure, from an explicit random generator.

They draw once a sample for its whole window and ask the device for no value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..pose.geometry import multiplied, quaternion_to_matrix
from ..pose.keypoints import KeypointSet
from .window_batch import WindowBatch, need_3d, projected

Range = tuple[float, float]


def body_proportions(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    body: Range = (1, 1),
    limb: Range = (1, 1),
    bone: Range = (1, 1),
) -> WindowBatch:
    """The same motion by another body: bones keep their directions, the root its place, left and right one length.

    A bone's length is multiplied by the product of three factors: one of the whole body, one of the arms, the legs or
    the trunk with the head, one of the bone and its mirror image. 2D, where there is any, is projected anew; samples of
    unknown intrinsics stay as they are, their 3D too. Raises ValueError where there is no 3D, or 2D without camera.
    """
    poses = need_3d("body_proportions", windows)
    if windows.keypoints is not None and windows.intrinsics is None:
        raise ValueError("body_proportions: there is 2D, but no intrinsics to project the new bodies with; give them")
    draw = torch.rand(len(poses), 4 + len(keypoint_set), generator=generator, device=generator.device)
    (body_low, body_high), (limb_low, limb_high), (bone_low, bone_high) = body, limb, bone
    whole = body_low + (body_high - body_low) * draw[:, 0]
    groups = limb_low + (limb_high - limb_low) * draw[:, 1:4]
    bones = bone_low + (bone_high - bone_low) * draw[:, 4:]

    placed: dict[int, Tensor] = {}
    for index in keypoint_set.outwards:
        parent = keypoint_set.parents[index]
        if parent < 0:
            placed[index] = poses[:, :, index]
            continue
        pair = min(index, keypoint_set.flip_indices[index])
        factor = whole * groups[:, _limb_of(keypoint_set, index)] * bones[:, pair]
        placed[index] = placed[parent] + factor[:, None, None] * (poses[:, :, index] - poses[:, :, parent])
    scaled = torch.stack([placed[index] for index in range(len(keypoint_set))], dim=2)
    if windows.keypoints is None:
        return windows._replace(keypoints_3d=scaled)
    keep = ~windows.intrinsics.isnan().any(1)[:, None, None, None]
    return projected(windows, scaled, windows.intrinsics, keep)


def limb_directions(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    limb: float = 0.0,
    trunk: float = 0.0,
) -> WindowBatch:
    """Poses beside those that were recorded: arms, legs and the body above the pelvis are turned, bones keep lengths.

    Each limb is turned as a whole about the joint at the trunk, so that elbows and knees keep their angles; the trunk,
    with the arms, about the root. limb, trunk: deviation of each component of the turn in the strongest sample,
    degrees; how strong is drawn evenly from none to that, once a sample, and stays over its window. 2D, where there is
    any, is projected anew; samples of unknown intrinsics stay as they are, their 3D too. Raises ValueError where there
    is no 3D, or 2D without camera.
    """
    poses = need_3d("limb_directions", windows)
    if windows.keypoints is not None and windows.intrinsics is None:
        raise ValueError("limb_directions: there is 2D, but no intrinsics to project the new poses with; give them")
    turned_parts = 1 + len(keypoint_set.limbs)
    device, dtype = generator.device, poses.dtype
    strength = torch.rand(len(poses), 1, 1, generator=generator, device=device, dtype=dtype)
    turns = torch.randn(len(poses), turned_parts, 3, generator=generator, device=device, dtype=dtype)
    deviations = torch.full_like(turns[:1, :, :1], limb)
    deviations[:, 0] = trunk
    vectors = turns.clamp(-2, 2) * strength * deviations * (torch.pi / 180)  # (B, 1 + limbs, 3), the trunk's first
    rotations = _from_vectors(vectors)  # (B, 1 + limbs, 3, 3)
    still = torch.eye(3, device=device, dtype=dtype).expand(len(poses), 3, 3)
    of_bone = [rotations[:, 0]] * len(keypoint_set)  # of the bone that ends in a keypoint
    for number, (name, (joint, *beyond)) in enumerate(keypoint_set.limbs.items(), start=1):
        leg = name.endswith("leg")
        if leg:
            of_bone[joint] = still
        for index in beyond:
            of_bone[index] = rotations[:, number] if leg else multiplied(rotations[:, number], rotations[:, 0])
    parents = [max(parent, 0) for parent in keypoint_set.parents]
    bones = poses - poses[:, :, parents]  # (B, T, K, 3)
    turn = torch.stack(of_bone, dim=1)[:, None]  # (B, 1, K, 3, 3)
    bones = sum(turn[..., axis] * bones[..., axis : axis + 1] for axis in range(3))

    root = keypoint_set.root
    placed = {root: poses[:, :, root]}
    for index in keypoint_set.outwards[1:]:
        placed[index] = placed[keypoint_set.parents[index]] + bones[:, :, index]
    turned = torch.stack([placed[index] for index in range(len(keypoint_set))], dim=2)
    if windows.keypoints is None:
        return windows._replace(keypoints_3d=turned)
    keep = ~windows.intrinsics.isnan().any(1)[:, None, None, None]
    return projected(windows, turned, windows.intrinsics, keep)


def _from_vectors(vectors: Tensor) -> Tensor:
    """Rotations (..., 3, 3) by vectors (..., 3) that point along the axis and are as long as the angle, radians."""
    angle = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    axis = vectors / angle.clamp(min=1e-9)
    return quaternion_to_matrix(torch.cat([(angle / 2).cos(), (angle / 2).sin() * axis], dim=-1))


def _limb_of(keypoint_set: KeypointSet, index: int) -> int:
    """0 where the bone that ends in this keypoint is of a leg, 1 of an arm, 2 of trunk and head, shoulders and hips."""
    for limb, indices in keypoint_set.limbs.items():
        if index in indices[1:]:
            return 0 if limb.endswith("leg") else 1
    return 2
