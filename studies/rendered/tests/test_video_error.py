"""Errors by hand, and the whole way from rendered videos to a page."""

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseSequence
from mpm_mmpose.lifting.tracks import Track2D

from ...quickstart.synthetic_motion import generate_motion
from ..videos import write_videos

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs/mpm"
TINY = f"""
_base_ = ["{CONFIGS}/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens=True),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


@pytest.fixture(scope="module")
def tool():
    return importlib.import_module("studies.rendered.video_error")


@pytest.fixture
def ground_truth():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(300, 500, (4, 17, 2)).astype(np.float32)
    keypoints[:, 0], keypoints[:, 1] = (300, 300), (500, 400)  # 200 px
    poses = rng.normal(0, 0.3, (4, 17, 3)).astype(np.float32) + [0, 0, 4]
    return PoseSequence(
        "clip",
        poses,
        keypoints,
        keypoint_scores=np.ones((4, 17)),
        width=800,
        height=600,
        fps=10,
        keypoint_set="h36m_17",
    )


def track(ground_truth, frames, shift=(0, 0)):
    return Track2D(
        "1",
        np.array(frames) / 10,
        ground_truth.keypoints[frames] + np.float32(shift),
        np.ones((len(frames), 17)),
        "h36m_17",
        800,
        600,
        10.0,
    )


def relative(ground_truth, frames):
    return ground_truth.keypoints_3d[frames] - ground_truth.keypoints_3d[frames, :1]


def test_errors_are_those_made_by_hand(tool, ground_truth):
    ground_truth.keypoint_scores[1, 5] = 0
    pose = relative(ground_truth, [0, 1, 3])
    pose[1, 2, 0] += 0.17  # one of 17 keypoints, 170 mm off
    found = tool.errors(ground_truth, [track(ground_truth, [0, 1, 3], (6, 8))], [pose])
    np.testing.assert_allclose(found.pixels[[0, 3]], 10, atol=1e-3)
    assert np.isnan(found.pixels[1, 5]) and np.isnan(found.pixels[2]).all()
    np.testing.assert_allclose(found.shares[0], 0.05, atol=1e-4)
    np.testing.assert_allclose(found.poses[[0, 1, 3]], [0, 10, 0], atol=1e-3)
    assert np.isnan(found.poses[2]) and np.isnan(found.aligned[2])
    assert found.aligned[0] == pytest.approx(0, abs=1e-3) and found.aligned[1] > 5


def test_the_longest_track_is_the_person(tool, ground_truth):
    tracks = [track(ground_truth, [0, 1, 2], (3, 4)), track(ground_truth, [2, 3], (300, 0))]
    found = tool.errors(ground_truth, tracks, [relative(ground_truth, [0, 1, 2]), relative(ground_truth, [2, 3])])
    np.testing.assert_allclose(found.pixels[:3], 5, atol=1e-3)
    np.testing.assert_allclose(found.pixels[3], 300, atol=1e-3)


def test_nobody_found_is_no_error_but_said(tool, ground_truth):
    nothing = tool.errors(ground_truth, [], [])
    assert tool.describe(("a", "b", "c"), [nothing]) == "| a | b | c | - | - | - | - | 4 |"
    some = tool.errors(
        ground_truth, [track(ground_truth, [0, 1, 2, 3], (3, 4))], [relative(ground_truth, [0, 1, 2, 3])]
    )
    row = tool.describe(("a", "b", "c"), [nothing, some])
    assert row == "| a | b | c | 5.0 (5.0-5.0) | 100.0% | 0.0 (0.0-0.0) | 0.0 (0.0-0.0) | 4 |"


def test_wrong_use_leaves_with_2(tool, tmp_path, capsys):
    arguments = [str(tmp_path), "--model", "a", "--weights", "b", "--pose2d", "c", "--out", str(tmp_path / "page.md")]
    assert tool.main(arguments) == 1 and "there is no pose store here" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit:
        tool.main([str(tmp_path)])
    assert exit.value.code == 2


@pytest.mark.slow
def test_from_rendered_videos_to_a_page(tool, tmp_path, capsys):
    """Random weights: what is measured is nonsense, but exact 2D has no error and every frame has its 3D."""
    sequence = next(project_views(generate_motion("walking", seconds=0.4, fps=30, seed=0), cameras=1))
    write_videos([sequence], tmp_path / "videos")
    torch.manual_seed(0)
    init_default_scope("mmpose")
    (tmp_path / "tiny.py").write_text(TINY)
    pose2d = ROOT / "studies/rendered/configs/heatmap_rendered.py"
    for config, name in ((tmp_path / "tiny.py", "lift"), (pose2d, "pose2d")):
        model = MODELS.build(Config.fromfile(config).model)
        torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / f"{name}.pth")
    arguments = [tmp_path / "videos", "--model", tmp_path / "tiny.py", "--weights", tmp_path / "lift.pth"]
    arguments += ["--pose2d", pose2d, "--pose2d-weights", tmp_path / "pose2d.pth", "--threshold", "0"]
    arguments += ["--picture", tmp_path / "found.png"]
    assert tool.main([*map(str, arguments), "--out", str(tmp_path / "page.md")]) == 0, capsys.readouterr().err
    assert cv2.imread(str(tmp_path / "found.png")).shape == (280, 280, 3)
    page = (tmp_path / "page.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| nothing")]
    assert [row[1:3] for row in rows] == [
        [found, shown]
        for found in ("exact 2D", "the true box", "the whole image")
        for shown in (("as they are", "not shown") if found == "exact 2D" else ("not shown", "as found"))
    ]
    assert all(row[3:5] == ["0.0 (0.0-0.0)", "100.0%"] for row in rows[:2])
    assert all(row[7] == "0" for row in rows) and all(float(row[3].split()[0]) > 20 for row in rows[2:])
    assert "1 videos of 1000 x 1002 px, 12 frames" in page
