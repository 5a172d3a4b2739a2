"""The commands run in this process, and models for them: small, with random weights."""

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

DEMO = Path(__file__).parents[2] / "demo"
CONFIGS = DEMO.parent / "configs/mpm"
TINY = f"""
_base_ = ["{CONFIGS}/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens=True),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """Arguments for a small model with random weights."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "tiny.py").write_text(TINY)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    weights = MODELS.build(Config.fromfile(folder / "tiny.py").model).state_dict()
    torch.save(dict(state_dict=weights), folder / "tiny.pth")
    return ["--model", str(folder / "tiny.py"), "--weights", str(folder / "tiny.pth"), "--device", "cpu"]


@pytest.fixture
def command(monkeypatch, capsys):
    """Function that runs a command in this process and gives its status, what it said, and what went wrong."""
    monkeypatch.syspath_prepend(str(DEMO))

    def run(name, *arguments):
        spec = importlib.util.spec_from_file_location(name, DEMO / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            status = module.main(list(map(str, arguments)))
        except SystemExit as exit:
            status = exit.code
        said = capsys.readouterr()
        return status, said.out, said.err

    yield run
    sys.modules.pop("inference_command", None)


@pytest.fixture
def keypoints(tmp_path):
    """COCO results of one person who walks, and how to say what they lack."""
    body = np.random.default_rng(0).uniform(0, 200, (17, 2)) + 100
    people = [
        dict(image_id=frame, keypoints=np.c_[body + (3 * frame, 0), np.ones(17)].ravel().tolist(), score=1.0)
        for frame in range(12)
    ]
    path = tmp_path / "walk.json"
    path.write_text(json.dumps(people))
    return [path, "--fps", 25, "--width", 1000, "--height", 800]


@pytest.fixture(scope="session")
def write_video():
    """Function that writes a video of noise at 25 frames a second and gives its path."""

    def write(path, frames=5, fps=25.0):
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (192, 256))
        rng = np.random.default_rng(0)
        for _ in range(frames):
            writer.write(rng.integers(0, 255, (256, 192, 3), np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture(scope="session")
def pose2d(tmp_path_factory):
    """Arguments for a small 2D model of MMPose's with random weights, which finds keypoints everywhere."""
    import mmpose

    config = (
        Path(mmpose.__file__).parent
        / ".mim/configs/body_2d_keypoint/topdown_heatmap/coco/td-hm_mobilenetv2_8xb64-210e_coco-256x192.py"
    )
    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    init_default_scope("mmpose")
    torch.manual_seed(0)
    state = MODELS.build(cfg.model).state_dict()
    # Random layers make almost nothing of an image: heatmaps above the least score, and not flat.
    state["head.final_layer.bias"][:] = 1.0
    state["head.final_layer.weight"] *= 1e9
    weights = tmp_path_factory.mktemp("pose2d") / "mobilenet.pth"
    torch.save(dict(state_dict=state, meta={}), weights)
    return ["--pose2d", str(config), "--pose2d-weights", str(weights), "--detector", "whole_image"]
