import pytest
import torch

from mpm_mmpose.models import MPMBackbone
from mpm_mmpose.models.temporal_mixer import MixerLayer, TemporalMixer


def test_a_layer_without_weights_changes_nothing():
    layer = MixerLayer(9, 16, 32, drop=0.0)
    for parameter in (layer.mix2.weight, layer.mix2.bias, layer.linear2.weight, layer.linear2.bias):
        torch.nn.init.zeros_(parameter)
    x = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(x), x)


def test_every_frame_sees_every_other():
    layers = TemporalMixer(5, 8, 1, 16, drop=0.0).eval()
    x = torch.randn(1, 5, 8, requires_grad=True, generator=torch.Generator().manual_seed(0))
    layers(x)[0, 2].sum().backward()
    assert (x.grad[0].abs().amax(1) > 0).all()


def test_dropped_frames_are_refused_by_name():
    backbone = MPMBackbone(9, channels=16, hidden_channels=32, depth=1, temporal="mixer")
    mask = torch.zeros(2, 9, dtype=torch.bool)
    mask[:, 3] = True
    with pytest.raises(ValueError, match="whole windows of 9 frames, got 8; mask keypoints"):
        backbone(torch.zeros(2, 9, 17, 2), frame_mask=mask)


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="temporal is 'lstm'; give 'attention' or 'mixer'"):
        MPMBackbone(9, temporal="lstm")
