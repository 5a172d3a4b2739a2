"""Batches of windows of people who walk, wholly in the image, and what of them is looked at."""

import torch
from hypothesis import strategies as st

from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import H36M_17

H36M_INTRINSICS = [2.29, 2.287, 0.025, 0.029, -0.207, 0.2475, -0.003, -0.0009, -0.0014]
PLAIN_INTRINSICS = [2.29, 2.287, 0.025, 0.029, 0, 0, 0, 0, 0]
SEEDS = st.integers(0, 2**31)


def range_in(low, high):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda pair: tuple(sorted(pair)))


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def views_of(seed, size=4, frames=6, intrinsics=H36M_INTRINSICS, keypoint_set=H36M_17):
    """People of 1.6 m who walk 1 m, wholly in the image."""
    generator = stream(seed)
    poses = (torch.rand(size, 1, len(keypoint_set), 3, generator=generator) - 0.5) * torch.tensor([0.8, 1.6, 0.8])
    poses = poses + 0.02 * torch.randn(size, frames, len(keypoint_set), 3, generator=generator)
    path = torch.linspace(-0.5, 0.5, frames)[:, None, None] * torch.randn(size, 1, 1, 3, generator=generator).sign()
    poses = poses + path * torch.tensor([1, 0, 1]) + torch.tensor([0, 0, 5.5])
    intrinsics = torch.tensor(intrinsics).repeat(size, 1)
    return WindowBatch(project(poses, intrinsics), poses, intrinsics)


def bones_of(poses, keypoint_set=H36M_17):
    """Directions (B, T, K - 1, 3) and lengths (B, T, K - 1)."""
    index = [i for i, parent in enumerate(keypoint_set.parents) if parent >= 0]
    bones = poses[:, :, index] - poses[:, :, [keypoint_set.parents[i] for i in index]]
    lengths = bones.norm(dim=-1)
    return bones / lengths[..., None], lengths
