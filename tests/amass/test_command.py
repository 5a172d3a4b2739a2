import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mpm_mmpose.converters import amass as convert_amass
from mpm_mmpose.data.pose_store import PoseStore

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
    options = "--body-models --out --format --split --fps --regressor --device --size --skip-bad --overwrite"
    for option in f"{options} --cameras --seed --roll --pitch --distance --focal".split():
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
        (["{clip}", "--out", "store", "--body-models", "{models}", "--pitch", "0", "80"], "--pitch is 0 to 80; with"),
        (
            ["{clip}", "--out", "store", "--body-models", "{models}", "--size", "640", "480"],
            "argument --size: changes nothing about archives (--format); leave it out",
        ),
    ],
)
def test_wrong_use(write_clip, models, arguments, message, capsys):
    clip = write_clip()
    with pytest.raises(SystemExit) as stop:
        command.main([argument.format(clip=clip, models=models) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_ranges_of_the_cameras(tmp_path, write_clip, models):
    out = tmp_path / "store"
    arguments = [str(write_clip()), "--body-models", str(models), "--out", str(out), "--device", "cpu"]
    assert command.main([*arguments, "--roll", "-10", "10", "--focal", "2", "2"]) == 0
    store = PoseStore(out)
    assert store.meta["camera_ranges"] == dict(
        roll=[-10, 10], pitch=[0, 0], distance=[4, 5.5], focal=[2, 2], elevation=None
    )
    assert abs(store.sequence(0).intrinsics[0] / 2 - 1147.3) < 2.4


def test_released_archive(tmp_path, released_clip, write_released, capsys):
    """Told by its fields; needs no body models."""
    path, out = write_released(dict(a=released_clip(), b=released_clip(seed=1))), tmp_path / "store"
    assert command.main([str(path), "--out", str(out), "--fps", "60", "--size", "640", "480"]) == 0
    assert f"{out}: 2 clips of 24 frames, 0 files skipped" in capsys.readouterr().out
    store = PoseStore(out)
    assert (store.keypoint_set, store.meta["format"], store.meta["size"]) == ("common_16", "released", [640, 480])
    assert store.meta["fps"] == 60 and set(store.fps) == {60}


def test_released_archive_that_is_bad(tmp_path, released_clip, write_released, capsys):
    path = write_released(dict(a=released_clip(), b=released_clip() | dict(length=0)))
    assert command.main([str(path), "--out", str(tmp_path / "store")]) == 1
    assert f"error: {path}: clip 'b': length is 0, it has no frames" in capsys.readouterr().err
    assert command.main([str(path), "--out", str(tmp_path / "store"), "--skip-bad"]) == 0
    printed = capsys.readouterr()
    assert "skipped: " in printed.err and "1 clips of 12 frames, 1 files skipped" in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{released}", "--body-models", "{models}"], "argument --body-models: changes nothing about released"),
        (["{released}", "--cameras", "2"], "argument --cameras: changes nothing about released (--format)"),
        (["{released}", "--split", "train"], "argument --split: changes nothing about released"),
        (["{released}", "--roll", "0", "1"], "argument --roll: changes nothing about released"),
        (["{clip}", "--format", "released", "--regressor", "x.npy"], "argument --regressor: changes nothing about"),
        (["{released}", "{clip}"], "amass.npz: is of the released code, others are not; convert them to stores of"),
        (["{released}", "--format", "archives"], "required: --body-models"),
        (["{models}"], "required: --body-models"),
        (["{text}"], "required: --body-models"),
    ],
)
def test_wrong_use_of_formats(tmp_path, write_clip, models, released_clip, write_released, arguments, message, capsys):
    (tmp_path / "text.txt").write_text("text")
    places = dict(clip=write_clip(), released=write_released(dict(a=released_clip())), models=models)
    arguments = [argument.format(**places, text=tmp_path / "text.txt") for argument in arguments]
    with pytest.raises(SystemExit) as stop:
        command.main([*arguments, "--out", str(tmp_path / "store")])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_archives_given_as_released(tmp_path, write_clip, capsys):
    assert command.main([str(write_clip()), "--format", "released", "--out", str(tmp_path / "store")]) == 1
    assert "01_01_poses.npz: field 'poses' is no table of clips" in capsys.readouterr().err


def test_interrupt(tmp_path, write_clip, models, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(convert_amass, "project_views", interrupted)
    arguments = [str(write_clip()), "--body-models", str(models), "--out", str(tmp_path / "store")]
    assert command.main(arguments) == 130
    assert "Interrupted" in capsys.readouterr().err
