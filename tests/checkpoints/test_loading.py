import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner.checkpoint import _load_checkpoint, save_checkpoint
from torch import nn

import mpm_mmpose.register  # noqa: F401  (its import is what makes the files readable)
from mpm_mmpose.checkpoints.loading import (
    AtomicLocalBackend,
    CheckpointError,
    check_fit,
    load_checkpoint,
    weights_misfit,
    weights_of,
)


def test_a_runner_checkpoint_loads_with_weights_only(tmp_path):
    hub = MessageHub("test_a_runner_checkpoint")
    hub.update_scalar("train/loss", 3.0)
    hub.update_scalar("train/loss", np.float32(1.0))
    hub.update_info("best_score", np.float64(41.5))
    hub.update_info("error_by_action", np.arange(3, dtype=np.int64))
    checkpoint = dict(
        meta=dict(epoch=2, iter=np.int64(7), dataset_meta=dict(actions=("walk", "wave"), flip_indices=[0, 4, 5])),
        state_dict=dict(weight=torch.ones(2)),
        message_hub=hub.state_dict(),
    )
    save_checkpoint(checkpoint, str(tmp_path / "epoch_2.pth"))

    loaded = torch.load(tmp_path / "epoch_2.pth", weights_only=True)
    history = loaded["message_hub"]["log_scalars"]["train/loss"]
    assert history.data[0].tolist() == [3.0, 1.0]
    assert (history.mean(), history.statistics("max")) == (2.0, 3.0)
    assert loaded["message_hub"]["runtime_info"]["best_score"] == 41.5
    assert loaded["message_hub"]["runtime_info"]["error_by_action"].tolist() == [0, 1, 2]
    assert loaded["meta"] == checkpoint["meta"]
    assert _load_checkpoint(str(tmp_path / "epoch_2.pth"))["meta"]["iter"] == 7  # what resume and test call


RECONSTRUCT = np.zeros(1).__reduce__()[0]


class Call:
    def __init__(self, function, *args, state=None):
        self.function, self.args, self.state = function, args, state

    def __reduce__(self):
        return (self.function, self.args) if self.state is None else (self.function, self.args, self.state)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda marker: Call(os.system, f"touch {marker}"),
        lambda marker: Call(eval, f"open({str(marker)!r}, 'w')"),
        lambda marker: Call(getattr, HistoryBuffer, "register_statistics"),
        lambda marker: Call(getattr, HistoryBuffer, "__init__"),
        lambda marker: Call(getattr, np.ndarray, "tofile"),
        lambda marker: Call(getattr, Call(getattr, HistoryBuffer, "mean"), "__globals__"),
        # These end in a crash, or ask for any amount of memory, where numpy's own functions are allowed.
        lambda marker: Call(
            np.dtype, "V8", False, True, state=(3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)
        ),
        lambda marker: Call(
            np.dtype, "f8", False, True, state=(3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 63)
        ),
        lambda marker: np.array([object], dtype=object),
        lambda marker: np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
        lambda marker: Call(np.ndarray, (10**12,)),
        lambda marker: Call(RECONSTRUCT, np.ndarray, (10**12,), b"b"),
        lambda marker: Call(
            RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (10**6,), np.dtype("f8"), False, b"12345678")
        ),
        lambda marker: Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (1,), np.dtype("O"), False, [1])),
        lambda marker: Call(np.float64(0).__reduce__()[0], np.dtype("O"), b"12345678"),
        lambda marker: Call(np.float64(0).__reduce__()[0], np.dtype("f8"), b"1234"),
    ],
    ids=[
        *("os.system", "eval", "class method", "dunder", "other class", "chain", "dtype of objects", "lying dtype"),
        *("objects", "fields", "allocation", "allocation by _reconstruct", "longer than it is", "objects by state"),
        *("scalar object", "short scalar"),
    ],
)
def test_a_hostile_checkpoint_is_refused(tmp_path, monkeypatch, hostile):
    marker = tmp_path / "was_run"
    torch.save(dict(state_dict={}, meta=hostile(marker)), tmp_path / "hostile.pth")
    for force in ("0", "1"):  # many set it for files of before torch 2.6
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", force)
        with pytest.raises(
            CheckpointError, match=r"hostile\.pth: is no checkpoint that can be read \((?!Weights)"
        ) as error:
            _load_checkpoint(str(tmp_path / "hostile.pth"))
        assert "weights_only" not in str(error.value)  # torch's advice to unpickle it all the same
    assert not marker.exists()


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    backend = get_file_backend(backend_args=dict(backend="atomic_local"))
    assert isinstance(backend, AtomicLocalBackend)
    path = tmp_path / "folder" / "epoch_1.pth"
    backend.put(b"first", path)
    assert path.read_bytes() == b"first"

    def interrupt(source, target):
        assert open(source, "rb").read() == b"second"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        backend.put(b"second", path)
    assert path.read_bytes() == b"first"
    assert [file.name for file in path.parent.iterdir()] == ["epoch_1.pth"]


def test_empty_arrays_of_metainfo_are_read_and_bytes_are_not_made(tmp_path):
    """MMPose's h36m.py has no sigmas."""
    path = tmp_path / "empty.pth"
    torch.save(dict(meta=dict(sigmas=np.array([], np.float32))), path)
    assert torch.load(path, weights_only=True)["meta"]["sigmas"].shape == (0,)

    class Large:
        def __reduce__(self):
            return bytes, (10**12,)

    torch.save(dict(meta=Large()), path)
    with pytest.raises((pickle.UnpicklingError, TypeError)):
        torch.load(path, weights_only=True)


def test_what_was_read_is_written_again_as_what_it_was(tmp_path):
    """Resumed trainings write what they have read; others must be able to read that, without this package."""
    hub = MessageHub("test_written_again")
    hub.update_scalar("train/loss", 3.0)
    content = dict(message_hub=hub.state_dict(), meta=dict(colours=np.array([[1, 2], [3, 4]], np.uint8, order="F")))
    torch.save(content, tmp_path / "a.pth")
    first = load_checkpoint(tmp_path / "a.pth")
    assert pickle.dumps(first["meta"]["colours"].copy()) == pickle.dumps(content["meta"]["colours"].copy())
    assert type(first["message_hub"]["log_scalars"]["train/loss"]) is HistoryBuffer
    torch.save(first, tmp_path / "b.pth")
    assert b"mpm_mmpose" not in (tmp_path / "b.pth").read_bytes()
    again = torch.load(tmp_path / "b.pth", weights_only=False)
    assert type(again["meta"]["colours"]) is np.ndarray and again["meta"]["colours"].tolist() == [[1, 2], [3, 4]]
    again["message_hub"]["log_scalars"]["train/loss"].update(1.0)
    assert again["message_hub"]["log_scalars"]["train/loss"].mean() == 2.0


def test_a_history_brings_no_functions_and_only_numbers(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    history.__dict__["statistics_methods"] = dict(mean=torch.Size)
    torch.save(dict(h=Call(HistoryBuffer, state=dict(vars(history)))), tmp_path / "a.pth")
    assert load_checkpoint(tmp_path / "a.pth")["h"].statistics("mean") == 1.5
    assert HistoryBuffer([4.0], [1]).statistics("mean") == 4.0
    torch.save(dict(h=Call(HistoryBuffer, state=dict(vars(history), _log_history=["x"]))), tmp_path / "a.pth")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "a.pth")


def test_texts_of_configs_are_never_handed_on(tmp_path):
    """Runner.resume executes meta.config, MMEngine's inferencers message_hub.runtime_info.cfg and meta.cfg."""
    content = dict(
        state_dict=dict(weight=torch.ones(2)),
        meta=dict(config="raise SystemExit", cfg="raise SystemExit", epoch=1),
        message_hub=dict(runtime_info=dict(cfg="raise SystemExit", epoch=1), log_scalars={}, resumed_keys={}),
    )
    torch.save(content, tmp_path / "a.pth")
    for loaded in (load_checkpoint(tmp_path / "a.pth"), _load_checkpoint(str(tmp_path / "a.pth"))):
        assert loaded["meta"] == loaded["message_hub"]["runtime_info"] == dict(epoch=1)


def test_addresses_are_read_the_same_way(tmp_path, monkeypatch):
    """torch's own default there is to unpickle."""
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(dict(meta=dict(cfg="x"), state_dict={}), tmp_path / "checkpoints/good.pth")
    torch.save(Call(os.system, f"touch {tmp_path / 'was_run'}"), tmp_path / "checkpoints/bad.pth")
    assert _load_checkpoint("https://host.invalid/good.pth")["meta"] == {}
    monkeypatch.setattr(
        "mmengine.runner.checkpoint.get_torchvision_models", lambda: dict(bad="https://host.invalid/bad.pth")
    )
    for name in ("https://host.invalid/bad.pth", "torchvision://bad"):
        with pytest.raises((CheckpointError, pickle.UnpicklingError)):
            _load_checkpoint(name)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b"no checkpoint"), r"is no checkpoint that can be read \("),
        (lambda path: path.write_bytes(b""), r"is no checkpoint that can be read \("),
        (lambda path: torch.save([1], path), "holds a list, no weights by name"),
        (lambda path: torch.save(dict(meta=[]), path), "field 'meta' is a list, no dict"),
        (
            lambda path: torch.save(dict(message_hub=dict(runtime_info=3)), path),
            "field 'message_hub.runtime_info' is a int, no dict",
        ),
    ],
    ids=["text", "empty", "list", "meta", "runtime_info"],
)
def test_what_is_no_checkpoint_is_one_line(tmp_path, write, message):
    write(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=rf"a\.pth: {message}") as error:
        load_checkpoint(tmp_path / "a.pth")
    assert "\n" not in str(error.value) and "weights_only" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="b.pth: no such checkpoint"):
        load_checkpoint(tmp_path / "b.pth")


def test_a_packed_file_is_not_unpacked(tmp_path):
    torch.save(dict(a=torch.zeros(1000)), tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as plain, zipfile.ZipFile(tmp_path / "b.pth", "w") as packed:
        for entry in plain.namelist():
            packed.writestr(entry, plain.read(entry), zipfile.ZIP_DEFLATED)
    with pytest.raises(
        CheckpointError, match=r"b\.pth: is no checkpoint that can be read \(its contents are compressed"
    ):
        load_checkpoint(tmp_path / "b.pth")


def test_meta_that_is_none_is_empty(tmp_path):
    torch.save(dict(meta=None, state_dict={}), tmp_path / "a.pth")
    assert load_checkpoint(tmp_path / "a.pth")["meta"] == {}


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda state: state.pop("0.weight"), "lack 1 tensors, the first of which is '0.weight'"),
        (
            lambda state: state.update(more=torch.ones(1)),
            "have beside the model's 1 tensors, the first of which is 'more'",
        ),
        (
            lambda state: state.update({"0.bias": torch.ones(4)}),
            r"have another shape of 1 tensors, the first of which is '0.bias' \(4, not 3\)",
        ),
        (lambda state: state.update({"0.bias": torch.ones(3, dtype=int)}), "have another kind of number in 1 tensors"),
        (
            lambda state: state.update({"0.bias": torch.ones(3, device="meta")}),
            "have another kind of number in 1 tensors",
        ),
        (lambda state: state.update({"0.bias": torch.ones(3).to_sparse()}), "have another kind of number in 1 tensors"),
    ],
    ids=["missing", "more", "shape", "integers", "meta", "sparse"],
)
def test_weights_of_another_model(edit, message):
    state = model().state_dict()
    assert weights_misfit(model(), state) == ""
    edit(state)
    with pytest.raises(
        CheckpointError, match=rf"^a\.pth: these weights {message}.*; they are not of tiny\.py: give config"
    ):
        check_fit(model(), state, "a.pth", "tiny.py")


def test_a_part_may_say_what_it_does_without():
    ours = model()
    ours[0].spare_weights = ["decoder"]
    state = ours.state_dict() | {"0.decoder.weight": torch.ones(1), "0.decoder": torch.ones(1)}
    assert weights_misfit(ours, state) == ""
    assert weights_misfit(ours, state | {"0.decoder_2": torch.ones(1)}).startswith("have beside the model's 1 tensors")


def test_weights_by_name():
    state = {"module.a": torch.ones(1)}
    assert list(weights_of(dict(state_dict=state), "a.pth")) == list(weights_of(state, "a.pth")) == ["a"]
    for wrong in ({}, dict(state_dict=None), dict(state_dict=dict(a=1)), dict(state_dict={3: torch.ones(1)})):
        with pytest.raises(CheckpointError, match="a.pth: "):
            weights_of(wrong, "a.pth")
