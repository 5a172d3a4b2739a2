"""Bones of poses: how long they are, where they point, and poses whose bones keep one length; pure numpy."""

from __future__ import annotations

import numpy as np

from .keypoints import KeypointSet

SHORTEST = 1e-6  # m, a bone that is shorter in a frame has no direction there


def measure_bones(keypoints: KeypointSet, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths (K,), directions (N, K, 3) and where they are known (N, K); of poses (N, K, 3) m.

    A bone ends in its keypoint; the root has one of length 0. A length is the median over the frames, and the mean with
    its mirror image; NaN for a bone that is never known.
    """
    parents = np.array(keypoints.parents)
    parents[keypoints.root] = keypoints.root
    bones = poses.astype(np.float64) - poses[:, parents]
    measured = np.linalg.norm(bones, axis=-1)
    lengths = np.array([np.median(one[np.isfinite(one)]) if np.isfinite(one).any() else np.nan for one in measured.T])
    lengths = (lengths + lengths[list(keypoints.flip_indices)]) / 2
    known = np.isfinite(measured) & (measured >= SHORTEST)
    known[:, keypoints.root] = np.isfinite(poses[:, keypoints.root]).all(-1)
    directions = np.where(known[..., None], bones, 0)
    return lengths, directions / np.linalg.norm(directions, axis=-1, keepdims=True).clip(SHORTEST), known


def place_bones(keypoints: KeypointSet, lengths: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(N, K, 3) m from the root, of bones of lengths (K,) m and directions (N, K, 3) that end in the keypoints."""
    positions = np.zeros_like(directions)
    for keypoint in keypoints.outwards[1:]:
        bone = lengths[keypoint] * directions[:, keypoint]
        positions[:, keypoint] = positions[:, keypoints.parents[keypoint]] + bone
    return positions


def constant_bones(keypoints: KeypointSet, poses: np.ndarray) -> np.ndarray:
    """Poses (N, K, 3) m, root at 0, with the given ones' directions and one length per bone; frames of NaN stay."""
    known = np.isfinite(poses).all((1, 2))
    fixed = np.full_like(poses, np.nan)
    if known.any():
        lengths, directions, _ = measure_bones(keypoints, poses[known])
        fixed[known] = place_bones(keypoints, lengths, directions)
    return fixed
