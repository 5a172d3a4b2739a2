"""Small models of every kind that is exported, with random weights."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.models import MPMBackbone

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
TINY = """
_base_ = ["{base}"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens={tokens}),
    head=dict(num_frames=9, channels=16, hidden_channels=16, num_heads=2{head}),
)
"""
KINDS = dict(
    lift=("lift_mocap_27", True, ", strides=(3, 3)"),
    apart=("quickstart_lift", True, ", strides=(3, 3)"),
    lift_all=("lift_mocap_27", False, ", strides=(3, 3)"),
    occluded=("occluded_2d_h36m_27", True, ""),
    completion=("completion_h36m_27", True, ""),
    refined=("lift_h36m_243_refine", False, ", strides=(3, 3), root_depth='fitted'"),
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A function of a kind that gives the paths of its config and of a checkpoint with random weights."""
    folder = tmp_path_factory.mktemp("trained")

    def make(kind: str) -> tuple[Path, Path]:
        config, weights = folder / f"{kind}.py", folder / f"{kind}.pth"
        if not weights.is_file():
            base, tokens, head = KINDS[kind]
            config.write_text(TINY.format(base=CONFIGS / f"{base}.py", tokens=tokens, head=head))
            init_default_scope("mmpose")
            torch.manual_seed(0)
            model = MODELS.build(Config.fromfile(config).model)
            for parameter in model.parameters():
                # Far from where training begins, so that every path counts, and poses of the size of people.
                torch.nn.init.normal_(parameter, std=0.2 if parameter.ndim > 1 else 0.5)
            assert isinstance(model.backbone, MPMBackbone)
            meta = dict(dataset_meta=dict(fps=25.0, keypoint_set="h36m_17"))
            torch.save(dict(state_dict=model.state_dict(), meta=meta), weights)
        return config, weights

    return make
