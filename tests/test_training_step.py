"""What a training step must not do on any device: wait for a number."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch.utils._python_dispatch import TorchDispatchMode

import mpm_mmpose.register  # noqa: F401

CONFIGS = Path(__file__).parents[1] / "configs/mpm"


class Waits(TorchDispatchMode):
    """Operators after which a GPU's host waits: Python, or the next operator, has to know a value or a shape."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if name in ("index", "index_put", "index_put_"):
            waits = any(index is not None and index.dtype == torch.bool for index in args[1])
        else:
            waits = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(function.tags)
        if waits:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


def test_waits_are_found():
    x, order = torch.ones(3), torch.tensor([2, 0])
    with Waits() as waits:
        x[order], torch.where(x > 0, x, 0.0), x.sum() * 2
        assert waits.found == []
        x.sum().item(), x[x > 0], x.nonzero()
        x[x > 0] = 2
    assert waits.found == ["_local_scalar_dense", "index", "nonzero", "index_put_"]


@pytest.mark.parametrize(
    "name",
    [
        "pretrain_h36m_amass_27",
        "lift_mocap_27",
        "lift_mocap_27_occluded",
        "lift_h36m_243_refine",
        "quickstart_lift",
        "occluded_2d_h36m_27",
        "completion_h36m_27",
    ],
)
def test_no_step_waits_for_the_device(name):
    init_default_scope("mmpose")
    cfg = Config.fromfile(CONFIGS / f"{name}.py")
    cfg.model.backbone.init_cfg = None
    frames = cfg.model.backbone.num_frames
    model = MODELS.build(cfg.model).train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = dict(
        keypoints=torch.rand(2, frames, 17, 2) - 0.5,
        keypoints_3d=torch.rand(2, frames, 17, 3) + torch.tensor([0.0, 0.0, 4.0]),
        intrinsics=torch.tensor([[2.3, 2.3, 0, 0, 0, 0, 0, 0, 0]]).repeat(2, 1),
        action=torch.zeros(2, dtype=torch.long),
        window=torch.arange(2),
    )
    model.train_step(dict(batch), optimizer)  # what is made once
    with Waits() as waits:
        losses = model.train_step(dict(batch), optimizer)
    assert waits.found == []
    assert losses["loss"].isfinite()
