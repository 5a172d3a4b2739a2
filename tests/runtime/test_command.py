"""`python -m mpm_mmpose.runtime` as a user types it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.apis.light_command import main
from mpm_mmpose.data.store_writer import write_store
from mpm_mmpose.runtime import shipped

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "torchvision", "mmengine", "mmcv", "mmdet", "mmpose", "cv2", "scipy", "matplotlib")
# An environment in which none of them is installed; at the end, what was loaded and the seconds that it took the CPU.
RUN = f"""
import runpy, sys, time
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {HEAVY}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
status = 0
try:
    runpy.run_module("mpm_mmpose.runtime", run_name="__main__")
except SystemExit as exit:
    status = exit.code
print([name for name in {HEAVY} if name in sys.modules], time.process_time(), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def arguments(keypoint_file, model_file):
    video = ["--fps", "30", "--width", "1000", "--height", "1000", "--keypoint-set", "h36m_17"]
    return [str(keypoint_file), "--model", str(model_file), *video]


def test_from_keypoints_to_a_file_without_pytorch(arguments, tmp_path):
    out = tmp_path / "walk.npz"
    command = [sys.executable, "-c", RUN, *arguments, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"walk: 1 people in 30 frames\nwrote: {out}" in done.stdout
    assert out.stat().st_size > 1000 and done.stderr.splitlines()[-1].startswith("[] ")


def test_help_and_import_take_less_than_a_second(arguments):
    done = subprocess.run([sys.executable, "-c", RUN, "--help"], capture_output=True, text=True, check=True)
    loaded, seconds = done.stderr.split()
    assert "needs numpy and ONNX Runtime" in " ".join(done.stdout.split()) and (loaded, float(seconds) < 0.5) == (
        "[]",
        True,
    )
    code = "import time, mpm_mmpose.apis.inferencer, onnxruntime; print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1  # of this process; the clock on the wall depends on what else the machine does


@pytest.mark.parametrize("suffix", ["bvh", "csv", "json", "trc", "html"])
def test_formats_by_suffix(arguments, tmp_path, capsys, suffix):
    out = tmp_path / f"walk.{suffix}"
    assert main([*arguments, "--out", str(out)]) == 0
    assert f"wrote: {out}" in capsys.readouterr().out and out.stat().st_size > 1000


def test_what_is_in_the_file(arguments, tmp_path, clip):
    out = tmp_path / "walk.json"
    assert main([*arguments, "--out", str(out), "--no-flip-test"]) == 0
    frames = json.loads(out.read_text())["instance_info"]
    assert [len(frame["instances"]) for frame in frames] == [1] * 10 + [0] * 10 + [1] * 10
    shown = clip.keypoints[0, :, 0] / 500 - 1 + 0.25
    shown[16] = shown[:16].mean()
    told = np.array(frames[0]["instances"][0]["keypoints"])
    np.testing.assert_allclose(-told[:16, 0], shown[:16], atol=1e-4)  # MMPose's x points to the left


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        (dict(out="walk.fbx"), 2, "walk.fbx: suffix '.fbx' is not known; give a folder, or a file with one of .json, "),
        (dict(out="walk.bvh", format="npz"), 2, "walk.bvh: is one file, where --format leaves several"),
        (dict(model="none.onnx"), 2, "none.onnx: no such file"),
        (dict(source="none.json"), 2, "none.json: does not exist"),
        (dict(providers="Magic"), 2, "provider 'Magic' is not known"),
        (dict(threshold="2"), 1, "no keypoint of 20 frames is inside the image"),
        (dict(mode="blended"), 1, "mode 'blended' needs poses of the sequence"),
    ],
)
def test_wrong_use_and_failures(arguments, tmp_path, capsys, monkeypatch, changes, status, message):
    monkeypatch.chdir(tmp_path)
    arguments[0] = changes.pop("source", arguments[0])
    options = dict(out="walk.npz") | changes
    for name, value in options.items():
        arguments += [f"--{name}", value]
    assert main(arguments) == status
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said and not list(tmp_path.glob("walk.[!j]*"))


def test_a_folder_has_what_is_asked_for(arguments, tmp_path, capsys):
    assert main([*arguments, "--out", str(tmp_path / "new"), "--format", "html", "bvh"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"wrote: {tmp_path}/new/walk.{name}" for name in ("bvh", "html")
    ]
    (tmp_path / "v1.2").mkdir()
    for out in ("v1.2", "other"):
        assert main([*arguments, "--out", str(tmp_path / out)]) == 0
        assert [path.name for path in (tmp_path / out).iterdir()] == ["walk.npz"]


def test_what_one_format_cannot_hold_keeps_no_other_from_being_written(arguments, tmp_path, capsys):
    keypoints = json.loads(Path(arguments[0]).read_text())
    first = keypoints["instance_info"][0]
    keypoints["instance_info"] = [first, first | dict(frame_id=first["frame_id"] + 1, instances=[])]
    Path(arguments[0]).write_text(json.dumps(keypoints))
    assert main([*arguments, "--out", str(tmp_path / "out"), "--format", "bvh", "npz"]) == 1
    assert "walk.bvh: there is nobody to write; BVH: person 7 is left out: 1 frames have" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["walk.npz"]


def test_what_one_recording_cannot_be_keeps_no_other_from_being_lifted(arguments, tmp_path, capsys):
    good = json.loads(Path(arguments[0]).read_text())
    first = good["instance_info"][0]
    bad = good | dict(instance_info=[first, first | dict(frame_id=first["frame_id"] + 1, instances=[])])
    (tmp_path / "both").mkdir()
    for name, content in dict(a=bad, b=good).items():
        (tmp_path / f"both/{name}.json").write_text(json.dumps(content))
    arguments[0] = str(tmp_path / "both")
    assert main([*arguments, "--out", str(tmp_path / "out"), "--format", "bvh", "npz"]) == 1
    said = capsys.readouterr()
    assert "error: " in said.err and "a.bvh: there is nobody to write" in said.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.npz", "b.bvh", "b.npz"]
    assert "b: 1 people in 30 frames" in said.out


def test_recordings_do_not_go_into_one_file(model_file, clip, tmp_path, capsys):
    write_store(tmp_path / "store", [replace(clip, name="a"), replace(clip, name="b")])
    arguments = [str(tmp_path / "store"), "--model", str(model_file), "--out"]
    assert main([*arguments, str(tmp_path / "a.npz")]) == 2
    assert "store: holds several recordings, and" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "b.npz"), "--sequence", "b"]) == 0
    assert main([*arguments, str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.npz", "b.npz"]


def test_a_missing_rate_is_wrong_use(keypoint_file, model_file, tmp_path, capsys):
    assert main([str(keypoint_file), "--model", str(model_file), "--out", str(tmp_path / "a.npz")]) == 2
    assert "give fps (--fps)" in capsys.readouterr().err


def test_the_model_in_the_package_is_the_default(arguments, keypoint_file, model_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    without = [str(keypoint_file), *arguments[3:], "--out", str(tmp_path / "a.npz")]
    assert main(without) == 2 and "this copy of mpm_mmpose has no model in it" in capsys.readouterr().err
    (tmp_path / shipped.DEFAULT).write_bytes(Path(model_file).read_bytes())
    assert main(without) == 0 and (tmp_path / "a.npz").is_file()


@pytest.mark.parametrize(
    ("command", "name"),
    [(["-m", "mpm_mmpose.runtime"], "python -m mpm_mmpose.runtime"), ([str(ROOT / "demo/light.py")], "light.py")],
)
def test_wrong_use_names_the_command_that_was_typed(command, name):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith(f"{name}: error: the following arguments")
