"""Converted models give the figures of the authors' code, and the check notices when they do not."""

import re

import numpy as np
import pytest
import torch

from mpm_mmpose.evaluation import PoseErrorMetric
from mpm_mmpose.models import LiftingPreprocessor
from mpm_mmpose.official.check import build_model, differences
from mpm_mmpose.official.figures import Figures
from mpm_mmpose.official.weights import infer_sizes, load_official

# What a file holds besides outputs: weights and inputs, what test_official_training.py and test_geometry.py compare,
# and the zeros that the 2D path of the completion model gives in the mode without lifting.
NO_OUTPUTS = re.compile(
    r"(state|grad|train\d?|camera)/|(.*/)?(input.*|[st]mask.*|gt_3d|uvd|cam|x|x_1|target_root_zeroed)$|comp3donly_out_3d$"
)
# All that a converted model changes is where LayerNorm adds its 1e-6: to the variance instead of to the deviation. With
# deviations near 1 that is about 1e-6 of every normalised value, in double precision as well; measured 2e-6.
LAYER_NORM_BOUND = 5e-6


@pytest.mark.parametrize("name", ["pretrain_2d3d", "completion", "lift", "refine"])
def test_every_output_agrees(reference_dir, name):
    path = reference_dir / f"{name}.npz"
    official = load_official(path)
    found = differences(official, infer_sizes(official), path)
    with np.load(path, allow_pickle=False) as arrays:
        assert set(found) == {array for array in arrays.files if not NO_OUTPUTS.match(array)}
    for output, difference in found.items():
        bound = 1e-5
        if output.startswith("f64/"):
            bound = 1e-9 if name == "refine" else LAYER_NORM_BOUND
        assert difference <= bound, (output, difference)


def test_end_to_end_evaluation_agrees(reference_dir):
    official = load_official(reference_dir / "lift.npz") | load_official(reference_dir / "refine.npz")
    sizes = infer_sizes(official)
    assert (sizes.kind, sizes.refine_channels) == ("lift", 1024)
    found = differences(official, sizes, reference_dir / "metrics.npz")
    assert len(found) == 8
    assert max(found.values()) <= 1e-6  # metres: a thousandth of a millimetre
    official = load_official(reference_dir / "lift.npz")
    without = differences(official, infer_sizes(official), reference_dir / "metrics.npz")
    assert sorted(without) == sorted(name for name in found if "refine0" in name)


def test_changed_weights_are_noticed(reference_dir):
    path = reference_dir / "lift.npz"
    official = load_official(path)
    official["Transformer_reduce.model.layers.1.sublayer.1.norm.a_2"] *= 1.001
    found = differences(official, infer_sizes(official), path)
    assert found["inter/Transformer_reduce.model.layers.0"] <= 1e-5
    assert found["inter/Transformer_reduce.model.layers.1"] > 1e-4
    assert found["out_single_bfjc"] > 1e-4


def test_figures_that_do_not_belong_are_refused(reference_dir, tmp_path):
    official = load_official(reference_dir / "lift.npz")
    sizes = infer_sizes(official)
    with pytest.raises(ValueError, match="figures of a refine model, but the weights are of a lift model"):
        differences(official, sizes, reference_dir / "refine.npz")
    with pytest.raises(ValueError, match="not a file of the reference's layout"):
        differences(official, sizes, reference_dir / "windows.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(ValueError, match="text.npz: not an .npz file"):
        differences(official, sizes, tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError, match="absent.npz: no such file"):
        differences(official, sizes, tmp_path / "absent.npz")
    arrays = dict(np.load(reference_dir / "lift.npz", allow_pickle=False))
    np.savez(tmp_path / "short.npz", **(arrays | {"input_bfjc": arrays["input_bfjc"][:, :26]}))
    with pytest.raises(ValueError, match="short.npz: .* 26 frames; num_frames is 27"):
        differences(official, sizes, tmp_path / "short.npz")
    del arrays["gt_3d"]
    np.savez(tmp_path / "less.npz", **arrays)
    with pytest.raises(ValueError, match="less.npz: .* there is no array gt_3d"):
        differences(official, sizes, tmp_path / "less.npz")


def test_weights_of_other_shapes_are_refused(reference_dir):
    official = load_official(reference_dir / "lift.npz")
    official["fcn.1.weight"] = official["fcn.1.weight"][:48]
    with pytest.raises(ValueError, match="do not fit a lift model.*head.target_out.weight"):
        build_model(official, infer_sizes(official))


@pytest.mark.parametrize("flip", [0, 1])
def test_evaluation_as_users_run_it_gives_the_official_figures(reference_dir, flip):
    """From windows to P1 through preprocessor, mmpose's PoseLifter with its flip test, refine module and metric."""
    official = load_official(reference_dir / "lift.npz") | load_official(reference_dir / "refine.npz")
    model = build_model(official, infer_sizes(official))
    model.test_cfg = dict(flip_test=bool(flip))
    figures = Figures(reference_dir / "metrics.npz")
    ground_truth = figures["e2e/gt_3d"].clone()
    ground_truth[:, :, 1:] += ground_truth[
        :, :, :1
    ]  # the release keeps the absolute root in keypoint 0, the others relative to it
    actions, action = np.unique([name.split()[0] for name in figures.arrays["e2e/action"]], return_inverse=True)
    batch = dict(
        keypoints=figures["e2e/input_2d"].clone(),
        keypoints_3d=ground_truth.expand(-1, 27, -1, -1),
        intrinsics=figures["e2e/cam"],
        action=torch.from_numpy(action),
        window=torch.arange(len(action)),
    )
    metric = PoseErrorMetric()
    metric.dataset_meta = dict(actions=tuple(actions))
    with torch.no_grad():
        samples = model.predict(**LiftingPreprocessor()(batch))
    metric.process(None, [sample.to_dict() for sample in samples])
    found = metric.evaluate(len(samples))["pose/mpjpe/mean_over_actions"]
    assert found == pytest.approx(float(figures[f"e2e/tta{flip}_refine1/p1_mm"]), abs=2e-3)
