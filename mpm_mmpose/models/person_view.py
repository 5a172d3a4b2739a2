"""2D as seen by a camera that is turned to the person, in units of the person's size: no camera or framing matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pose.geometry import rotated

#: Root mean square of a person's keypoints from their centre, across the line of sight, m: people of CMU's motion.
#: With it an apparent size becomes a distance, which the model then corrects.
PERSON_SIZE = 0.30
# Apparent sizes (tangents) are seen as log(size / MEAN_SIZE): a person 3 m away.
MEAN_SIZE = 0.1
# Keypoints that are turned behind the camera are far outside every image; this keeps them finite.
NEAREST = 0.1
SMALLEST = 1e-4

#: Indices of the keypoints at the upper and at the lower end of the trunk: shoulders and hips.
Trunk = Sequence[Sequence[int]]


class PersonView(NamedTuple):
    """A window of 2D in the axes of a camera that looks at the window's centre.

    rotation: (B, 3, 3), rows are the turned camera's axes in the real camera's. rays: (B, T, K, 2) x / z and y / z in
    the turned camera; 0 where masked. visible: (B, T, K) bool. centre: (B, T, 1, 2) mean of each frame's visible rays.
    size: (B, 1, 1, 1) the person's apparent size in the window, a tangent. Nothing waits for the device.
    """

    rotation: Tensor
    rays: Tensor
    visible: Tensor
    centre: Tensor
    size: Tensor


def person_view(rays: Tensor, masked: Tensor, upright: Trunk | None = None) -> PersonView:
    """Turn the camera to the mean of the window's visible keypoints, each window alone.

    rays: (B, T, K, 2) x / z and y / z of the camera; what masked ones hold, NaN as well, does not matter. masked:
    (B, T, K) bool, True = masked. upright: turn the camera about its line of sight as well, until the trunk, its mean
    over the window, is upright in its image.
    """
    visible = ~masked
    weight = visible[..., None].to(rays.dtype)  # (B, T, K, 1)
    rays = rays.masked_fill(masked[..., None], 0.0)
    mean = rays.sum((1, 2)) / weight.sum((1, 2)).clamp(min=1)  # (B, 2)
    rotation = turned_to(mean)
    turned = rotated(rotation, F.pad(rays, (0, 1), value=1.0))  # (B, T, K, 3) in the turned camera
    rays = turned[..., :2] / turned[..., 2:].clamp(min=NEAREST) * weight
    if upright is not None:
        roll = rolled_upright(rays, weight, upright)  # (B, 2, 2)
        rotation = torch.cat([torch.bmm(roll, rotation[:, :2]), rotation[:, 2:]], dim=1)
        rays = torch.einsum("bij,btkj->btki", roll, rays)
    number = weight.sum(2, keepdim=True)  # (B, T, 1, 1)
    centre = rays.sum(2, keepdim=True) / number.clamp(min=1)
    squares = ((rays - centre).square() * weight).sum((1, 2, 3), keepdim=True)
    size = (squares / (2 * number.sum(1, keepdim=True).clamp(min=1))).sqrt().clamp(min=SMALLEST)
    return PersonView(rotation, rays, visible, centre, size)


def turned_to(mean: Tensor) -> Tensor:
    """Rotations (B, 3, 3) into a camera that looks along the rays ``mean`` (B, 2), not rolled."""
    forward = F.normalize(F.pad(mean, (0, 1), value=1.0), dim=-1)
    down = torch.zeros_like(forward)
    down[:, 1] = 1
    right = F.normalize(torch.linalg.cross(down, forward, dim=-1), dim=-1)
    return torch.stack([right, torch.linalg.cross(forward, right, dim=-1), forward], 1)


def rolled_upright(rays: Tensor, weight: Tensor, trunk: Trunk) -> Tensor:
    """Rotations (B, 2, 2) of the image after which the mean way from the trunk's lower to its upper end points up.

    rays: (B, T, K, 2); weight: (B, T, K, 1), 0 where masked. The identity where either end is never visible.
    """
    upper, lower = (
        (rays[:, :, list(end)].sum(2), weight[:, :, list(end)].sum(2)) for end in trunk
    )  # (B, T, 2), (B, T, 1)
    both = (upper[1] > 0) & (lower[1] > 0)
    way = upper[0] / upper[1].clamp(min=1) - lower[0] / lower[1].clamp(min=1)
    way = (way * both).sum(1)  # (B, 2)
    length = torch.linalg.vector_norm(way, dim=-1, keepdim=True)
    up = torch.where(length > SMALLEST, way / length.clamp(min=SMALLEST), way.new_tensor([0.0, -1.0]))
    across = torch.stack([-up[:, 1], up[:, 0]], dim=-1)
    return torch.stack([across, -up], dim=1)


def person_features(view: PersonView, tokens: Tensor) -> Tensor:
    """What an encoder sees of a view: (B, T, 3 K + 3).

    Keypoints relative to their frame's centre in units of the size, ``tokens`` (K, 2) where masked; which ones are
    masked; the centre in the same units; the size.
    """
    keypoints = torch.where(view.visible[..., None], (view.rays - view.centre) / view.size, tokens)
    frames = view.rays.shape[1]
    size = (view.size / MEAN_SIZE).log()[..., 0].expand(-1, frames, -1)
    masked = (~view.visible).to(keypoints.dtype)
    return torch.cat([keypoints.flatten(2), masked, (view.centre / view.size).flatten(2), size], dim=-1)


def placed_on_rays(free: Tensor, trust: Tensor, view: PersonView) -> Tensor:
    """Keypoints (B, T, K, 3) m of the turned camera, moved across the line of sight towards their rays.

    free: where the model puts them. trust: (B, T, K) in [0, 1], how far each is moved: 0 stays, 1 is on its ray at the
    depth that it has. Masked ones stay.
    """
    depth = free[..., 2:].clamp(min=NEAREST)
    trust = trust.masked_fill(~view.visible, 0.0)[..., None]
    across = free[..., :2] + trust * (view.rays * depth - free[..., :2])
    return torch.cat([across, free[..., 2:]], dim=-1)
