import importlib

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401

CONFIG = """
default_scope = "mmpose"
width = dict(num_frames=9, channels=16, hidden_channels=16, num_heads=2)
model = dict(
    type="PoseLifter",
    backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), **width),
    head=dict(type="LiftingHead", strides=(3, 3), **width),
    data_preprocessor=dict(type="LiftingPreprocessor"),
)
"""


@pytest.fixture(scope="module")
def main():
    return importlib.import_module("studies.inference.frame_rates").main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small lifter that learned nothing."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "tiny.py").write_text(CONFIG)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    state = MODELS.build(Config.fromfile(folder / "tiny.py").model).state_dict()
    torch.save(dict(state_dict=state, meta={}), folder / "tiny.pth")
    return ["--model", str(folder / "tiny.py"), "--weights", str(folder / "tiny.pth")]


def test_a_table_of_all_rates_with_the_machine(main, model, motion_dir, capsys):
    arguments = [str(motion_dir / "cmu/02/02_01.amc"), *model, "--fps", "30", "--seconds", "0.5"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| 25", "| 30", "| 60", "| 120", "| 30, each up to 7 ms off"]
    assert lines[-1].startswith("1 motions, model of 30 frames a second. Measured on ")


def test_wrong_use(main, model, motion_dir, capsys):
    for arguments in (["no.amc"], [__file__, "--seconds", "0"], [__file__, "--fps", "inf"]):
        with pytest.raises(SystemExit) as left:
            main([*arguments, *model])
        assert left.value.code == 2
    assert "no.amc: no such file of motion" in capsys.readouterr().err
    assert main([str(motion_dir / "cmu/02/02_01.amc"), *model[:3], "no.pth"]) == 2
    assert "no.pth: no such file of weights" in capsys.readouterr().err
