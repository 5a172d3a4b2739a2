"""Windows of poses as a camera sees them, in a mirror, and with other poses; pure."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..pose.geometry import project


class WindowBatch(NamedTuple):
    """Windows of poses and how a camera sees them; what is not known is None.

    keypoints: (B, T, K, 2) normalised; keypoints_3d: (B, T, K, 3) camera space, metres; intrinsics: (B, 9) normalised,
    NaN where unknown; down: (B, 3) unit vector to the ground in camera space and aspect: (B,) height / width of the
    image, both NaN where unknown; scores: (B, T, K) confidence in [0, 1]; missed: (B, T, K) bool, True where the
    detector did not find a keypoint, whose position is then not to be used; true_keypoints: (B, T, K, 2) normalised,
    what ``keypoints`` were before a detector's errors, None where there are none; unknown, unknown_3d: (B, T, K) bool,
    True where the data set does not know the keypoint in 2D or 3D, so that it can neither be shown nor asked for.
    """

    keypoints: Tensor | None = None
    keypoints_3d: Tensor | None = None
    intrinsics: Tensor | None = None
    down: Tensor | None = None
    scores: Tensor | None = None
    missed: Tensor | None = None
    aspect: Tensor | None = None
    true_keypoints: Tensor | None = None
    unknown: Tensor | None = None
    unknown_3d: Tensor | None = None


def mirror(windows: WindowBatch, samples: Tensor, flip_indices: Tensor) -> WindowBatch:
    """The windows with those samples mirrored, left and right exchanged, where ``samples`` (B,) is True.

    The mirrored camera has its principal point cx and its tangential distortion p1 on the other side. flip_indices (K,)
    int64. Asks the device for no value.
    """
    batch, number = len(samples), len(flip_indices)
    # order (B, K): where each keypoint comes from, also where nothing is mirrored: one gather, which moves every number
    # once.
    order = torch.where(samples[:, None], flip_indices, torch.arange(number, device=samples.device))

    def choose(new: Tensor, old: Tensor) -> Tensor:  # (B, C)
        return torch.where(samples[:, None], new, old)

    def exchanged(values: Tensor) -> Tensor:  # (B, T, K, C), or (B, T, K), of which C is 1
        size = values.shape[3:].numel()
        # numbers (B, K, C), found (B, T, K * C).
        # Flat rows of numbers: over the keypoints of a 4D tensor it takes longer.
        numbers = order[:, :, None] * size + torch.arange(size, device=values.device)
        found = values.flatten(2).gather(2, numbers.view(batch, 1, -1).expand(-1, values.shape[1], -1))
        if values.ndim == 4:  # positions: x on the other side
            signs = values.new_ones(batch, number, size)  # (B, K, C)
            signs[..., 0] -= 2 * samples[:, None]
            found *= signs.view(batch, 1, -1)
        return found.view(values.shape)

    fields = {name: value for name, value in windows._asdict().items() if value is not None}
    for name, value in fields.items():
        if name == "aspect":
            continue
        if name == "intrinsics":
            parts = value[:, :2], -value[:, 2:3], value[:, 3:7], -value[:, 7:8], value[:, 8:]
            fields[name] = choose(torch.cat(parts, dim=1), value)
        elif name == "down":
            fields[name] = choose(torch.cat([-value[:, :1], value[:, 1:]], dim=1), value)
        else:
            fields[name] = exchanged(value)
    return WindowBatch(**fields)


def need_3d(name: str, windows: WindowBatch) -> Tensor:
    """The windows' 3D poses (B, T, K, 3); ValueError, which begins with ``name``, where there are none."""
    if windows.keypoints_3d is None:
        raise ValueError(
            f"{name}: there are no 3D poses to change and project; give data that has them, or leave it out"
        )
    return windows.keypoints_3d


def projected(windows: WindowBatch, poses: Tensor, intrinsics: Tensor, keep: Tensor) -> WindowBatch:
    """The windows with 3D ``poses`` and their exact 2D where ``keep`` (B, 1, 1, 1), as they are elsewhere."""
    fields = dict(keypoints_3d=torch.where(keep, poses, windows.keypoints_3d))
    if windows.keypoints is not None:
        image = project(poses, intrinsics)
        fields["keypoints"] = torch.where(keep, image, windows.keypoints)
        if windows.true_keypoints is not None:
            fields["true_keypoints"] = torch.where(keep, image, windows.true_keypoints)
    return windows._replace(**fields)
