"""The converter as a user types it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.checkpoints.model_description import ModelDescription, build_described

TOOL = Path(__file__).parents[2] / "tools/model_converters/mpm_official.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mpm_official", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def convert(tool, tmp_path, capsys):
    def convert(source, *arguments):
        status = tool.main([str(source), str(tmp_path / "ours.pth"), *map(str, arguments)])
        return status, capsys.readouterr()

    return convert


@pytest.fixture
def refine(tmp_path) -> Path:
    """A refine module with the prefix of DataParallel, as released."""
    rng = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (8, 102), "0.bias": (8,), "3.weight": (34, 8), "3.bias": (34,)}
    state = {f"module.post_refine.{name}": torch.rand(shape, generator=rng) for name, shape in shapes.items()}
    torch.save(state, tmp_path / "refine.pth")
    return tmp_path / "refine.pth"


def test_result_is_loaded_by_the_stack(convert, refine, tmp_path):
    status, printed = convert(refine)
    assert status == 0 and "refine model" in printed.out
    checkpoint = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert checkpoint["meta"]["source"] == ["refine.pth"]
    model = MODELS.build(checkpoint["meta"]["model"])
    load_checkpoint(model, str(tmp_path / "ours.pth"), strict=True)
    source = torch.load(refine, weights_only=True)
    assert torch.equal(model.linear2.weight, source["module.post_refine.3.weight"])


@pytest.mark.parametrize("name", ["pretrain_2d3d", "completion", "lift", "refine"])
def test_check_passes_on_its_own_figures(convert, reference_dir, tmp_path, name):
    status, printed = convert(reference_dir / f"{name}.npz", "--check", reference_dir / f"{name}.npz")
    assert status == 0, printed
    assert "f64/" in printed.out and "ABOVE" not in printed.out
    checkpoint = torch.load(tmp_path / "ours.pth", weights_only=True)
    if name == "refine":  # no model to run alone
        MODELS.build(checkpoint["meta"]["model"]).load_state_dict(checkpoint["state_dict"])
        return
    said = ModelDescription.from_meta(checkpoint["meta"], "ours.pth")
    assert (said.window, said.frame_step, said.fps, said.keypoint_set) == (27, 2, 50.0, "h36m_17")
    built = build_described(said, checkpoint, "ours.pth")
    assert all(torch.equal(value, checkpoint["state_dict"][key]) for key, value in built.state_dict().items())


def test_refine_module_goes_into_the_lifting_model(convert, reference_dir, tmp_path):
    lift, refine, figures = (reference_dir / f"{name}.npz" for name in ("lift", "refine", "metrics"))
    status, printed = convert(lift, "--refine", refine, "--check", figures)
    assert status == 0 and "e2e/tta1_refine1/p2_mm" in printed.out
    meta = torch.load(tmp_path / "ours.pth", weights_only=True)["meta"]
    assert meta["mpm_model"]["model"]["head"]["type"] == "RefinedLiftingHead"
    assert meta["source"] == ["lift.npz", "refine.npz"]
    status, printed = convert(lift, "--refine", lift)
    assert status == 2 and "lift.npz: not the weights of a refine module" in printed.err
    status, printed = convert(reference_dir / "completion.npz", "--refine", refine)
    assert status == 2 and "unknown keys post_refine.0.bias" in printed.err


def test_difference_above_tolerance_is_status_one(convert, reference_dir, tmp_path):
    arrays = dict(np.load(reference_dir / "lift.npz", allow_pickle=False))
    arrays["out_seq_bfjc"] += 1e-4
    np.savez(tmp_path / "other.npz", **arrays)
    status, printed = convert(reference_dir / "lift.npz", "--check", tmp_path / "other.npz")
    assert status == 1
    marked = [line.split()[0] for line in printed.out.splitlines() if "ABOVE TOLERANCE" in line]
    assert marked == ["out_seq_bfjc"]
    assert convert(reference_dir / "lift.npz", "--check", tmp_path / "other.npz", "--tolerance", "1e-3")[0] == 0
    # Other heads than the weights were trained with build the same tensors, and are noticed here only.
    assert convert(reference_dir / "lift.npz", "--check", reference_dir / "lift.npz", "--heads", "4")[0] == 1


def test_nan_is_a_difference(convert, reference_dir, tmp_path):
    arrays = dict(np.load(reference_dir / "refine.npz", allow_pickle=False))
    arrays["state/post_refine.0.bias"][0] = np.nan
    np.savez(tmp_path / "nan.npz", **arrays)
    assert convert(tmp_path / "nan.npz", "--check", reference_dir / "refine.npz")[0] == 1


def one_line(printed) -> str:
    lines = [line for line in printed.err.splitlines() if line.startswith("mpm_official.py: error:")]
    assert len(lines) == 1 and printed.err.rstrip().endswith(lines[0])
    return lines[0]


def test_wrong_use_is_status_two_with_one_line(convert, refine, tmp_path):
    status, printed = convert(tmp_path / "absent.pth")
    assert status == 2 and "absent.pth: no such file" in one_line(printed)

    (tmp_path / "text.pth").write_text("text")
    status, printed = convert(tmp_path / "text.pth")
    assert status == 2 and "text.pth: not a checkpoint" in one_line(printed)

    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    status, printed = convert(tmp_path / "resnet.pth")
    assert status == 2 and "unknown keys conv1.weight" in one_line(printed)

    state = torch.load(refine, weights_only=True)
    del state["module.post_refine.3.bias"]
    torch.save(state, tmp_path / "short.pth")
    status, printed = convert(tmp_path / "short.pth")
    assert status == 2 and "missing keys post_refine.3.bias" in one_line(printed)

    status, printed = convert(refine, "--refine", tmp_path / "resnet.pth")
    assert status == 2 and "unknown keys conv1.weight" in one_line(printed)

    status, printed = convert(refine, "--check", tmp_path / "absent.npz")
    assert status == 2 and "absent.npz: no such file" in one_line(printed)
    assert not (tmp_path / "ours.pth").exists()


def test_strides_are_read(tool, capsys):
    assert tool.parse_args(["a", "b", "--strides", "1,3,3"]).strides == (1, 3, 3)
    with pytest.raises(SystemExit) as stop:
        tool.main(["a", "b", "--strides", "3x3"])
    assert stop.value.code == 2 and "'3x3' is not a list of numbers" in capsys.readouterr().err
