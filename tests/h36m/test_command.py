import importlib.util
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import PoseStore
from mpm_mmpose.readers import h36m_videopose3d

SCRIPT = Path(__file__).parents[2] / "tools/dataset_converters/h36m.py"


def load():
    spec = importlib.util.spec_from_file_location("h36m_command", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


h36m = load()


@pytest.fixture
def outs(tmp_path):
    return ["--out-train", str(tmp_path / "h36m_train"), "--out-test", str(tmp_path / "h36m_test")]


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    for option in ("POS3D", "--keypoints-2d", "--cameras", "--out-train", "--out-test", "--skip", "--skip-bad"):
        assert option in result.stdout


def test_converting(tmp_path, videopose3d, outs, capsys):
    path_3d, path_2d = videopose3d()
    assert h36m.main([str(path_3d), "--keypoints-2d", str(path_2d), *outs, "--skip", "mmpose"]) == 0
    printed = capsys.readouterr()
    assert f"{tmp_path / 'h36m_train'}: 2 recordings of 12 frames, 0 skipped" in printed.out
    assert f"{tmp_path / 'h36m_test'}: 3 recordings of 15 frames, 0 skipped" in printed.out
    assert "100%" in printed.err  # the progress bars
    assert set(PoseStore(tmp_path / "h36m_train").subjects) == {"S1"}
    assert set(PoseStore(tmp_path / "h36m_test").subjects) == {"S9", "S11"}


def test_mmpose_layout(tmp_path, mmpose_files, capsys):
    path, detections = mmpose_files()
    arguments = [str(path), "--keypoints-2d", str(detections), "--out-test", str(tmp_path / "s")]
    assert h36m.main(arguments) == 0
    assert (PoseStore(tmp_path / "s").keypoint_scores[:] == 0.75).all()


def test_bad_recording(tmp_path, videopose3d, outs, capsys):
    def edit(table):
        table["S9"]["Greeting"] = table["S9"]["Greeting"] * 1000

    path = videopose3d(edit_3d=edit)[0]
    assert h36m.main([str(path), *outs]) == 1
    error = capsys.readouterr().err
    assert f"error: {path}: positions_3d of S9 Greeting: a leg is" in error and "divide by 1000" in error
    assert "h36m_test is as it was before" in error and "Traceback" not in error
    assert not (tmp_path / "h36m_test").exists() and not list(tmp_path.glob(".*"))
    assert h36m.main([str(path), *outs, "--skip-bad", "--overwrite"]) == 0
    printed = capsys.readouterr()
    assert f"skipped: {path}: positions_3d of S9 Greeting" in printed.err and "1 skipped" in printed.out


class Hostile:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_hostile_file(tmp_path, outs, capsys):
    path, witness = tmp_path / "data_3d_h36m.npz", tmp_path / "executed"
    np.savez_compressed(path, positions_3d={"S1": {"Walking": Hostile(f"touch {witness}")}})
    assert h36m.main([str(path), *outs]) == 1
    error = capsys.readouterr().err
    assert f"error: {path}: field 'positions_3d': asks for posix.system, which is refused" in error
    assert not witness.exists() and not (tmp_path / "h36m_train").exists()
    pickle.loads(pickle.dumps(Hostile(f"touch {witness}")))
    assert witness.exists()  # the payload was real


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: POS3D"),
        (["nowhere", "--out-train", "s"], "nowhere: does not exist; docs/data.md"),
        (["{file}"], "give --out-train, --out-test, or both"),
        (["{file}", "--out-train", "s", "--out-test", "s"], "are the same directory"),
        (["{file}", "--out-train", "{folder}"], "exists already; give another directory, or --overwrite"),
        (["{file}", "--out-train", "s", "--keypoints-2d", "{file}", "{file}"], "2 files for 1 of POS3D"),
        (["{file}", "--out-train", "s", "--skip", "all"], "invalid choice: 'all'"),
    ],
)
def test_wrong_use(tmp_path, arguments, message, capsys):
    file = tmp_path / "x.npz"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        h36m.main([argument.format(file=file, folder=tmp_path) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_not_an_archive_and_a_directory(tmp_path, outs, capsys):
    (tmp_path / "x.npz").write_text("nothing")
    for source, message in (("x.npz", "is no .npz archive"), ("", "is a directory; give the file itself")):
        assert h36m.main([str(tmp_path / source), *outs]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["data_3d_h36m.npz", "h36m_train"])
def test_closed_folder(tmp_path, videopose3d, outs, capsys, monkeypatch, closed):
    """Tests may run as root, to whom no folder is closed."""
    exists = Path.exists

    def denied(path):
        if path.name == closed:
            raise PermissionError
        return exists(path)

    path = videopose3d()[0]
    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(SystemExit) as stop:
        h36m.main([str(path), *outs])
    assert stop.value.code == 2 and f"{closed}: its folder may not be looked into; ask" in capsys.readouterr().err


def test_overwriting_only_stores(tmp_path, videopose3d, capsys):
    (tmp_path / "home").mkdir()
    assert h36m.main([str(videopose3d()[0]), "--out-train", str(tmp_path / "home"), "--overwrite"]) == 1
    assert "is not a pose store and will not be overwritten" in capsys.readouterr().err


def test_interrupt(tmp_path, videopose3d, outs, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    path = videopose3d()[0]
    monkeypatch.setattr(h36m_videopose3d, "project", interrupted)
    before = sorted(tmp_path.iterdir())
    assert h36m.main([str(path), *outs]) == 130
    assert "Interrupted" in capsys.readouterr().err and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("error", [MemoryError(), BrokenProcessPool("A process was terminated abruptly")])
def test_out_of_memory(tmp_path, videopose3d, outs, capsys, monkeypatch, error):
    def fails(*_):
        raise error

    path = videopose3d()[0]
    monkeypatch.setattr(h36m_videopose3d, "project", fails)
    assert h36m.main([str(path), *outs]) == 1
    printed = capsys.readouterr().err
    assert "error: memory ran out, or the system ended a worker (" in printed and "is as it was before" in printed
    assert not (tmp_path / "h36m_train").exists() and not list(tmp_path.glob(".*"))
