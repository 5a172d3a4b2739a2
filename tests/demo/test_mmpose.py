"""MMPose's own inferencer and demo with our models, unchanged."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import mmpose
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

ROOT = Path(__file__).parents[2]
MIM = Path(mmpose.__file__).parent / ".mim"
POSE2D = MIM / "configs/body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb256-420e_body8-256x192.py"
DETECTOR = MIM / "demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py"
TINY = f"""
_base_ = ["{ROOT}/configs/mpm/mmpose/lift_h36m_243.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
train_dataloader = dict(dataset=dict(seq_len=9))
test_dataloader = dict(dataset=dict(seq_len=9))
"""


def random_weights(config, path, scope="mmpose"):
    from mmdet.registry import MODELS as DETECTORS

    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    init_default_scope(scope)
    torch.manual_seed(0)
    model = (MODELS if scope == "mmpose" else DETECTORS).build(cfg.model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return str(path)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "lift.py").write_text(TINY)
    return dict(
        lift=(str(folder / "lift.py"), random_weights(folder / "lift.py", folder / "lift.pth")),
        pose2d=(str(POSE2D), random_weights(POSE2D, folder / "pose2d.pth")),
        detector=(str(DETECTOR), random_weights(DETECTOR, folder / "detector.pth", "mmdet")),
    )


def test_the_config_is_that_of_the_model_with_another_data_set():
    ours = Config.fromfile(ROOT / "configs/mpm/lift_h36m_243.py")
    theirs = Config.fromfile(ROOT / "configs/mpm/mmpose/lift_h36m_243.py")
    assert (theirs.model.backbone, theirs.model.head) == (ours.model.backbone, ours.model.head)
    assert theirs.test_dataloader.dataset.seq_len == theirs.model.backbone.num_frames


@pytest.mark.filterwarnings("ignore")
def test_inferencer(models, motion_dir, tmp_path):
    from mmpose.apis import MMPoseInferencer

    inferencer = MMPoseInferencer(
        pose3d=models["lift"][0],
        pose3d_weights=models["lift"][1],
        pose2d=models["pose2d"][0],
        pose2d_weights=models["pose2d"][1],
        det_model="whole_image",
        device="cpu",
    )
    results = list(inferencer(str(motion_dir / "video/demo.mp4"), out_dir=str(tmp_path)))
    assert len(results) == 5
    for result in results:
        keypoints = np.array(result["predictions"][0][0]["keypoints"])
        assert keypoints.shape == (17, 3) and np.isfinite(keypoints).all()
        assert keypoints[:, 2].min() == pytest.approx(0)
    assert cv2.VideoCapture(str(tmp_path / "visualizations/demo.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 5


@pytest.mark.filterwarnings("ignore")
def test_inferencer_with_a_checkpoint_that_was_trained_here(trained_lifter, models, write_video, tmp_path):
    """Its metainfo is that of our data set, of which MMPose wants names, links, colours and 'h36m'."""
    from mmpose.apis import MMPoseInferencer

    trained = Config.fromfile(trained_lifter[0]).model
    (tmp_path / "lift.py").write_text(
        f'_base_ = ["{ROOT}/configs/mpm/mmpose/lift_h36m_243.py"]\n'
        f"model = dict(backbone={dict(trained.backbone)}, head={dict(trained.head)})\n"
        "train_dataloader = dict(dataset=dict(seq_len=9, seq_step=2))\n"
        "test_dataloader = dict(dataset=dict(seq_len=9, seq_step=2))\n"
    )
    inferencer = MMPoseInferencer(
        pose3d=str(tmp_path / "lift.py"),
        pose3d_weights=str(trained_lifter[1]),
        pose2d=models["pose2d"][0],
        pose2d_weights=models["pose2d"][1],
        det_model="whole_image",
        device="cpu",
    )
    results = list(inferencer(str(write_video(tmp_path / "noise.mp4")), out_dir=str(tmp_path / "out")))
    assert len(results) == 5
    assert np.isfinite(np.array(results[2]["predictions"][0][0]["keypoints"])).all()


@pytest.mark.slow
def test_demo(models, motion_dir, tmp_path):
    arguments = [*models["detector"], *models["pose2d"], *models["lift"], "--input", motion_dir / "video/demo.mp4"]
    arguments += ["--output-root", tmp_path, "--save-predictions", "--device", "cpu"]
    command = [sys.executable, MIM / "demo/body3d_pose_lifter_demo.py", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    content = json.loads((tmp_path / "results_demo.json").read_text())
    assert content["meta_info"]["dataset_name"] == "h36m" and len(content["instance_info"]) == 5
    assert np.shape(content["instance_info"][0]["instances"][0]["keypoints"]) in ((17, 3), (1, 17, 3))
