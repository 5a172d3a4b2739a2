import pytest
import torch

from mpm_mmpose.models import PersonBackbone
from mpm_mmpose.models.person_backbone import PersonTokens

SMALL = dict(channels=16, hidden_channels=32, depth=1, temporal="mixer")


def rays(frames=3):
    return 0.2 * torch.randn(2, frames, 17, 2, generator=torch.Generator().manual_seed(0))


def test_ignored_keypoints_are_never_looked_at():
    backbone = PersonBackbone(3, ignored=(0, 9), **SMALL).eval()
    other = rays()
    other[:, :, [0, 9]] = 5
    one, two = backbone(rays()), backbone(other)
    assert isinstance(one, PersonTokens) and one.tokens.shape == (2, 3, 16)
    assert torch.equal(one.tokens, two.tokens)
    assert not one.view.visible[:, :, [0, 9]].any()


def test_masks_and_nan_are_one():
    backbone = PersonBackbone(3, **SMALL).eval()
    mask = torch.zeros(2, 3, 17, dtype=torch.bool)
    mask[:, 1, 4] = True
    nan = rays().masked_fill(mask[..., None], torch.nan)
    torch.testing.assert_close(backbone(rays(), keypoint_mask=mask).tokens, backbone(nan).tokens)


def test_only_rays_are_taken():
    backbone = PersonBackbone(3, **SMALL)
    with pytest.raises(ValueError, match=r"poses are 3d, but this backbone was built with inputs=\('2d',\)"):
        backbone(torch.zeros(2, 3, 17, 3))
    for option in ("inputs", "tokens_per_keypoint"):
        with pytest.raises(TypeError, match=option):
            PersonBackbone(3, **{option: ("2d", "3d")}, **SMALL)


def test_tokens_begin_where_people_are():
    backbone = PersonBackbone(3, **SMALL)
    backbone.read_statistics(rays() + 1, None)
    assert not backbone.keypoint_token_2d.any()
