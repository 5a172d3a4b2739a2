"""Windows of motion as seen by cameras from any direction, held in any way; pure, from an explicit random generator.

Where :func:`mpm_mmpose.augmentation.pipeline.virtual_camera` varies the camera that a window was recorded with, these
put a new one somewhere around the person. They draw once per sample for its whole window and ask the device for no
value.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..pose.geometry import axis_turn, multiplied, project, rotated
from ..pose.keypoints import KeypointSet
from .window_batch import WindowBatch

Range = tuple[float, float]
#: Half the field of view of the widest and of the narrowest lens, as focal lengths in half widths of the image.
FOCAL = (1.2, 6.0)
NEAREST = 0.3  # m, a keypoint nearer to the camera than that is not in the image


def surrounding_camera(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    elevation: Range = (-40.0, 63.0),
    roll: float = 26.0,
    distance: Range = (2.0, 8.0),
    coverage: Range = (0.25, 1.1),
    shift: float = 0.35,
) -> WindowBatch:
    """The same motion seen by a camera that stands anywhere around the person and is held in any way.

    The direction it looks from is drawn evenly all round, and evenly within ``elevation``, degrees above the horizontal
    (``down``; where that is not known the camera's y). roll: deviation of how it is turned about its line of sight,
    degrees. distance: m from the root in the middle frame. coverage: how much of the image's height the person takes up
    in that frame, which gives the focal length, between a wide lens and a long one. shift: how far, in images, the
    person stands from the image's middle at most. The image is square, without distortion; keypoints outside of it, or
    behind the camera, are missed.
    Raises ValueError where there are no 3D poses.
    """
    poses = windows.keypoints_3d
    if poses is None:
        raise ValueError("surrounding_camera: there are no 3D poses to look at; give data that has them")
    device, dtype = generator.device, poses.dtype
    draw = torch.rand(len(poses), 6, generator=generator, device=device, dtype=dtype)
    rolls = torch.randn(len(poses), generator=generator, device=device, dtype=dtype).clamp(-3, 3) * roll
    yaw = 360 * draw[:, 0]
    raised = _between(elevation, draw[:, 1])
    down = _axis(poses, 1) if windows.down is None else torch.where(windows.down.isnan(), _axis(poses, 1), windows.down)
    turn = _upright(down)  # (B, 3, 3)
    for angle, axis in ((yaw, 1), (raised, 0), (rolls, 2)):
        turn = multiplied(axis_turn(angle * (torch.pi / 180), axis), turn)

    middle, root = poses.shape[1] // 2, keypoint_set.root
    turned = rotated(turn, poses - poses[:, middle, None, root, None])
    depth = _between(distance, draw[:, 2])
    height = turned[:, middle, :, 1].amax(1) - turned[:, middle, :, 1].amin(1)
    focal = (2 * _between(coverage, draw[:, 3]) * depth / height.clamp(min=0.3)).clamp(*FOCAL)
    aside = 2 * shift * (2 * draw[:, 4:] - 1) / focal[:, None]  # (B, 2) tangents
    place = torch.cat([aside * depth[:, None], depth[:, None]], dim=1)
    seen = turned + place[:, None, None]

    intrinsics = torch.zeros(len(poses), 9, device=device, dtype=dtype)
    intrinsics[:, :2] = focal[:, None]
    in_front = seen[..., 2:] >= NEAREST
    image = project(torch.where(in_front, seen, torch.ones_like(seen)), intrinsics)
    outside = ~in_front[..., 0] | (image.abs() > 1).any(-1)
    return windows._replace(
        keypoints_3d=seen,
        keypoints=image,
        true_keypoints=None if windows.true_keypoints is None else image,
        intrinsics=intrinsics,
        down=rotated(turn, down),
        aspect=torch.ones_like(focal),
        missed=outside if windows.missed is None else windows.missed | outside,
    )


def guessed_focal(
    windows: WindowBatch, keypoint_set: KeypointSet, *, generator: torch.Generator, deviation: float = 0.0
) -> WindowBatch:
    """What is known of the focal length is off: by a factor whose logarithm has this deviation.

    2D stays. A person seen through the guessed lens stands as much nearer or further, on the ray that it gives, as the
    guess is off, so that 3D still goes with 2D and lens; their pose stays. Raises ValueError without 3D or camera.
    """
    if windows.keypoints_3d is None or windows.intrinsics is None:
        raise ValueError("guessed_focal: there is no 3D or no camera; use it after surrounding_camera")
    poses, root = windows.keypoints_3d, keypoint_set.root
    factor = torch.randn(len(poses), generator=generator, device=generator.device, dtype=poses.dtype)
    factor = (deviation * factor.clamp(-2, 2)).exp()
    intrinsics = torch.cat([windows.intrinsics[:, :2] / factor[:, None], windows.intrinsics[:, 2:]], dim=1)
    nearer = torch.zeros_like(poses[:, :, root])
    nearer[..., 2] = poses[:, :, root, 2] * (1 / factor - 1)[:, None]
    return windows._replace(keypoints_3d=poses + nearer[:, :, None], intrinsics=intrinsics)


def _between(limits: Range, share: Tensor) -> Tensor:
    low, high = limits
    return low + (high - low) * share


def _axis(like: Tensor, axis: int) -> Tensor:
    """A coordinate axis (B, 3) for every sample of ``like``."""
    vectors = torch.zeros(len(like), 3, device=like.device, dtype=like.dtype)
    vectors[:, axis] = 1
    return vectors


def _upright(down: Tensor) -> Tensor:
    """Rotations (B, 3, 3) into axes whose y is ``down`` (B, 3), a unit vector; about it they are turned somehow."""
    # Of two axes the one that is further from down.
    steep = down[:, 2:].abs() > 0.7
    helper = torch.where(steep, _axis(down, 0), _axis(down, 2))
    right = torch.nn.functional.normalize(torch.linalg.cross(down, helper, dim=-1), dim=-1)
    return torch.stack([right, down, torch.linalg.cross(right, down, dim=-1)], 1)
