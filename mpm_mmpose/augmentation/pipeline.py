"""Augmentation of whole batches of windows on their device; pure, from an explicit random generator.

Every function takes :class:`WindowBatch` and the keypoint set, draws once per sample for its whole window with a few
vectorised draws, asks the device for no value, and changes nothing with its default arguments, but for
surrounding_camera, which is another one. Ranges are (lowest, highest).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from ..pose.geometry import axis_turn, rotated
from ..pose.keypoints import KeypointSet
from .bodies import body_proportions
from .detector_noise import detector_noise
from .person_noise import person_noise
from .surrounding_camera import guessed_focal, surrounding_camera
from .window_batch import WindowBatch, need_3d, projected

Range = tuple[float, float]


def virtual_camera(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    yaw: Range = (0, 0),
    tilt: Range = (0, 0),
    roll: Range = (0, 0),
    distance: Range = (1, 1),
    focal: Range = (1, 1),
    near: float = 0.5,
) -> WindowBatch:
    """The same motion seen by another camera; 2D is projected anew, so that a detector's errors in it are gone.

    yaw, tilt, roll: degrees, about the vertical (``down``, where it is not known the camera's y, which is right for a
    level camera), the camera's x and its z, through the middle of the root's path. distance, focal: factors.
    The middle stays where it is in the image. The camera then moves back as far as every keypoint of every frame needs
    to be ``near`` metres in front of it and in the image (a square one where ``aspect`` is not known), distortion left
    out; what was out of the image or nearer before may be so by as much again. Samples of unknown intrinsics stay as
    they are.

    Without intrinsics in ``windows`` there is no image to stay in, and poses are turned about their middle only.
    Raises ValueError where there are no 3D poses.
    """
    poses = need_3d("virtual_camera", windows)
    # poses (B, T, K, 3), draw (B, 5), yaws to focals (B,), vertical (B, 3), rotation (B, 3, 3).
    draw = torch.rand(len(poses), 5, generator=generator, device=generator.device, dtype=poses.dtype)
    yaws, tilts, rolls = (
        (low + (high - low) * draw[:, i]) * (torch.pi / 180) for i, (low, high) in enumerate((yaw, tilt, roll))
    )
    distances, focals = (low + (high - low) * draw[:, 3 + i] for i, (low, high) in enumerate((distance, focal)))
    vertical = windows.down
    if vertical is not None:
        vertical = torch.where(vertical.isnan(), _camera_down(vertical), vertical)
    rotation = axis_turn(rolls, 2) @ axis_turn(tilts, 0) @ axis_turn(yaws, 1 if vertical is None else vertical)

    # middle and down (B, 3), turned (B, T, K, 3).
    middle = poses[:, :, keypoint_set.root].mean(1)
    turned = rotated(rotation, poses - middle[:, None, None])
    down = None if windows.down is None else rotated(rotation, windows.down)
    if windows.intrinsics is None:
        return windows._replace(keypoints_3d=turned + middle[:, None, None], down=down)

    # old and new (B, 9), ray (B, 3), aspect, needed and depth (B,), moved (B, T, K, 3), known (B,), keep (B, 1, 1, 1).
    old = windows.intrinsics
    new = torch.cat([old[:, :2] * focals[:, None], old[:, 2:]], dim=1)
    ray = torch.cat([middle[:, :2] / middle[:, 2:] / focals[:, None], torch.ones_like(middle[:, :1])], dim=1)
    aspect = torch.ones_like(focals) if windows.aspect is None else windows.aspect.nan_to_num(nan=1.0)
    needed = _needed_depth(poses, turned, ray, old, new, aspect, near)
    depth = torch.maximum(middle[:, 2] * distances, needed)
    moved = turned + (ray * depth[:, None])[:, None, None]

    known = ~old.isnan().any(1)
    keep = known[:, None, None, None]
    return projected(windows, moved, new, keep)._replace(
        intrinsics=torch.where(known[:, None], new, old),
        down=None if down is None else torch.where(known[:, None], down, windows.down),
    )


AUGMENTATIONS: dict[str, Callable[..., WindowBatch]] = {
    "virtual_camera": virtual_camera,
    "body_proportions": body_proportions,
    "detector_noise": detector_noise,
    "surrounding_camera": surrounding_camera,
    "guessed_focal": guessed_focal,
    "person_noise": person_noise,
}
"""Augmentations by the name a config gives them."""

NEED_3D = frozenset({virtual_camera, body_proportions, surrounding_camera, guessed_focal})
"""Those that make 2D from 3D."""


def read_augmentations(field: str, configs: Sequence[Mapping]) -> list[partial[WindowBatch]]:
    """Augmentations, to be called with windows, keypoint_set and generator, of configs ``dict(type=..., **arguments)``.

    Raises ValueError that names ``field`` where a type or an argument is not known.
    """
    found = []
    for config in configs:
        arguments = dict(config)
        name = arguments.pop("type", None)
        if name not in AUGMENTATIONS:
            raise ValueError(f"{field} has type={name!r}; choose one of {sorted(AUGMENTATIONS)}.")
        known = set(inspect.signature(AUGMENTATIONS[name]).parameters) - {"windows", "keypoint_set", "generator"}
        if unknown := set(arguments) - known:
            raise ValueError(f"{field}: {name} has no {sorted(unknown)}; it has {sorted(known)}.")
        found.append(partial(AUGMENTATIONS[name], **arguments))
    return found


def _camera_down(down: Tensor) -> Tensor:
    """The camera's y for every sample, like ``down`` (B, 3)."""
    axis = torch.zeros_like(down)
    axis[:, 1] = 1
    return axis


def _needed_depth(
    poses: Tensor, turned: Tensor, ray: Tensor, old: Tensor, new: Tensor, aspect: Tensor, near: float
) -> Tensor:
    """Least depth (B,) m of the middle on its ray, from which ``turned``, relative to it, is in front and in the image.

    A point q + ray * Z is left of the limit h where q_x + ray_x Z <= h (q_z + Z): linear in Z, so there is no search.
    """
    depth = poses[..., 2].amin((1, 2))
    needed = depth.clamp(min=0.05, max=near) - turned[..., 2].amin((1, 2))
    for axis, end in ((0, torch.ones_like(aspect)), (1, aspect)):
        f, c = old[:, axis], old[:, 2 + axis]
        image = f[:, None, None] * poses[..., axis] / poses[..., 2].clamp(min=0.05) + c[:, None, None]
        # The image, or what the window took of the plane before; a hair more, so that the middle is within the limits.
        high = torch.maximum(image.amax((1, 2)) + 1e-3, end)
        low = torch.minimum(image.amin((1, 2)) - 1e-3, -end)
        for sign, limit in ((1, high), (-1, low)):
            limit = sign * (limit - c) / new[:, axis]
            room = limit - sign * ray[:, axis]
            beyond = sign * turned[..., axis] - limit[:, None, None] * turned[..., 2]
            needed = torch.maximum(needed, beyond.amax((1, 2)) / room)
    return needed
