"""Errors of 2D detectors in proportion to the person, which last for a while; pure, from an explicit generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..masking import random_stretches
from ..pose.keypoints import KeypointSet
from .window_batch import WindowBatch

#: Frames after which a drift has become another one.
DRIFT_FRAMES = 8
OUTLIER = 6.0  # times the jitter


def person_noise(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    strength: tuple[float, float] = (1.0, 1.0),
    offset: float = 0.0,
    drift: float = 0.0,
    jitter: float = 0.0,
    outliers: float = 0.0,
    exchanged: float = 0.0,
    missed: float = 0.0,
    occluded: float = 0.0,
    frames: tuple[int, int] = (5, 30),
    absent: float = 0.0,
    occluded_half: float = 0.0,
) -> WindowBatch:
    """2D as a detector gives it of a person of any size in the image.

    offset, drift, jitter: deviations of three errors, in shares of the person's size (the diagonal of the box around
    the keypoints, its mean over the window): one that stays for the whole window, since detectors and motion capture
    mean other places by hip or shoulder; one that changes slowly; one that is new in every frame, and six times as
    large for ``outliers``, a share of keypoints. strength: factor on all three, drawn for each window between the two,
    even in its logarithm. exchanged: chance of the legs, and of the arms, to be seen as each other's for a stretch of
    ``frames`` (shortest, longest). missed: chance of every keypoint of every frame not to be found. occluded: chance
    of every keypoint not to be found for one such stretch. absent: chance of the person not to be found at all for one
    such stretch, which is shorter than the window. occluded_half: chance of the legs, the arms, the right or the left
    arm and leg not to be found for one such stretch.
    ``true_keypoints`` are what the keypoints were; scores of what is missed are 0, others as they were.
    Raises ValueError where there is no 2D or a chance is outside [0, 1].
    """
    if windows.keypoints is None:
        raise ValueError("person_noise: there are no 2D keypoints; use it where 2D is augmented")
    chances = dict(outliers=outliers, exchanged=exchanged, missed=missed, occluded=occluded)
    chances |= dict(absent=absent, occluded_half=occluded_half)
    if wrong := {name: chance for name, chance in chances.items() if not 0 <= chance <= 1}:
        raise ValueError(f"person_noise: {wrong}; give shares in [0, 1]")
    keypoints = windows.keypoints
    batch, window, number = keypoints.shape[:3]
    device, dtype = generator.device, keypoints.dtype

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=device, dtype=dtype)

    def chance(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device, dtype=dtype)

    low, high = strength
    size = torch.linalg.vector_norm(keypoints.amax(2) - keypoints.amin(2), dim=-1).mean(1)  # (B,)
    size = size * low * (high / low) ** chance(batch)
    slow = normal(batch, number * 2, max(2, 1 + window // DRIFT_FRAMES))
    slow = F.interpolate(slow, window, mode="linear", align_corners=True)
    slow = slow.transpose(1, 2).reshape(batch, window, number, 2)
    quick = normal(batch, window, number, 2)
    quick = torch.where(chance(batch, window, number, 1) < outliers, OUTLIER * quick, quick)
    error = offset * normal(batch, 1, number, 2) + drift * slow + jitter * quick
    seen = _exchanged(keypoints, keypoint_set, exchanged, frames, generator)

    away = chance(batch, window, number) < missed
    if occluded:
        happens = chance(batch, 1, number) < occluded
        away = away | (happens & random_stretches(batch, window, number, frames, generator))
    if absent or occluded_half:
        away = away | _parts_missed(keypoints.shape, keypoint_set, absent, occluded_half, frames, generator)
    away = away if windows.missed is None else away | windows.missed
    return windows._replace(
        keypoints=seen + size[:, None, None, None] * error,
        true_keypoints=keypoints if windows.true_keypoints is None else windows.true_keypoints,
        scores=None if windows.scores is None else windows.scores.masked_fill(away, 0),
        missed=away,
    )


def _parts_missed(
    shape: torch.Size,
    keypoint_set: KeypointSet,
    absent: float,
    occluded_half: float,
    frames: tuple[int, int],
    generator: torch.Generator,
) -> Tensor:
    """(B, T, K) bool: the whole person, and half of the limbs, each for a stretch of frames by its chance."""
    batch, window, number = shape[:3]
    halves = torch.zeros(4, number, dtype=torch.bool)  # legs, arms, right, left
    for limb, indices in keypoint_set.limbs.items():
        halves[0 if limb.endswith("leg") else 1, indices] = True
        halves[2 if limb.startswith("right") else 3, indices] = True
    draw = torch.rand(batch, 1, 3, generator=generator, device=generator.device)
    half = halves.to(generator.device, non_blocking=True)[(4 * draw[:, 0, 2]).long().clamp_(max=3)]  # (B, K)
    happens = draw[..., :2] < draw.new_tensor([absent, occluded_half])  # (B, 1, person and half)
    longest = min(frames[1], window - 1)
    when = happens & random_stretches(batch, window, 2, (min(frames[0], longest), longest), generator)
    return when[..., :1] | (when[..., 1:] & half[:, None])


def _exchanged(
    keypoints: Tensor, keypoint_set: KeypointSet, chance: float, frames: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Keypoints (B, T, K, 2) with left and right legs, or arms, exchanged for a stretch of frames by this chance."""
    if not chance:
        return keypoints
    batch, window, number = keypoints.shape[:3]
    happens = torch.rand(batch, 1, 2, generator=generator, device=generator.device) < chance
    when = happens & random_stretches(batch, window, 2, frames, generator)  # (B, T, legs and arms)
    order = list(range(number))
    part = torch.zeros(2, number, dtype=torch.bool)
    for limb, indices in keypoint_set.limbs.items():
        for index in indices:
            order[index] = keypoint_set.flip_indices[index]
            part[0 if limb.endswith("leg") else 1, index] = True
    part = part.to(keypoints.device, non_blocking=True)
    exchange = (when[..., None] & part).any(2)  # (B, T, K)
    return torch.where(exchange[..., None], keypoints[:, :, order], keypoints)
