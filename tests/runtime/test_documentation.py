"""What docs/deployment.md shows in NumPy gives what the runtime gives."""

import re
from pathlib import Path

import numpy as np

from mpm_mmpose.lifting import Track2D, TrackLifter
from mpm_mmpose.lifting.windows import cut_windows
from mpm_mmpose.pose.geometry import normalize_screen
from mpm_mmpose.runtime import OnnxModel
from mpm_mmpose.runtime.shipped import shipped_model

PAGE = Path(__file__).parents[2] / "docs/deployment.md"


def program():
    (found,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "np.clip" in block)
    return found


def test_the_program_without_this_package(write_model, monkeypatch):
    model = write_model()
    monkeypatch.chdir(model.parent)
    random = np.random.default_rng(0)
    keypoints, scores = random.uniform(0, 900, (20, 17, 2)), random.uniform(0.31, 1, (20, 17))
    scores[7, 3] = 0.2
    names = dict(keypoints=keypoints, scores=scores, width=1000, height=900)
    exec(program().replace("lift.onnx", model.name), names)
    shown = normalize_screen(keypoints.astype(np.float32), 1000, 900)
    shown[7, 3] = np.nan
    windows = cut_windows(shown, np.arange(20) - 9 // 2, 9, 1)
    expected = OnnxModel(model).targets(windows, flip_test=False)
    expected[7, 3, :2] = names["poses"][7, 3, :2]  # the page does not say where masked keypoints are
    np.testing.assert_allclose(names["poses"], expected, atol=1e-5)
    assert names["poses"][7, 3, 2] == 1


def test_the_program_with_the_model_in_the_package():
    """Which sees rays, and gives sequences."""
    keypoints, scores = np.random.default_rng(0).uniform(200, 700, (30, 17, 2)), np.ones((30, 17))
    scores[9, 3] = 0.2
    track = Track2D("0", np.arange(30) / 30, keypoints, scores, "h36m_17", 1000, 900, 30.0)
    lifter = TrackLifter(OnnxModel(), mode="exact", flip_test=False, constant_bones=False)
    names = dict(keypoints=keypoints, scores=scores, width=1000, height=900)
    exec(program().replace("lift.onnx", str(shipped_model())), names)
    np.testing.assert_allclose(names["poses"], lifter.lift(track).keypoints_3d, atol=1e-4)
