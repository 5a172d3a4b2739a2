import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import PoseStore
from mpm_mmpose.format_names import KEYPOINT_FORMATS
from mpm_mmpose.readers import person_tracks

SCRIPT = Path(__file__).parents[2] / "tools/dataset_converters/keypoints_2d.py"


def load():
    spec = importlib.util.spec_from_file_location("keypoints_2d_command", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


command = load()


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    for option in ("SRC", "--out", "--width", "--height", "--fps", "--format", "--keypoint-set", "--min-frames"):
        assert option in result.stdout


def test_converting(tmp_path, write, layouts, capsys):
    path, store = write(layouts.mmpose_demo(absent=[(2, 0)]), "results_walk.json"), tmp_path / "keypoints_2d_train"
    arguments = [str(path), "--out", str(store), "--fps", "30", "--width", "1000", "--height", "500"]
    assert command.main([*arguments, "--min-frames", "5"]) == 0
    printed = capsys.readouterr()
    assert f"{store}: 2 sequences of 21 frames, 1 shorter than 5 left out, 0 files skipped" in printed.out
    # Without ids people are tracked: one who comes back at once is the same person.
    assert "100%" in printed.err and PoseStore(store).names == ("walk.person0.4", "walk.person1.1")
    assert command.main([*arguments, "--overwrite"]) == 0
    assert PoseStore(store).names == ("walk.person1.1",)
    with pytest.raises(SystemExit):
        command.main(arguments)


@pytest.mark.parametrize("format", KEYPOINT_FORMATS)
def test_every_format_by_name(tmp_path, write, layouts, format):
    source = {
        "mmpose": lambda: write(layouts.mmpose_frames(track=True)),
        "coco": lambda: write(layouts.coco_results()),
        "alphapose": lambda: write(layouts.alphapose_results(136)),
        "openpose": lambda: layouts.write_openpose(tmp_path / "walk"),
        "videopose3d": lambda: layouts.write_videopose3d(tmp_path / "data_2d_custom_my.npz"),
        "annotations": lambda: write(dict(annotations=layouts.coco_results())),
        "frames": lambda: write([frame["instances"] for frame in layouts.mmpose_frames(track=True)]),
        "array": lambda: layouts.write_array(tmp_path / "my.npy"),
        "csv": lambda: layouts.write_csv(tmp_path / "my.csv"),
        "deeplabcut": lambda: layouts.write_deeplabcut(tmp_path / "my.h5"),
        "yolo": lambda: layouts.write_labels(tmp_path / "labels"),
    }[format]()
    arguments = [str(source), "--out", str(tmp_path / "s"), "--fps", "30", "--width", "1000", "--height", "500"]
    assert command.main([*arguments, "--format", format]) == 0
    store = PoseStore(tmp_path / "s")
    assert store.lengths.tolist() == [12, 12] and store.keypoints.shape == (24, 17, 2) and store.keypoints_3d is None


def test_size_is_asked_for(tmp_path, write, layouts, capsys):
    path = write(layouts.coco_results())
    assert command.main([str(path), "--out", str(tmp_path / "s"), "--fps", "30"]) == 1
    error = capsys.readouterr().err
    assert f"error: {path}: does not say how large the image is; give width and height in px" in error
    assert "s is as it was before" in error and "Traceback" not in error and not (tmp_path / "s").exists()
    custom = layouts.write_videopose3d(tmp_path / "data_2d_custom_my.npz")
    assert command.main([str(custom), "--out", str(tmp_path / "s"), "--fps", "30"]) == 0
    assert set(PoseStore(tmp_path / "s").widths) == {1280}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: SRC, --out, --fps"),
        (["{file}", "--out", "s"], "the following arguments are required: --fps"),
        (["nowhere", "--out", "s", "--fps", "30"], "nowhere: does not exist; give what a 2D detector wrote"),
        (["{file}", "--out", "{folder}", "--fps", "30"], "exists already; give another --out, or --overwrite"),
        (["{file}", "--out", "s", "--fps", "0"], "invalid float above 0 value: '0'"),
        (["{file}", "--out", "s", "--fps", "30", "--width", "640"], "give --width and --height, or neither"),
        (["{file}", "--out", "s", "--fps", "30", "--format", "pdf"], "invalid choice: 'pdf'"),
    ],
)
def test_wrong_use(tmp_path, arguments, message, capsys):
    file = tmp_path / "x.json"
    file.touch()
    with pytest.raises(SystemExit) as stop:
        command.main([argument.format(file=file, folder=tmp_path) for argument in arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err


def test_interrupt(tmp_path, write, layouts, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    path = write(layouts.coco_results())
    monkeypatch.setattr(person_tracks, "remap", interrupted)
    arguments = [str(path), "--out", str(tmp_path / "s"), "--fps", "30", "--width", "1000", "--height", "500"]
    assert command.main(arguments) == 130
    assert "Interrupted" in capsys.readouterr().err and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_map_of_other_keypoints(tmp_path, write, layouts, capsys):
    path = write(layouts.coco_results(21))
    names = ["left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee"]
    table = write({name: index + 3 for index, name in enumerate(names)}, "map.json")
    arguments = [str(path), "--out", str(tmp_path / "s"), "--fps", "30", "--width", "1000", "--height", "500"]
    assert command.main([*arguments, "--keypoint-map", str(table)]) == 0
    store = PoseStore(tmp_path / "s")
    keypoints, scores = layouts.make_people(21)
    # Human3.6M's: right_hip is 1, left_knee 5, head_top 10 (there is none); the pelvis is between the hips
    np.testing.assert_allclose(store.keypoints[:12, [1, 5]], keypoints[0][:, [6, 7]], rtol=1e-6)
    np.testing.assert_allclose(store.keypoints[:12, 0], keypoints[0][:, [5, 6]].mean(1), rtol=1e-6)
    assert (store.keypoint_scores[:12, 10] == 0).all() and store.meta["keypoint_set"]["left_hip"] == 5
    for content, message in (
        ({"left_hip": 3}, "keypoint 'left_hip' is there and 'right_hip' is not"),
        ({}, "no names"),
    ):
        with pytest.raises(SystemExit):
            command.main([*arguments, "--overwrite", "--keypoint-map", str(write(content, "map.json"))])
        assert message in capsys.readouterr().err
