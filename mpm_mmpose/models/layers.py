"""Building blocks of MPM: frame-wise layers (N, C) and temporal layers (B, T, C)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.2
# The released LayerNorm adds 1e-6 to the deviation; the standard layer adds it to the variance.
LAYER_NORM_EPS = 1e-6


class Dropout(nn.Dropout):
    """torch's dropout, several times as fast on a CPU; x of any shape, float.

    torch draws a number an element there, one after the other; here 64 random bits serve four elements, so that the
    rate is exact to 1 / 65536.
    """

    def forward(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """Drop elements of x and scale the others in training; added to ``onto`` where that is given."""
        if not self.training or self.p in (0, 1) or not x.is_cpu or torch.compiler.is_compiling():
            x = super().forward(x)
            return x if onto is None else onto + x
        kept = scaled_keep_mask(x, self.p)
        return x * kept if onto is None else torch.addcmul(onto, x, kept)


def scaled_keep_mask(x: Tensor, p: float) -> Tensor:
    """0 with probability p, 1 / (1 - p) otherwise, as x in shape and dtype; from torch's default generator."""
    dropped = min(round(p * 2**16), 2**16 - 1)
    bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
    drawn = bits.view(torch.int16)[: x.numel()].view(x.shape)
    # Compared straight into numbers: a third of the time of a mask of booleans and torch.where.
    kept = torch.ge(drawn, dropped - 2**15, out=torch.empty(x.shape, dtype=x.dtype, device=x.device))
    return kept.mul_(2**16 / (2**16 - dropped))


class PoseEncoder(nn.Module):
    """Frame-wise linear layer, BatchNorm over all frames of the batch, LeakyReLU: the paper's 1x1 convolution.

    (N, in_features) keypoint-major coordinates -> (N, channels), N = frames of the batch. Paper section 3.1, Eq. 1.
    """

    def __init__(self, in_features: int, channels: int, drop: float = 0.1) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, channels)
        self.norm = nn.BatchNorm1d(channels)
        self.drop = Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Encode (N, in_features) to (N, channels)."""
        return self.drop(F.leaky_relu(self.norm(self.linear(x)), LEAKY_SLOPE, inplace=True))


class ResidualBlock(nn.Module):
    """Two frame-wise linear-BatchNorm-LeakyReLU layers around a residual; (N, C) -> (N, C)."""

    def __init__(self, channels: int, drop: float = 0.1) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, channels)
        self.norm1 = nn.BatchNorm1d(channels)
        self.linear2 = nn.Linear(channels, channels)
        self.norm2 = nn.BatchNorm1d(channels)
        self.drop = Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (N, C)."""
        y = self.drop(F.leaky_relu(self.norm1(self.linear1(x)), LEAKY_SLOPE, inplace=True))
        return self.drop(F.leaky_relu(self.norm2(self.linear2(y)), LEAKY_SLOPE, inplace=True), onto=x)


class SpatialMLP(nn.Module):
    """Shared spatial layers: residual blocks and a projection; (N, in_channels) -> (N, out_channels)."""

    def __init__(self, in_channels: int, out_channels: int, num_blocks: int = 1, drop: float = 0.1) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualBlock(in_channels, drop) for _ in range(num_blocks)))
        self.out = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels) to (N, out_channels)."""
        return self.out(self.blocks(x))


class SelfAttention(nn.Module):
    """Multi-head self-attention over frames; (B, T, C) -> (B, T, C).

    Raises:
        ValueError: if ``channels`` is no multiple of ``num_heads``.
    """

    def __init__(self, channels: int, num_heads: int, attn_drop: float = 0.0) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"channels={channels} must be a multiple of num_heads={num_heads}")
        self.num_heads = num_heads
        self.attn_drop = attn_drop
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Attend among the frames of each sample."""
        B, T, C = x.shape
        # Each (B, heads, T, C / heads).
        query, key, value = (
            part.view(B, T, self.num_heads, C // self.num_heads).transpose(1, 2)
            for part in self.qkv(x).split(C, dim=-1)
        )
        drop = self.attn_drop if self.training else 0.0
        x = F.scaled_dot_product_attention(query, key, value, dropout_p=drop)
        return self.out(x.transpose(1, 2).reshape(B, T, C))


class TransformerLayer(nn.Module):
    """Pre-norm transformer layer with a ReLU feed-forward network; (B, T, C) -> (B, T, C)."""

    def __init__(
        self, channels: int, hidden_channels: int, num_heads: int, drop: float = 0.1, attn_drop: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.attention = SelfAttention(channels, num_heads, attn_drop)
        self.norm2 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.linear1 = nn.Linear(channels, hidden_channels)
        self.linear2 = nn.Linear(hidden_channels, channels)
        self.drop = Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, T, C)."""
        x = self.drop(self.attention(self.norm1(x)), onto=x)
        y = self.linear2(self.drop(F.relu(self.linear1(self.norm2(x)))))
        return self.drop(y, onto=x)


class StridedLayer(nn.Module):
    """Transformer layer that keeps one of every ``stride`` frames; (B, T, C) -> (B, T / stride, C).

    The second linear layer is a convolution of 3 frames. Residual and kernel centre sit on frame ``offset`` of every
    group: 0 is the released form, whose last token therefore follows frame 0 of the window.
    T must be a multiple of ``stride`` and ``0 <= offset < stride``. Paper section 3.1.
    """

    def __init__(
        self,
        channels: int,
        hidden_channels: int,
        num_heads: int,
        stride: int,
        offset: int = 0,
        drop: float = 0.1,
        attn_drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.offset = offset
        self.norm1 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.attention = SelfAttention(channels, num_heads, attn_drop)
        self.norm2 = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.linear1 = nn.Linear(channels, hidden_channels)
        self.conv = nn.Conv1d(hidden_channels, channels, kernel_size=3, stride=stride)
        self.drop = Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Transform and shorten (B, T, C)."""
        x = self.drop(self.attention(self.norm1(x)), onto=x)
        y = self.reduce(self.drop(F.relu(self.linear1(self.norm2(x)))))
        return self.drop(y, onto=x[:, self.offset :: self.stride])

    def reduce(self, y: Tensor) -> Tensor:
        """The convolution: (B, T, hidden_channels) -> (B, T / stride, C)."""
        if self.stride == 3 and self.offset == 1:
            # Kernels and groups are the same frames: a product of what lies side by side, and nothing is moved.
            weight = self.conv.weight.transpose(1, 2).flatten(1)  # (C, 3 * hidden_channels)
            return F.linear(y.unflatten(1, (-1, 3)).flatten(2), weight, self.conv.bias)
        # One zero frame on either side, as far as a kernel reaches over the edge; a negative pad drops frames that
        # no kernel sees, so that the first kernel is centred on `offset`.
        y = F.pad(y.transpose(1, 2), (1 - self.offset, max(0, self.offset - self.stride + 2)))
        return self.conv(y).transpose(1, 2)


def pose_projection(channels: int, outputs: int) -> nn.Linear:
    """Linear layer from tokens to coordinates that starts near the root, as mmpose's own regression heads do.

    With torch's default the first poses are some metres wide, and a short training spends its time on that.
    """
    layer = nn.Linear(channels, outputs)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer


@torch.no_grad()
def start_at_mean(layer: nn.Linear, poses: Tensor) -> None:
    """Let a projection to poses (K * D) begin at the mean of ``poses`` (..., K, D) instead of a point.

    A quarter of a short training would go into reaching it (docs/results.md).
    """
    layer.bias.copy_(poses.flatten(-2).flatten(0, -2).mean(0))
