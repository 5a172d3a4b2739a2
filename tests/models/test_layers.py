import pytest
import torch
import torch.nn.functional as F

from mpm_mmpose.models.layers import Dropout, PoseEncoder, ResidualBlock, SelfAttention, StridedLayer, TransformerLayer


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def seen_frames(layer, out_frame, frames=9, channels=16):
    """Frames of the input that one frame of the output depends on."""
    x = torch.randn(1, frames, channels, requires_grad=True)
    layer(x)[0, out_frame].square().sum().backward()
    return x.grad[0].abs().sum(-1).nonzero().flatten().tolist()


def without_attention(layer):
    torch.nn.init.zeros_(layer.attention.out.weight)
    return layer.eval()


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5])
def test_dropout_drops_the_share_and_keeps_the_mean(p):
    x = torch.ones(1_000_003)  # no multiple of the four elements of one random number
    y = Dropout(p)(x)
    assert ((y == 0) | ((y - 1 / (1 - p)).abs() < 1e-4)).all()
    spread = (p * (1 - p) / len(x)) ** 0.5
    assert abs((y == 0).float().mean() - p) < 5 * spread
    # Neighbours, which share a random number, and elements of the next one are dropped independently.
    for shift in (1, 2, 3, 4):
        both = ((y[shift:] == 0) & (y[:-shift] == 0)).float().mean()
        assert abs(both - p * p) < 5 * p / len(x) ** 0.5


def test_dropout_follows_the_seed_and_its_gradient_the_mask():
    x = torch.randn(7, 5, requires_grad=True)
    torch.manual_seed(1)
    once = Dropout(0.5)(x)
    torch.manual_seed(1)
    again = Dropout(0.5)(x)
    assert torch.equal(once, again) and not torch.equal(once, Dropout(0.5)(x))
    once.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(once == 0, 0.0, 2.0))


def test_dropout_onto_a_residual_drops_what_is_added():
    x, residual = torch.randn(6, 4), torch.randn(6, 4)
    drop = Dropout(0.3)
    torch.manual_seed(1)
    alone = drop(x)
    torch.manual_seed(1)
    torch.testing.assert_close(drop(x, onto=residual), residual + alone)
    drop.eval()
    assert torch.equal(drop(x), x) and torch.equal(drop(x, onto=residual), residual + x)


def test_dropout_of_everything_leaves_nothing():
    assert not Dropout(1.0)(torch.ones(10)).any()


def test_encoder_normalises_over_all_frames_and_leaks_0_2():
    encoder = PoseEncoder(4, 8, drop=0)
    x = torch.randn(20, 4)
    z = x @ encoder.linear.weight.T + encoder.linear.bias
    z_hat = (z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(encoder(x), torch.where(z_hat > 0, z_hat, 0.2 * z_hat))
    torch.testing.assert_close(encoder.norm.running_mean, 0.1 * z.mean(0))


def test_residual_block_adds_its_input():
    block = ResidualBlock(8, drop=0).eval()
    torch.nn.init.zeros_(block.linear2.weight)
    torch.nn.init.constant_(block.linear2.bias, -1.0)
    x = torch.randn(5, 8)
    torch.testing.assert_close(block(x), x - 0.2 / (1 + 1e-5) ** 0.5)


def test_attention_is_softmax_of_scaled_products_a_head():
    attention = SelfAttention(16, 4).eval()
    x = torch.randn(2, 5, 16)
    query, key, value = (part.view(2, 5, 4, 4).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=-1))
    weights = (query @ key.transpose(-1, -2) / 4**0.5).softmax(-1)
    expected = attention.out((weights @ value).transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x), expected)


def test_attention_drops_weights_in_training_only():
    attention = SelfAttention(16, 4, attn_drop=0.5)
    x = torch.randn(2, 5, 16)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))


def test_attention_refuses_heads_that_do_not_divide_the_channels():
    with pytest.raises(ValueError, match="channels=16 must be a multiple of num_heads=3"):
        SelfAttention(16, 3)


def test_transformer_layer_is_pre_norm_with_relu():
    layer = without_attention(TransformerLayer(16, 24, 4))
    x = torch.randn(2, 5, 16)
    y = x + layer.attention.out.bias
    z = F.layer_norm(y, (16,), layer.norm2.weight, layer.norm2.bias, 1e-6)
    torch.testing.assert_close(layer(x), y + layer.linear2(layer.linear1(z).clamp(min=0)))


def test_strided_layer_first_is_the_released_convolution():
    layer = without_attention(StridedLayer(16, 24, 4, stride=3))
    x = torch.randn(2, 9, 16)
    y = x + layer.attention.out.bias
    masked = layer.linear1(layer.norm2(y)).relu().transpose(1, 2)
    conv = F.conv1d(masked, layer.conv.weight, layer.conv.bias, stride=3, padding=1).transpose(1, 2)
    torch.testing.assert_close(layer(x), y[:, ::3] + conv)


@pytest.mark.parametrize(
    ("stride", "offset", "out_frame", "expected"),
    [
        (3, 0, 0, [0, 1]),
        (3, 0, 2, [5, 6, 7]),
        (3, 1, 0, [0, 1, 2]),
        (3, 1, 2, [6, 7, 8]),
        (3, 2, 2, [7, 8]),
        (9, 4, 0, [3, 4, 5]),
        (1, 0, 0, [0, 1]),
        (1, 0, 8, [7, 8]),
    ],
)
def test_strided_layer_sees_three_frames_around_the_offset(stride, offset, out_frame, expected):
    layer = without_attention(StridedLayer(16, 24, 4, stride=stride, offset=offset))
    assert layer(torch.randn(2, 9, 16)).shape == (2, 9 // stride, 16)
    assert seen_frames(layer, out_frame) == expected


def test_strided_layer_is_a_convolution_where_kernels_are_groups():
    layer = StridedLayer(16, 24, 4, stride=3, offset=1)
    y = torch.randn(2, 9, 24)
    conv = F.conv1d(y.transpose(1, 2), layer.conv.weight, layer.conv.bias, stride=3).transpose(1, 2)
    torch.testing.assert_close(layer.reduce(y), conv)


@pytest.mark.parametrize(("stride", "offset"), [(3, 0), (3, 1), (3, 2), (1, 0), (9, 4)])
def test_strided_layer_residual_is_the_offset_frame_of_every_group(stride, offset):
    layer = without_attention(StridedLayer(16, 24, 4, stride=stride, offset=offset))
    for parameter in (layer.conv.weight, layer.conv.bias, layer.attention.out.bias):
        torch.nn.init.zeros_(parameter)
    x = torch.randn(2, 9, 16)
    assert torch.equal(layer(x), x[:, offset::stride])
