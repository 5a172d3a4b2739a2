"""The small 2D model and detector: their configs run, and what they write the inferencer reads."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.apis.pose2d import Pose2D
from mpm_mmpose.pose.keypoints import get_keypoint_set

from ..stills import write_stills

CONFIGS = Path(__file__).parents[3] / "studies/rendered/configs"


@pytest.fixture(scope="module")
def images(store, tmp_path_factory):
    return write_stills(store, tmp_path_factory.mktemp("images"), 4, seed=5).parent


def train_a_step(name: str, images: Path, out: Path) -> Runner:
    """Two images, twice."""
    config = Config.fromfile(CONFIGS / f"{name}.py")
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset.data_root, loader.batch_size = str(images), 2
    config.train_cfg.max_epochs = 1
    config.work_dir, config.launcher, config.experiment_name = str(out), "none", f"{name}_{out.name}"
    config.log_level = "ERROR"
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.mark.slow
def test_the_2d_model_trains_and_finds_human36ms_keypoints(images, tmp_path):
    runner = train_a_step("heatmap_rendered", images, tmp_path)
    assert runner.iter == 2 and np.isfinite(runner.message_hub.get_scalar("val/EPE").current())
    model = Pose2D(CONFIGS / "heatmap_rendered.py", tmp_path / "epoch_1.pth", "whole_image", device="cpu")
    assert model.keypoint_set == "h36m_17"
    people = model(np.full((100, 80, 3), 128, np.uint8))
    assert people.keypoints.shape == (1, 17, 2) and np.isfinite(people.keypoints).all()


def test_its_keypoints_are_those_of_the_annotations(images):
    dataset = Runner.build_dataloader(
        dict(
            Config.fromfile(CONFIGS / "heatmap_rendered.py").val_dataloader,
            dataset=dict(
                Config.fromfile(CONFIGS / "heatmap_rendered.py").val_dataloader.dataset, data_root=str(images)
            ),
        )
    ).dataset
    names = [dataset.metainfo["keypoint_id2name"][index] for index in range(17)]
    # MMPose's own words for some of ours.
    ours = {
        "root": "pelvis",
        "left_foot": "left_ankle",
        "right_foot": "right_ankle",
        "neck_base": "nose",
        "head": "head_top",
    }
    assert tuple(ours.get(name, name) for name in names) == get_keypoint_set("h36m_17").names
    assert tuple(dataset.metainfo["flip_indices"]) == tuple(get_keypoint_set("h36m_17").flip_indices)
    annotations = json.loads((images / "annotations.json").read_text())["annotations"]
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        given = np.reshape(annotations[info["id"]]["keypoints"], (17, 3))
        np.testing.assert_allclose(info["keypoints"][0], given[:, :2])
        np.testing.assert_array_equal(info["keypoints_visible"][0], given[:, 2] > 0)


@pytest.mark.slow
def test_the_detector_trains_and_is_one_of_people(images, tmp_path):
    runner = train_a_step("rtmdet_rendered", images, tmp_path)
    assert runner.iter == 2
    torch.manual_seed(0)
    model = Pose2D(
        CONFIGS / "heatmap_rendered.py",
        _random(CONFIGS / "heatmap_rendered.py", tmp_path / "pose.pth"),
        CONFIGS / "rtmdet_rendered.py",
        tmp_path / "epoch_1.pth",
        "cpu",
    )
    assert model(np.full((100, 80, 3), 128, np.uint8)).boxes.shape[1] == 4


def _random(config: Path, path: Path) -> Path:
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    init_default_scope("mmpose")
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict(), meta={}), path)
    return path
