"""What a 2D detector does to true keypoints: noise, outliers, confidence, missed and occluded keypoints; pure."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..masking import random_stretches
from ..pose.keypoints import KeypointSet
from .window_batch import WindowBatch


def detector_noise(
    windows: WindowBatch,
    keypoint_set: KeypointSet,
    *,
    generator: torch.Generator,
    sigma: float = 0.0,
    outliers: float = 0.0,
    outlier_scale: float = 5.0,
    keypoint_scale: Mapping[str, float] | None = None,
    missed: float = 0.0,
    occluded: float = 0.0,
    occluded_frames: tuple[int, int] = (5, 30),
) -> WindowBatch:
    """2D as a detector gives it: off by some pixels, sometimes far off, unsure where it is off, and blind at times.

    sigma: deviation of the Gaussian error, normalised units (0.01 is 5 px of an image 1000 px wide). outliers: share of
    keypoints whose error is of Student's t with 2 degrees of freedom instead, ``outlier_scale`` times as large.
    keypoint_scale: factors of sigma by keypoint name, 1 for the others. missed: chance of every keypoint of every frame
    not to be found. occluded: chance of every keypoint to be occluded, once in the window, for a number of frames
    between the two ``occluded_frames``, both ends included; the window may begin or end meanwhile.
    The score is 1 / (1 + (error / (3 * sigma))^2), so 0.9 at one deviation, 0 for what is missed; where sigma is 0 it
    is 1. Scores and missed of ``windows`` are kept: scores multiply, missed keypoints add up. ``true_keypoints``
    are what the keypoints were.
    Raises ValueError where there is no 2D, KeyError for an unknown keypoint, ValueError for a chance outside [0, 1].
    """
    if windows.keypoints is None:
        raise ValueError("detector_noise: there are no 2D keypoints; use it where 2D is augmented")
    for name, chance in dict(outliers=outliers, missed=missed, occluded=occluded).items():
        if not 0 <= chance <= 1:
            raise ValueError(f"detector_noise: {name} is {chance}; give a share in [0, 1]")
    shape = windows.keypoints.shape[:3]
    device = generator.device
    normal = torch.randn(*shape, 2, generator=generator, device=device)
    # One draw each for: is it an outlier, how far off, is it missed.
    is_outlier, tail, is_missed = torch.rand(3, *shape, generator=generator, device=device).unbind()
    # -log(u) is half a chi-square of 2 degrees of freedom; bounded, so that an outlier stays within 100 deviations.
    student = outlier_scale * (-tail.clamp(min=1e-30).log()).clamp(min=1e-4).rsqrt()
    scales = [1.0] * len(keypoint_set)
    for name, scale in (keypoint_scale or {}).items():
        scales[keypoint_set.index(name)] = float(scale)
    spread = sigma * torch.tensor(scales).to(device, non_blocking=True)
    error = torch.where(is_outlier < outliers, student, 1.0)[..., None] * normal * spread[:, None]

    masked = (is_missed < missed) | _occlusions(shape, occluded, occluded_frames, generator)
    squares = (error * error).sum(-1) / (9 * spread * spread).clamp(min=1e-20)
    scores = (1 / (1 + squares)).masked_fill(masked, 0)
    return windows._replace(
        keypoints=windows.keypoints + error,
        true_keypoints=windows.keypoints if windows.true_keypoints is None else windows.true_keypoints,
        scores=scores if windows.scores is None else windows.scores * scores,
        missed=masked if windows.missed is None else windows.missed | masked,
    )


def _occlusions(shape: torch.Size, chance: float, frames: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(B, T, K) bool: one stretch of frames of every keypoint with this chance."""
    batch, window, keypoints = shape
    happens = torch.rand(batch, 1, keypoints, generator=generator, device=generator.device) < chance
    return happens & random_stretches(batch, window, keypoints, frames, generator)
