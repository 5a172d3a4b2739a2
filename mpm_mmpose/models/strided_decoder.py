"""The decoder that reduces a window to its target frame (paper section 3.1)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .layers import StridedLayer

POSITIONED_LAYERS = 3  # as released: later layers get no position embedding


class StridedDecoder(nn.Module):
    """Strided transformer layers: (B, T, C) -> (B, C), the token of the target frame.

    ``align`` 'first' keeps the residual path on the first frame of every group, 'centre' on the one that holds frame
    T // 2 (the middle one for odd strides).
    """

    def __init__(
        self, num_frames: int, channels: int, strides: Sequence[int], align: str, **layer: int | float
    ) -> None:
        super().__init__()
        if align not in ("first", "centre"):
            raise ValueError(f"align must be 'first' or 'centre', got {align!r}")
        if min(strides, default=0) < 1 or math.prod(strides) != num_frames:
            raise ValueError(
                f"strides={tuple(strides)} must be positive and multiply to num_frames={num_frames}, "
                f"their product is {math.prod(strides)}"
            )
        self.positions = nn.ParameterList(
            nn.Parameter(torch.randn(1, num_frames, channels)) for _ in strides[:POSITIONED_LAYERS]
        )
        self.layers = nn.ModuleList()
        carried = num_frames // 2 if align == "centre" else 0  # frame that the residual path carries
        for stride in strides:
            self.layers.append(StridedLayer(channels, stride=stride, offset=carried % stride, **layer))
            carried //= stride

    def forward(self, x: Tensor) -> Tensor:
        """Reduce a window to one token."""
        for i, layer in enumerate(self.layers):
            if i < len(self.positions):
                x = x + self.positions[i][:, : x.shape[1]]
            x = layer(x)
        return x.squeeze(1)
