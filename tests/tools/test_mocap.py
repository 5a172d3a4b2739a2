import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.converters import stores as convert
from mpm_mmpose.data.pose_store import PoseStore

SCRIPT = Path(__file__).parents[2] / "tools/dataset_converters/mocap.py"
CHILDREN = {"Hips": ("Spine", "UpperLeg_L", "UpperLeg_R"), "Spine": ("Neck",), "Neck": ("Head",)} | {
    f"{upper}_{side}": (f"{lower}_{side}",)
    for side in "LR"
    for upper, lower in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"), ("UpperArm", "LowerArm"), ("LowerArm", "Hand"))
}
CHILDREN["Spine"] += ("UpperArm_L", "UpperArm_R")


def load():
    spec = importlib.util.spec_from_file_location("mocap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mocap = load()


def write_clip(path, frames=5):
    """A BVH file of a person whose joints are 30 cm apart."""

    def joint(name):
        channels = "Zrotation Xrotation Yrotation"
        channels = f"6 Xposition Yposition Zposition {channels}" if name == "Hips" else f"3 {channels}"
        inner = "".join(f"JOINT {child}\n{joint(child)}" for child in CHILDREN.get(name, ()))
        up = -30 if name.startswith(("UpperLeg", "LowerLeg", "Foot")) else 30
        inner = inner or "End Site\n{\nOFFSET 0 0 0\n}\n"
        return (
            f"{{\nOFFSET {10 * name.endswith('L') - 10 * name.endswith('R')} {up} 0\nCHANNELS {channels}\n{inner}}}\n"
        )

    values = " ".join(["0"] * (3 * joint("Hips").count("CHANNELS") + 3))
    motion = f"MOTION\nFrames: {frames}\nFrame Time: 0.02\n" + f"{values}\n" * frames
    path.write_text(f"HIERARCHY\nROOT Hips\n{joint('Hips')}{motion}")
    return path


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.bvh")


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    options = "--out --format --split --grade --fps --cameras --seed --roll --pitch --distance --focal"
    options += " --workers --skip-bad --overwrite --unit --up --source-fps --joint-map --cut-jumps"
    for option in options.split():
        assert option in result.stdout


def test_converting(tmp_path, clip, capsys):
    out = tmp_path / "store"
    assert mocap.main([str(clip), "--out", str(out), "--cameras", "3", "--workers", "1", "--fps", "25"]) == 0
    printed = capsys.readouterr()
    assert f"{out}: 1 clips of 3 frames seen by 3 cameras, 0 files skipped" in printed.out
    assert "100%" in printed.err  # the progress bar
    store = PoseStore(out)
    assert len(store) == 3 and set(store.fps) == {25} and store.meta["made_from"] == [str(clip)]


def test_bad_file(tmp_path, clip, capsys):
    bad = tmp_path / "bad.bvh"
    bad.write_text("nothing")
    out = tmp_path / "store"
    assert mocap.main([str(tmp_path), "--out", str(out), "--workers", "1"]) == 1
    error = capsys.readouterr().err
    assert f"error: {bad}: has no" in error and "Traceback" not in error
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.bvh", "clip.bvh"]

    assert mocap.main([str(tmp_path), "--out", str(out), "--workers", "1", "--skip-bad"]) == 0
    printed = capsys.readouterr()
    assert f"skipped: {bad}: has no" in printed.err and "1 files skipped" in printed.out
    assert len(PoseStore(out)) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required"),
        (["nowhere", "--out", "store"], "nowhere: does not exist"),
        (["{clip}"], "required: --out"),
        (["{clip}", "--out", "{folder}"], "exists already; give another --out, or --overwrite"),
        (["{clip}", "--out", "store", "--cameras", "0"], "invalid int above 0 value: '0'"),
        (["{clip}", "--out", "store", "--fps", "nan"], "invalid float above 0 value: 'nan'"),
        (["{clip}", "--out", "store", "--seed", "-1"], "--seed: -1 is below 0"),
        (["{clip}", "--out", "store", "--format", "fbx"], "invalid choice: 'fbx'"),
        (["{clip}", "--out", "store", "--roll", "5"], "argument --roll: expected 2 arguments"),
        (["{clip}", "--out", "store", "--roll", "5", "-5"], "argument --roll is 5 to -5; give two numbers, the lower"),
        (["{clip}", "--out", "store", "--focal", "0", "1"], "argument --focal is 0 to 1; give factors of 0.5 or more"),
    ],
)
def test_wrong_use(tmp_path, clip, arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        mocap.main([argument.format(clip=clip, folder=tmp_path) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_ranges_of_the_cameras(tmp_path, clip):
    arguments = [str(clip), "--out", str(tmp_path / "turned"), "--workers", "1", "--cameras", "2"]
    assert mocap.main([*arguments, "--roll", "-30", "-25.5", "--pitch", "-3", "3", "--distance", "8", "8"]) == 0
    store = PoseStore(tmp_path / "turned")
    assert store.meta["camera_ranges"] == dict(
        roll=[-30, -25.5], pitch=[-3, 3], distance=[8, 8], focal=[1, 1], elevation=None
    )
    sequence = store.sequence(0)
    across, down, _ = sequence.rotation @ (0, 0, 1)
    assert -30 <= np.rad2deg(np.arctan2(-across, -down)) <= -25.5


def test_overwriting_only_stores(tmp_path, clip, capsys):
    (tmp_path / "home").mkdir()
    assert mocap.main([str(clip), "--out", str(tmp_path / "home"), "--overwrite", "--workers", "1"]) == 1
    assert "is not a pose store and will not be overwritten" in capsys.readouterr().err


def test_interrupt(tmp_path, clip, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(convert, "project_views", interrupted)
    assert mocap.main([str(clip), "--out", str(tmp_path / "store"), "--workers", "1"]) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["clip.bvh"]


def test_recorded_motion(tmp_path, motion_dir, capsys):
    """Two clips of each source, from the command line to a store."""
    bandai = [motion_dir / "bandai-1" / f"dataset-1_{name}_001.bvh" for name in ("walk_old", "bow_sad")]
    cmu = [motion_dir / "cmu/02" / f"02_0{trial}.amc" for trial in (1, 2)]
    assert mocap.main([*map(str, bandai + cmu), "--out", str(tmp_path / "store"), "--workers", "2"]) == 0
    store = PoseStore(tmp_path / "store")
    assert len(store) == 16 and set(zip(store.subjects, store.actions, strict=True)) == {
        ("old", "walk"),
        ("sad", "bow"),
        ("02", "02_01"),
        ("02", "02_02"),
    }
    assert (store.keypoints[:] >= 0).all() and (store.keypoints[:] <= 1002).all()


def in_metres(text):
    return re.sub(r"(-?)(\d+) (-?)30 0", lambda m: f"{m[1]}{int(m[2]) / 100} {m[3]}0.3 0", text)


def test_what_files_do_not_say(tmp_path, clip, capsys):
    arguments = [str(clip), "--out", str(tmp_path / "store"), "--workers", "1", "--cameras", "1", "--overwrite"]
    text = clip.read_text()
    clip.write_text(in_metres(text))
    assert mocap.main(arguments) == 0
    assert "note: clip: the unit is m, by the length of the legs" in capsys.readouterr().err
    assert PoseStore(tmp_path / "store").meta["notes"] == ["clip: the unit is m, by the length of the legs"]
    assert mocap.main([*arguments, "--unit", "m", "--up", "y", "--source-fps", "100"]) == 0
    assert "note" not in capsys.readouterr().err and set(PoseStore(tmp_path / "store").fps) == {100}
    assert mocap.main([*arguments, "--unit", "cm"]) == 1
    assert "say another unit (--unit)" in capsys.readouterr().err

    clip.write_text(text.replace("Neck", "Nape"))
    (tmp_path / "map.json").write_text('{"neck": "Nape"}')
    assert mocap.main([*arguments, "--joint-map", str(tmp_path / "map.json")]) == 0
    with pytest.raises(SystemExit):
        mocap.main([*arguments, "--joint-map", str(clip)])
    assert "clip.bvh: is no JSON" in capsys.readouterr().err


def test_notes_of_many_clips_are_one_line(tmp_path, clip, capsys):
    clip.write_text(in_metres(clip.read_text()))
    for number in range(4):
        (tmp_path / f"clip{number}.bvh").write_text(clip.read_text())
    assert mocap.main([str(tmp_path), "--out", str(tmp_path / "store"), "--workers", "1", "--cameras", "1"]) == 0
    assert "note: clip, clip0, clip1 and 2 more: the unit is m" in capsys.readouterr().err


def test_pieces_seen_from_everywhere_with_errors(tmp_path):
    write_clip(tmp_path / "clip.bvh", frames=20)  # 0.4 s
    options = ["--piece", "0.2", "--elevation", "30", "60", "--cameras", "2"]
    stores = []
    for name, more in (("exact", []), ("noisy", ["--detector-errors"])):
        assert mocap.main([str(tmp_path / "clip.bvh"), "--out", str(tmp_path / name), *options, *more]) == 0
        stores.append(PoseStore(tmp_path / name))
    exact, noisy = stores
    assert list(exact.names) == [f"clip.p{piece}.cam{camera}" for piece in range(2) for camera in range(2)]
    assert exact.meta["camera_ranges"]["elevation"] == [30, 60] and exact.meta["piece"] == 0.2
    np.testing.assert_array_equal(exact.keypoints_3d, noisy.keypoints_3d)
    errors = np.linalg.norm(exact.keypoints - noisy.keypoints, axis=-1)
    assert 1 < errors.mean() < 60
