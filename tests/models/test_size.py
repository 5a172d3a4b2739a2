import json

import pytest
from torch import nn

from mpm_mmpose.models import CompletionHead, LiftingHead, MaskedPoseHead, MPMBackbone, RefineModule
from mpm_mmpose.models.backbone import TemporalTransformer
from mpm_mmpose.models.strided_decoder import StridedDecoder


def count(*modules):
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def count_as_table_5(module):
    """Count without LayerNorm and position embeddings, as the paper's Table 5 does."""
    total = count(module)
    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            total -= count(part)
        if isinstance(part, TemporalTransformer):
            total -= part.position.numel()
        if isinstance(part, StridedDecoder):
            total -= sum(position.numel() for position in part.positions)
    return total


def test_table_5_of_the_paper():
    backbone = MPMBackbone(num_frames=243, num_keypoints=16, depth=5)
    assert count_as_table_5(backbone.encoder_2d) == 17_920
    assert count_as_table_5(backbone.encoder_3d) == 26_112
    assert count_as_table_5(backbone.spatial) + count_as_table_5(backbone.temporal) == 3_289_088
    head = LiftingHead(num_frames=243, strides=(3, 3, 3, 3, 3), num_keypoints=16)
    assert count_as_table_5(head.decoder) == 3_941_120


@pytest.fixture(scope="module")
def params(reference_dir):
    found = json.loads((reference_dir / "params.json").read_text())
    return {name: value for name, value in found.items() if "config" in value}


def sizes(config):
    shared = dict(num_frames=config["frames"], num_keypoints=config["n_joints"], channels=config["channel"])
    return shared | dict(hidden_channels=config["d_hid"], num_heads=config["heads"])


def check(expected, ours, modules):
    """Compare the whole and every part; parts that the released forward never uses are not built here."""
    unused = {}
    for key, number in expected["never_used_in_forward"].items():
        unused[key.split(".")[0]] = unused.get(key.split(".")[0], 0) + number
    assert count(*ours) == expected["total_trainable"] - expected["never_used_in_forward_total"]
    for name, number in expected["modules"].items():
        assert count(*modules[name]) == number - unused.get(name, 0), name
    assert sum(b.numel() for module in ours for b in module.buffers()) == expected["buffers"]


def parts(head, name):
    decoder = getattr(head, f"decoder_{name}")
    return {f"decoder{name}": [decoder.layers], f"fcn_dec{name}": [decoder.out_norm, decoder.out]}


def shared_parts(backbone):
    return dict(
        encoder2d=[backbone.encoder_2d],
        shared_layers_spatial=[backbone.spatial],
        shared_layers_temporal=[backbone.temporal],
    )


def test_every_configuration_has_the_released_size(params):
    assert len(params) == 12
    for expected in params.values():
        config = expected["config"]
        size, depth = sizes(config), config["layers"]
        backbone = MPMBackbone(**size, depth=depth)
        shared = shared_parts(backbone) | dict(encoder3d=[backbone.encoder_3d])
        for name, head_type, kwargs in (
            ("MPMmask2_pretrain", MaskedPoseHead, {}),
            ("MPMmask_completion", CompletionHead, dict(outputs=("2d", "3d"))),
        ):
            if name in expected:
                head = head_type(**size, **kwargs)
                modules = shared | parts(head, "2d") | parts(head, "3d") | dict(encoder_LN=[head.norm])
                check(expected[name], (backbone, head), modules)
                direct = expected[name]["direct_parameters"]
                assert head.position.numel() == direct["dec_pos_embedding"]
                assert head.frame_token.numel() == direct["temporal_mask_token"]
                assert backbone.keypoint_token_2d.numel() == direct["spatial_mask_token2d"]
                assert backbone.keypoint_token_3d.numel() == direct["spatial_mask_token3d"]
        backbone = MPMBackbone(**size, depth=depth, inputs=("2d",), mask_tokens=False)
        head = LiftingHead(**size, strides=config["stride_num"])
        modules = shared_parts(backbone) | dict(
            Transformer_reduce=[head.decoder],
            fcn=[head.target_norm, head.target_out],
            fcn_1=[head.sequence_norm, head.sequence_out],
        )
        check(expected["Model_lifting"], (backbone, head), modules)
        refine = RefineModule(config["n_joints"])
        check(expected["refine"], (refine,), dict(post_refine=[refine]))
