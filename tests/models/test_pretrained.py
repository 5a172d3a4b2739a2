import logging

import pytest
import torch
from mmengine.logging import MMLogger

from mpm_mmpose.models import MPMBackbone

SMALL = dict(num_frames=9, channels=32, hidden_channels=48, depth=2, num_heads=4)


def build(**changes):
    return MPMBackbone(**SMALL | changes)


def save(backbone, path, prefix=""):
    state = {prefix + key: value for key, value in backbone.state_dict().items()}
    torch.save(dict(state_dict=state), path)
    return str(path)


def test_pretrained_weights_are_counted(tmp_path, caplog):
    source = build()
    path = save(source, tmp_path / "pretrain.pth", "backbone.")
    target = MPMBackbone(
        **SMALL,
        inputs=("2d",),
        mask_tokens=False,
        init_cfg=dict(type="Pretrained", checkpoint=path, prefix="backbone."),
    )
    logger = MMLogger.get_instance(f"pretrained-{tmp_path.name}")
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO):
        target.init_weights()
    wanted, found = target.state_dict(), source.state_dict()
    assert all(torch.equal(value, found[key]) for key, value in wanted.items())
    assert f"MPMBackbone: {len(wanted)} of {len(wanted)} weights taken from {path}" in caplog.text
    assert "left as initialised (0): none" in caplog.text
    assert f"not used ({len(found) - len(wanted)})" in caplog.text and "keypoint_token_3d" in caplog.text


def test_partly_pretrained_weights_say_what_is_left(tmp_path, caplog):
    path = save(build(inputs=("3d",), mask_tokens=False), tmp_path / "a.pth")
    target = MPMBackbone(**SMALL, mask_tokens=False, init_cfg=dict(type="Pretrained", checkpoint=path))
    logger = MMLogger.get_instance(f"partly-{tmp_path.name}")
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO):
        target.init_weights()
    assert "left as initialised (7): encoder_2d.linear.weight" in caplog.text


def test_pretrained_weights_of_another_shape_or_name_are_refused(tmp_path):
    path = save(build(), tmp_path / "pretrain.pth", "backbone.")
    init = dict(type="Pretrained", checkpoint=path, prefix="backbone.")
    with pytest.raises(ValueError, match=r"backbone.temporal.position has shape \(1, 9, 32\).*expects \(1, 27, 32\)"):
        MPMBackbone(**SMALL | dict(num_frames=27), init_cfg=init).init_weights()
    with pytest.raises(ValueError, match="none of the .* needs prefix='backbone.'"):
        MPMBackbone(**SMALL, init_cfg=dict(type="Pretrained", checkpoint=path)).init_weights()
