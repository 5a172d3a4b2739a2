import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mpm_mmpose.datasets import convert_amass
from mpm_mmpose.datasets.pose_store import PoseStore

SCRIPT = Path(__file__).parents[2] / "tools/dataset_converters/amass.py"


def load():
    spec = importlib.util.spec_from_file_location("amass_command", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


command = load()


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    for (
        option
    ) in "--body-models --out --split --fps --cameras --seed --regressor --device --skip-bad --overwrite".split():
        assert option in result.stdout


def test_converting(tmp_path, write_clip, models, capsys):
    clip, out = write_clip(), tmp_path / "store"
    arguments = [str(clip), "--body-models", str(models), "--out", str(out), "--cameras", "1", "--split", "train"]
    assert command.main([*arguments, "--fps", "25", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    assert f"{out}: 1 clips of 3 frames seen by 1 cameras, 0 files skipped" in printed.out
    assert "100%" in printed.err  # the progress bar
    assert PoseStore(out).meta["split"] == "train"


def test_bad_files(tmp_path, write_clip, models, capsys):
    write_clip()
    bad = write_clip("amass/CMU/01/bad.npz", changes=dict(gender=None))
    arguments = [str(tmp_path / "amass"), "--body-models", str(models), "--out", str(tmp_path / "store")]
    assert command.main(arguments) == 1
    error = capsys.readouterr().err
    assert f"error: {bad}: field 'gender' is missing" in error and "--skip-bad goes on" in error
    assert "Traceback" not in error
    assert command.main([*arguments, "--skip-bad"]) == 0
    printed = capsys.readouterr()
    assert f"skipped: {bad}: field 'gender'" in printed.err and "1 files skipped" in printed.out


def test_missing_body_model(tmp_path, write_clip, capsys):
    (tmp_path / "none").mkdir()
    arguments = [str(write_clip()), "--body-models", str(tmp_path / "none"), "--out", str(tmp_path / "store")]
    assert command.main([*arguments, "--skip-bad"]) == 1
    error = capsys.readouterr().err
    assert f"error: {tmp_path / 'none'}: has no smplh model for gender female" in error and "--skip-bad" not in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{clip}", "--out", "store"], "required: --body-models"),
        (["nowhere", "--out", "store", "--body-models", "{models}"], "nowhere: does not exist"),
        (["{clip}", "--out", "store", "--body-models", "{clip}"], "is no folder; give the one that holds smplh/"),
        (["{clip}", "--out", "{models}", "--body-models", "{models}"], "exists already; give another --out"),
        (["{clip}", "--out", "store", "--body-models", "{models}", "--fps", "0"], "invalid float above 0 value: '0'"),
        (["{clip}", "--out", "store", "--body-models", "{models}", "--split", "vald"], "invalid choice: 'vald'"),
        (["{clip}", "--out", "store", "--body-models", "{models}", "--seed", "-1"], "--seed: -1 is below 0"),
    ],
)
def test_wrong_use(write_clip, models, arguments, message, capsys):
    clip = write_clip()
    with pytest.raises(SystemExit) as stop:
        command.main([argument.format(clip=clip, models=models) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_interrupt(tmp_path, write_clip, models, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(convert_amass, "film", interrupted)
    arguments = [str(write_clip()), "--body-models", str(models), "--out", str(tmp_path / "store")]
    assert command.main(arguments) == 130
    assert "Interrupted" in capsys.readouterr().err
