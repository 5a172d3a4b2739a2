"""The same motion by other bodies; pure, from an explicit random generator."""

from __future__ import annotations

import torch
from torch import Tensor

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


def _limb_of(keypoint_set: KeypointSet, index: int) -> int:
    """0 where the bone that ends in this keypoint is of a leg, 1 of an arm, 2 of trunk and head, shoulders and hips."""
    for limb, indices in keypoint_set.limbs.items():
        if index in indices[1:]:
            return 0 if limb.endswith("leg") else 1
    return 2
