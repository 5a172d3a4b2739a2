"""The exporter as a user types it; what is exported is tested in tests/deployment."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.checkpoints.loading import load_checkpoint
from mpm_mmpose.deployment import export, graph, precision
from mpm_mmpose.runtime import OnnxModel

TOOLS = Path(__file__).parents[2] / "tools/deployment"
CONFIGS = TOOLS.parents[1] / "configs/mpm"
TINY = f"""
_base_ = ["{CONFIGS}/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens=True),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


def load(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def command(capsys):
    """Function that runs a command in this process and gives its status, what it said, and what went wrong."""

    def run(name, *arguments):
        try:
            status = load(name).main(list(map(str, arguments)))
        except SystemExit as exit:
            status = exit.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    config, weights = folder / "tiny.py", folder / "tiny.pth"
    config.write_text(TINY)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), weights)
    return config, weights


HELP = """
import runpy, sys, time
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit:
    print(time.process_time(), "torch" in sys.modules)
"""


def test_help_answers_at_once():
    command = [sys.executable, "-c", HELP, str(TOOLS / "export_onnx.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, torch_loaded = done.stdout.splitlines()[-1].split()
    assert "CONFIG" in done.stdout and float(seconds) < 1 and torch_loaded == "False"


def test_choices_are_those_of_the_package():
    tool = load("export_onnx")
    assert (tool.SUFFIXES, tool.OPSET) == (export.SUFFIXES, export.OPSET)
    assert (tool.OUTPUTS, tool.PRECISIONS) == (graph.OUTPUTS, precision.PRECISIONS)


def test_beside_the_checkpoint_unless_told(command, files):
    config, weights = files
    status, out, err = command("export_onnx", config, weights)
    path = weights.with_suffix(".onnx")
    assert (status, err) == (0, "")
    assert f"{path}: " in out and "largest difference to PyTorch" in out and "mpm_window: 9" in out
    assert OnnxModel(path).info.checkpoint == "tiny.pth"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["none.py", "none.pth"], 2, "no such file: none.py"),
        (["{config}", "{weights}", "--output", "video"], 2, "invalid choice: 'video'"),
        (["{config}", "{weights}", "--format", "torchscript", "--out", "a.onnx"], 2, "a file that ends in .ts"),
        (["{pretrain}", "{weights}"], 2, "its model is no PoseLifter; give one of stage II"),
        (["{other}", "{weights}"], 2, "these weights"),
        (["{config}", "{config}"], 1, "is no checkpoint that can be read"),
    ],
)
def test_wrong_use_and_failures(command, files, arguments, status, message):
    config, weights = files
    names = dict(config=config, weights=weights)
    names |= dict(pretrain=CONFIGS / "pretrain_mocap_27.py", other=CONFIGS / "lift_mocap_27.py")
    found, _, err = command("export_onnx", *(argument.format(**names) for argument in arguments))
    assert found == status and message in err and "Traceback" not in err


def test_a_trained_checkpoint_needs_no_config(command, trained_lifter, tmp_path):
    status, out, err = command("export_onnx", trained_lifter[1], "--out", tmp_path / "a.onnx", "--output", "sequence")
    assert status == 0, err
    assert "mpm_frame_step: 2" in out and "mpm_fps: 50.0" in out
    info = OnnxModel(tmp_path / "a.onnx").info
    said = load_checkpoint(trained_lifter[1])["meta"]["mpm_model"]
    assert (json.loads(info.model), info.window) == (said["model"], said["window"])
    assert json.loads(info.model)["head"]["align"] == "first" and json.loads(info.model)["backbone"]["place_apart"]
    status, _, err = command(
        "export_onnx", CONFIGS / "lift_mocap_27.py", trained_lifter[1], "--out", tmp_path / "b.onnx"
    )
    assert status == 2 and "epoch_1.pth: these weights " in err and "lift_mocap_27.py: give config and" in err
