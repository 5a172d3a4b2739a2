"""Sequences whose 2D has the errors of a detector, to measure on: the same for every model."""

from __future__ import annotations

import zlib
from dataclasses import replace

import torch

from ..augmentation.person_noise import person_noise
from ..augmentation.window_batch import WindowBatch
from ..masking import stream_generator
from ..pose.keypoints import get_keypoint_set
from ..pose.pose_sequence import PoseSequence

#: What training on noisy 2D uses too (configs/mpm/_base_/models/wild.py), without what is not found.
ERRORS = dict(strength=(0.5, 2.0), offset=0.02, drift=0.012, jitter=0.006, outliers=0.01)


def noisy_sequence(sequence: PoseSequence, seed: int) -> PoseSequence:
    """The sequence with errors in its 2D (px); they depend on ``seed`` and its name alone. 3D stays exact."""
    generator = stream_generator("cpu", seed, zlib.crc32(sequence.name.encode()))
    windows = WindowBatch(keypoints=torch.from_numpy(sequence.keypoints)[None])
    noisy = person_noise(windows, get_keypoint_set(sequence.keypoint_set), generator=generator, **ERRORS)
    return replace(sequence, keypoints=noisy.keypoints[0].numpy())
