"""The commands with weights that say what they are of: really trained ones, and those of the authors."""

import os

import numpy as np
import pytest
import torch

from mpm_mmpose.apis import MPMInferencer
from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.checkpoints.loading import load_checkpoint
from mpm_mmpose.deployment.export import export_model
from mpm_mmpose.official.check import build_model
from mpm_mmpose.official.weights import converted_meta, infer_sizes, load_official


@pytest.fixture
def lift(command, keypoints, tmp_path):
    """Function that lifts the walk of 12 frames; gives the exit status, the poses and the last line on stderr."""

    def run(*arguments):
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
        status, _, err = command("keypoints_to_3d", *keypoints, *arguments, "--out", out, "--format", "npz")
        poses = np.load(out / "walk.npz")["keypoints_3d"] if status == 0 else None
        return status, poses, err.strip().splitlines()[-1]

    return run


def test_a_trained_checkpoint_needs_no_config(lift, trained_lifter, tmp_path):
    config, weights = trained_lifter
    arguments = ("--weights", weights, "--device", "cpu")
    status, poses, last = lift(*arguments)
    assert status == 0 and poses.shape == (12, 17, 3) and np.isfinite(poses).all(), last
    np.testing.assert_array_equal(lift(*arguments, "--model", config)[1], poses)
    # As an exported model, too, which has all of it from the checkpoint.
    info, _ = export_model(None, weights, tmp_path / "a.onnx")
    assert (info.window, info.frame_step, info.fps, info.config) == (9, 2, 50.0, "")
    status, exported, last = lift("--backend", "onnx", "--weights", tmp_path / "a.onnx")
    np.testing.assert_allclose(exported, poses, atol=1e-4)


def test_a_config_that_takes_the_weights_for_something_else_is_refused(lift, trained_lifter, tmp_path):
    config, weights = trained_lifter
    (tmp_path / "other.py").write_text(f"_base_ = ['{config}']\nmodel = dict(head=dict(align='centre'))\n")
    status, _, last = lift("--weights", weights, "--device", "cpu", "--model", tmp_path / "other.py")
    assert status == 2 and "other.py: head.align is 'first' there and 'centre' here; change the config" in last


def test_a_config_says_nothing_of_what_the_weights_say_of_their_rate(trained_lifter, tmp_path):
    config, weights = trained_lifter
    (tmp_path / "step.py").write_text(f"_base_ = ['{config}']\ntest_dataloader = dict(dataset=dict(frame_step=1))\n")
    for model in (None, tmp_path / "step.py"):
        lifter = MPMInferencer(model, weights, device="cpu").lifter
        assert (lifter.frame_step, lifter.fps, lifter.model.window) == (2, 50.0, 9)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda meta: meta.pop("mpm_model"), "does not say what model it is of; give the config that it was trained"),
        (
            lambda meta: meta["mpm_model"]["model"].update(type="MaskedPoseEstimator"),
            "its model is no PoseLifter; give one of stage II",
        ),
    ],
    ids=["older", "pre-training"],
)
def test_weights_that_cannot_be_meant_are_wrong_use(lift, trained_lifter, tmp_path, edit, message):
    checkpoint = load_checkpoint(trained_lifter[1])
    edit(checkpoint["meta"])
    torch.save(checkpoint, tmp_path / "a.pth")
    status, _, last = lift("--weights", tmp_path / "a.pth", "--device", "cpu")
    assert status == 2 and last.startswith("error: ") and f"a.pth: {message}" in last


def test_weights_are_asked_for(lift):
    status, _, last = lift("--device", "cpu", "--backend", "pytorch")
    assert status == 2 and "give weights (--weights): a checkpoint of stage II" in last


def test_the_authors_weights_are_run_as_theirs(lift, reference_dir, tmp_path):
    """Their residual path, and windows of every second frame; with our defaults poses are metres off."""
    official = load_official(reference_dir / "lift.npz")
    sizes = infer_sizes(official)
    state, meta = build_model(official, sizes).state_dict(), converted_meta(sizes, 50.0, 2)
    torch.save(dict(state_dict=state, meta=meta), tmp_path / "ours.pth")
    model = build_lifter(None, tmp_path / "ours.pth", "cpu")
    assert (model.description.frame_step, model.description.fps, model.description.window) == (2, 50.0, 27)
    assert model.description.model["head"]["align"] == "first"
    status, poses, last = lift("--weights", tmp_path / "ours.pth", "--device", "cpu")
    assert status == 0, last
    windows = torch.randn(2, 27, 17, 2, generator=torch.Generator().manual_seed(0))
    expected = build_model(official, sizes)
    with torch.no_grad():
        assert torch.equal(model.head(model.backbone(windows))[0], expected.head(expected.backbone(windows))[0])


class Marked:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("option", ["--weights", "--pose2d-weights"])
def test_no_weights_are_unpickled(command, trained_lifter, pose2d, write_video, tmp_path, monkeypatch, option):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save(dict(state_dict={}, meta=dict(a=Marked(tmp_path / "was_run"))), tmp_path / "bad.pth")
    source = write_video(tmp_path / "noise.mp4")
    arguments = [*pose2d, "--weights", trained_lifter[1], "--device", "cpu", option, tmp_path / "bad.pth"]
    status, _, err = command("video_to_3d", source, *arguments, "--out", tmp_path / "out")
    last = err.strip().splitlines()[-1]
    assert status == 1 and "bad.pth: is no checkpoint that can be read (" in last and "posix is blocked" in last
    assert not (tmp_path / "was_run").exists()
