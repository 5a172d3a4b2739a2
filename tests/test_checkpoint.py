import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner.checkpoint import _load_checkpoint, save_checkpoint

import mpm_mmpose.register  # noqa: F401  (its import is what makes the files readable)
from mpm_mmpose.checkpoint import AtomicLocalBackend, CheckpointError


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


class Call:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize(
    "hostile",
    [
        lambda marker: Call(os.system, f"touch {marker}"),
        lambda marker: Call(eval, f"open({str(marker)!r}, 'w')"),
        lambda marker: Call(getattr, HistoryBuffer, "register_statistics"),
        lambda marker: Call(getattr, HistoryBuffer, "__init__"),
        lambda marker: Call(getattr, np.ndarray, "tofile"),
        lambda marker: Call(getattr, Call(getattr, HistoryBuffer, "mean"), "__globals__"),
    ],
    ids=["os.system", "eval", "class method", "dunder", "other class", "chain"],
)
def test_a_hostile_checkpoint_is_refused(tmp_path, monkeypatch, hostile):
    marker = tmp_path / "was_run"
    torch.save(dict(state_dict={}, meta=hostile(marker)), tmp_path / "hostile.pth")
    for force in ("0", "1"):  # many set it for files of before torch 2.6
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", force)
        with pytest.raises(CheckpointError, match=r"hostile\.pth: is no checkpoint that can be read \(") as error:
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
