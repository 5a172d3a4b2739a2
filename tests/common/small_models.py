"""Models of one or two small layers, and batches of noise for them."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

SMALL = dict(channels=16, hidden_channels=32, num_heads=2, attn_drop=0.0)
PRETRAIN = dict(
    type="MaskedPoseEstimator",
    data_preprocessor=dict(type="PretrainPreprocessor"),
    backbone=dict(type="MPMBackbone", num_frames=9, depth=1, **SMALL),
    head=dict(type="MaskedPoseHead", num_frames=9, **SMALL),
)
LIFT = dict(
    type="PoseLifter",
    data_preprocessor=dict(type="LiftingPreprocessor"),
    backbone=dict(type="MPMBackbone", num_frames=9, depth=1, inputs=("2d",), **SMALL),
    head=dict(type="LiftingHead", num_frames=9, strides=(3, 3), **SMALL),
)


def batches(number: int = 3) -> Iterator[dict[str, Tensor]]:
    """Batches of four windows of nine frames."""
    draw = torch.Generator().manual_seed(1)
    for _ in range(number):
        poses = torch.rand(4, 9, 17, 3, generator=draw)
        yield dict(
            keypoints=torch.rand(4, 9, 17, 2, generator=draw) - 0.5,
            keypoints_3d=poses + torch.tensor([0.0, 0.0, 4.0]),
            intrinsics=torch.tensor([[2.3, 2.3, 0, 0, 0, 0, 0, 0, 0]]).repeat(4, 1),
            action=torch.zeros(4, dtype=torch.long),
            window=torch.arange(4),
        )


def train(model: nn.Module) -> Tensor:
    """Train a model on the batches; their losses."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for batch in batches():
        found = model(**model.data_preprocessor(batch, training=True), mode="loss")
        loss = sum(value for name, value in found.items() if "loss" in name)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)
