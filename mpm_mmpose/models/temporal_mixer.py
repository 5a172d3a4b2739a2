"""Temporal layers that mix frames by learned weights instead of attention."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import LAYER_NORM_EPS, Dropout

MIXING_CHANNELS = 64


class MixerLayer(nn.Module):
    """Pre-norm mixing of the frames, the same for every channel, then a feed-forward network; (B, T, C) -> (B, T, C).

    Source: Tolstikhin et al., "MLP-Mixer" (2021), over frames in place of patches.
    """

    def __init__(self, num_frames: int, channels: int, hidden_channels: int, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.mix1 = nn.Linear(num_frames, MIXING_CHANNELS)
        self.mix2 = nn.Linear(MIXING_CHANNELS, num_frames)
        self.norm2 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.linear1 = nn.Linear(channels, hidden_channels)
        self.linear2 = nn.Linear(hidden_channels, channels)
        self.drop = Dropout(drop)
        # As loud as a frame's own token at first, not louder.
        nn.init.normal_(self.mix1.weight, std=num_frames**-0.5)
        nn.init.normal_(self.mix2.weight, std=0.3 * MIXING_CHANNELS**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Mix (B, T, C)."""
        y = self.norm1(x).transpose(1, 2)  # (B, C, T)
        y = self.mix2(F.gelu(self.mix1(y))).transpose(1, 2)
        x = self.drop(y, onto=x)
        y = self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return self.drop(y, onto=x)


class TemporalMixer(nn.Module):
    """Position embedding (1, T, C), which the caller adds, and mixer layers over whole windows (B, T, C).

    Raises:
        ValueError: where frames were dropped: a mixer's weights belong to the places of a whole window.
    """

    def __init__(self, num_frames: int, channels: int, depth: int, hidden_channels: int, drop: float) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.position = nn.Parameter(torch.zeros(1, num_frames, channels))
        self.layers = nn.Sequential(*(MixerLayer(num_frames, channels, hidden_channels, drop) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames."""
        if x.shape[1] != self.num_frames:
            raise ValueError(
                f"temporal='mixer' takes whole windows of {self.num_frames} frames, got {x.shape[1]}; mask keypoints "
                "of frames instead of dropping frames, or give temporal='attention'"
            )
        return self.layers(x)
