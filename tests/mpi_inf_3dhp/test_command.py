import importlib.util
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import PoseStore
from mpm_mmpose.readers import mpi_inf_3dhp_pstmo

SCRIPT = Path(__file__).parents[2] / "tools/dataset_converters/mpi_inf_3dhp.py"
UNIVERSAL = ["--annotation", "univ_annot3"]


def load():
    spec = importlib.util.spec_from_file_location("mpi_inf_3dhp_command", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


command = load()


@pytest.fixture
def outs(tmp_path):
    return ["--out-train", str(tmp_path / "stores/train"), "--out-test", str(tmp_path / "stores/test")]


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    for option in ("SRC", "--annotation", "--out-train", "--out-test", "--skip-bad", "--overwrite"):
        assert option in result.stdout


def test_original(tmp_path, training, testing, outs, capsys):
    training(), testing()
    assert command.main([str(tmp_path), "--annotation", "annot3", *outs]) == 0
    printed = capsys.readouterr().out
    assert f"{outs[1]}: 1 recordings of 6 frames, 0 skipped" in printed
    assert f"{outs[3]}: 1 recordings of 8 frames, 0 skipped" in printed
    assert PoseStore(outs[3]).meta["annotation"] == "annot3"


def test_pstmo(pstmo, outs, capsys):
    assert command.main([*map(str, pstmo()), *UNIVERSAL, *outs]) == 0
    assert len(PoseStore(outs[1])) == 16 and PoseStore(outs[3]).names == ("TS1", "TS5")
    assert command.main([*map(str, pstmo()), "--annotation", "annot3", *outs, "--overwrite"]) == 1
    assert "hold univ_annot3, not annot3" in capsys.readouterr().err


def test_bad_recording(pstmo, outs, capsys):
    def edit(train, test):
        test["TS1"]["data_3d"] *= 0.001

    sources = [*map(str, pstmo(edit=edit)), *UNIVERSAL, *outs]
    assert command.main(sources) == 1
    error = capsys.readouterr().err
    assert "these are metres: multiply by 1000" in error and "test is as it was before" in error
    assert not Path(outs[3]).exists() and not list(Path(outs[3]).parent.glob(".*"))
    assert command.main([*sources, "--skip-bad", "--overwrite"]) == 0
    printed = capsys.readouterr()
    assert "skipped: " in printed.err and "1 recordings of 4 frames, 1 skipped" in printed.out


def test_without_h5py(tmp_path, testing, outs, capsys, monkeypatch):
    testing()
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert command.main([str(tmp_path), "--annotation", "annot3", *outs[2:], "--skip-bad"]) == 1
    error = capsys.readouterr().err
    assert "run: pip install h5py" in error and "--skip-bad goes on" not in error


class Hostile:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_hostile_file(tmp_path, outs, capsys):
    path, witness = tmp_path / "data_train_3dhp.npz", tmp_path / "executed"
    np.savez_compressed(path, data={"S1 Seq1": [Hostile(f"touch {witness}"), 25]})
    assert command.main([str(path), *UNIVERSAL, *outs]) == 1
    assert "asks for posix.system, which is refused" in capsys.readouterr().err
    assert not witness.exists()
    pickle.loads(pickle.dumps(Hostile(f"touch {witness}")))
    assert witness.exists()  # the payload was real


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}", "--out-train", "s"], "the following arguments are required: --annotation"),
        (["{file}", "--out-train", "s", "--annotation", "both"], "invalid choice: 'both'"),
        (["nowhere", *UNIVERSAL, "--out-train", "s"], "nowhere: does not exist; docs/data.md"),
        (["{file}", *UNIVERSAL], "give --out-train, --out-test, or both"),
        (["{file}", *UNIVERSAL, "--out-train", "s", "--out-test", "s"], "are the same directory"),
        (["{file}", *UNIVERSAL, "--out-train", "{folder}"], "exists already; give another directory, or --overwrite"),
    ],
)
def test_wrong_use(tmp_path, arguments, message, capsys):
    file = tmp_path / "x.npz"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        command.main([argument.format(file=file, folder=tmp_path) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_interrupt(tmp_path, pstmo, outs, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    paths = pstmo()
    monkeypatch.setattr(mpi_inf_3dhp_pstmo, "make_sequence", interrupted)
    assert command.main([*map(str, paths), *UNIVERSAL, *outs]) == 130
    assert "Interrupted" in capsys.readouterr().err and not list(Path(outs[1]).parent.iterdir())


def test_missing_store_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="tools/dataset_converters/mpi_inf_3dhp.py"):
        PoseStore(tmp_path / "mpi_inf_3dhp_train")
