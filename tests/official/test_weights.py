"""Reading, recognising and renaming the authors' state dicts."""

import numpy as np
import pytest
import torch

from mpm_mmpose.official.names import Sizes, norm_factor
from mpm_mmpose.official.weights import convert_state, infer_sizes, load_official, save_atomically


@pytest.fixture
def refine_state() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (1024, 96), "0.bias": (1024,), "3.weight": (32, 1024), "3.bias": (32,)}
    return {f"post_refine.{name}": torch.rand(shape, generator=rng) for name, shape in shapes.items()}


def lifting_keys(frames: int, layers: int, channels: int = 32) -> dict[str, torch.Tensor]:
    """The few entries that tell a lifting model's sizes."""
    state = {
        "fcn_1.1.weight": torch.zeros(48, channels, 1),
        "encoder2d.fc_1.weight": torch.zeros(2 * channels, 32, 1),
        "shared_layers_temporal.pos_embedding": torch.zeros(1, frames, channels),
    }
    for i in range(2):
        state[f"shared_layers_temporal.model.layers.{i}.feed_forward.w_1.weight"] = torch.zeros(48, channels)
    for i in range(layers):
        state[f"Transformer_reduce.model.layers.{i}.feed_forward.w_1.bias"] = torch.zeros(48)
    return state


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_pth_is_read_with_any_wrapping(tmp_path, refine_state, wrapper, prefix):
    state = {prefix + name: value for name, value in refine_state.items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "refine.pth")
    read = load_official(tmp_path / "refine.pth")
    assert read.keys() == refine_state.keys()
    assert all(torch.equal(read[name], refine_state[name]) for name in read)


def test_npz_gives_only_its_state(tmp_path, refine_state):
    arrays = {f"state/{name}": value.numpy() for name, value in refine_state.items()}
    np.savez(tmp_path / "refine.npz", x=np.zeros(3), **arrays)
    read = load_official(tmp_path / "refine.npz")
    assert read.keys() == refine_state.keys()
    assert torch.equal(read["post_refine.3.bias"], refine_state["post_refine.3.bias"])


class Unwanted:
    """Something that a checkpoint read with weights_only must not bring to life."""


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b"no checkpoint at all"),
        lambda path: path.write_bytes(b"text"),
        lambda path: path.write_bytes(b""),
        lambda path: torch.save({"model": Unwanted()}, path),
        lambda path: torch.save({"epoch": 3}, path),
        lambda path: torch.save([torch.zeros(3)], path),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".npz"])
def test_what_is_no_checkpoint_is_refused_with_its_name(tmp_path, write, suffix):
    path = tmp_path / f"weights{suffix}"
    write(path)
    with pytest.raises(ValueError, match=f"weights{suffix}: not a"):
        load_official(path)
    with pytest.raises(FileNotFoundError, match="absent.pth: no such file"):
        load_official(tmp_path / "absent.pth")


@pytest.mark.parametrize(
    ("frames", "strides"),
    [(9, (1, 3, 3)), (27, (3, 3, 3)), (81, (3,) * 4), (243, (3,) * 5), (351, (3, 9, 13))],
)
def test_released_strides_follow_from_the_window(frames, strides):
    sizes = infer_sizes(lifting_keys(frames, len(strides)))
    assert sizes == Sizes("lift", 16, frames, 32, 48, 2, len(strides), 8, strides)


def test_strides_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match="no strides were released for windows of 15 frames: give --strides, 2 numbers"
    ):
        infer_sizes(lifting_keys(15, 2))
    assert infer_sizes(lifting_keys(15, 2), strides=(5, 3)).strides == (5, 3)
    for strides in ((3, 3), (1, 5, 3)):
        with pytest.raises(ValueError, match="2 layers and the window 15 frames"):
            infer_sizes(lifting_keys(15, 2), strides=strides)
    with pytest.raises(ValueError, match="2 layers and the window 27 frames"):
        infer_sizes(lifting_keys(27, 2))


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="--heads 8 does not divide the 36 channels"):
        infer_sizes(lifting_keys(27, 3, channels=36))
    with pytest.raises(ValueError, match="--heads 0"):
        infer_sizes(lifting_keys(27, 3), heads=0)


def test_missing_and_unknown_keys_are_listed(refine_state):
    with pytest.raises(ValueError, match="unknown keys conv1.weight: none of fcn_1.1.weight"):
        infer_sizes({"conv1.weight": torch.zeros(1)})
    sizes = infer_sizes(refine_state)
    del refine_state["post_refine.3.bias"]
    refine_state["post_refine.4.bias"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"missing keys post_refine\.3\.bias; unknown keys post_refine\.4\.bias"):
        convert_state(refine_state, sizes)
    with pytest.raises(ValueError, match="missing keys shared_layers_temporal.pos_embedding"):
        infer_sizes({"fcn_1.1.weight": torch.zeros(1)})


def test_refine_only_changes_names(refine_state):
    converted = convert_state(refine_state, infer_sizes(refine_state))
    assert sorted(converted) == ["linear1.bias", "linear1.weight", "linear2.bias", "linear2.weight"]
    assert torch.equal(converted["linear2.weight"], refine_state["post_refine.3.weight"])


def test_norm_factor_is_the_ratio_of_the_two_deviations():
    values = np.random.default_rng(0).normal(size=7)
    assert norm_factor(7) == pytest.approx(values.std() / values.std(ddof=1), rel=1e-12)


def test_interrupted_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    save_atomically({"a": 1}, tmp_path / "made" / "x.pth")
    with pytest.raises(AttributeError):
        save_atomically({"a": lambda: None}, tmp_path / "made" / "x.pth")
    assert [p.name for p in (tmp_path / "made").iterdir()] == ["x.pth"]
    assert torch.load(tmp_path / "made" / "x.pth", weights_only=True) == {"a": 1}
