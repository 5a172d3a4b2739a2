"""What a 2D detector makes of true keypoints where things stand in the way, with scores that are mostly right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from mpm_mmpose.augmentation.detector_noise import detector_noise
from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.pose.geometry import denormalize_screen, normalize_screen
from mpm_mmpose.pose.keypoints import get_keypoint_set

#: Of keypoints that are seen: deviation in normalised units (4 px of an image 1000 px wide), outliers, missed ones.
NOISE = dict(sigma=0.008, outliers=0.02, missed=0.01)
#: Where an occluded keypoint is taken to be: so far off (standard deviation), as a part of the person's height ...
WRONG_BY = 0.15
#: ... with a score of at most this, but for the share of stretches in which the detector is as sure as ever.
UNSURE, FOOLED = 0.3, 0.1
#: Seconds, shortest and longest, that something is occluded, and the share of time in which it is.
STRETCHES = {
    "nothing occluded": None,
    "single keypoints": ((0.1, 1.0), 0.15),
    "whole frames": ((0.1, 1.0), 0.2),
    "half of the body": ((0.5, 2.0), 0.4),
}


@dataclass(frozen=True)
class Detected:
    """A track as detected, and what was really occluded: (N, K) bool."""

    track: Track2D
    occluded: np.ndarray


def detect(track: Track2D, occlusion: str, seed: int) -> Detected:
    """Detect a track (N, K, 2) of true 2D with one of the ``STRETCHES`` of occlusion, again and again over the track.

    Seen keypoints have the errors of :func:`~mpm_mmpose.augmentation.detector_noise.detector_noise`. An occluded one is
    found all the same, somewhere else, at a place that stays while it is occluded; most of the time with a low score.
    Of a body that is half behind an edge, through the pelvis, what is beyond is found on the edge. Raises KeyError for
    another occlusion.
    """
    random = np.random.default_rng(seed)
    noisy = _noisy(track, seed)
    frames, number = noisy.scores.shape
    if STRETCHES[occlusion] is None:
        return Detected(noisy, np.zeros((frames, number), bool))
    seconds, share = STRETCHES[occlusion]
    columns = number if occlusion == "single keypoints" else 1
    stretch = np.stack([_stretches(frames, track.fps, seconds, share, random) for _ in range(columns)], 1)
    stretch = np.broadcast_to(stretch, (frames, number))
    wrong, occluded = noisy.keypoints.copy(), stretch >= 0
    most = max(int(stretch.max()), 0) + 1  # a short clip may have no stretch
    if occlusion == "half of the body":
        for index in range(most):
            rows = stretch[:, 0] == index
            wrong[rows], beyond = _behind_edge(noisy.keypoints[rows], track, random)
            occluded[rows] &= beyond
    else:
        offsets = random.normal(scale=WRONG_BY * _height(track), size=(most, number, 2))
        wrong += offsets[stretch, np.arange(number)].astype(np.float32)
    unsure = random.uniform(0, UNSURE, (frames, number))
    fooled = (random.uniform(size=(most, number)) < FOOLED)[stretch, np.arange(number)]
    scores = np.where(occluded & ~fooled, unsure, noisy.scores)
    # Detectors look inside of the image.
    keypoints = np.where(occluded[..., None], wrong, noisy.keypoints).clip(0, (track.width, track.height))
    return Detected(replace(track, keypoints=keypoints, scores=scores), occluded)


def _noisy(track: Track2D, seed: int) -> Track2D:
    size = track.width, track.height
    shown = torch.from_numpy(normalize_screen(track.keypoints, *size))[None]
    windows = detector_noise(
        WindowBatch(keypoints=shown),
        get_keypoint_set(track.keypoint_set),
        generator=torch.Generator().manual_seed(seed),
        **NOISE,
    )
    keypoints = denormalize_screen(windows.keypoints[0].numpy(), *size).clip(0, size)
    return replace(track, keypoints=keypoints, scores=windows.scores[0])


def _stretches(
    frames: int, fps: float, seconds: tuple[float, float], share: float, random: np.random.Generator
) -> np.ndarray:
    """(N,) number of the stretch that each frame is in, -1 in none; ``share`` of the time is in one, on average."""
    numbers = np.full(frames, -1)
    between = np.mean(seconds) * (1 - share) / share
    time, number = random.exponential(between), 0
    while time * fps < frames:
        length = random.uniform(*seconds)
        # At least one frame, however slow the camera.
        first = round(time * fps)
        numbers[first : max(round((time + length) * fps), first + 1)] = number
        time, number = time + length + random.exponential(between), number + 1
    return numbers


def _behind_edge(keypoints: np.ndarray, track: Track2D, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (N, K, 2) with what is beyond an edge on it, and (N, K) bool, what that is.

    The edge is left or right of the pelvis, or below it, in each frame.
    """
    root = get_keypoint_set(track.keypoint_set).root
    axis, sign = ((0, 1), (0, -1), (1, 1))[random.integers(3)]
    edge = keypoints[:, root : root + 1, axis]
    beyond = sign * (keypoints[..., axis] - edge) > 0
    moved = keypoints.copy()
    moved[..., axis] = np.where(beyond, edge, keypoints[..., axis])
    return moved, beyond


def _height(track: Track2D) -> float:
    """Px, of the person in most frames."""
    return float(np.median(np.ptp(track.keypoints[..., 1], axis=1)))
