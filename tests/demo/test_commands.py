import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis import model_names
from mpm_mmpose.blazepose import blazepose
from mpm_mmpose.deployment.export import export_model
from mpm_mmpose.lifting.people import People, PeopleDetector
from mpm_mmpose.runtime import shipped

DEMO = Path(__file__).parents[2] / "demo"


@pytest.mark.parametrize("name", ["video_to_3d", "keypoints_to_3d"])
def test_help_answers_at_once(name):
    started = time.monotonic()
    done = subprocess.run([sys.executable, DEMO / f"{name}.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and time.monotonic() - started < 2
    for option in ("--show", "--fps", "--track", "--format", "--out", "exit status: 0 done; 1"):
        assert option in done.stdout


def test_keypoints_to_3d(command, keypoints, model, tmp_path):
    status, out, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out")
    assert status == 0, err
    files = [str(tmp_path / f"out/walk.{suffix}") for suffix in ("json", "npz", "mp4")]
    assert out.splitlines() == ["walk: 1 people in 12 frames", *(f"kept: {file}" for file in files)]
    assert "video" in err and "frame/s" in err  # a bar with the time left
    assert np.load(files[1])["keypoints_3d"].shape == (12, 17, 3)


def test_only_what_is_wanted_is_left(command, keypoints, model, tmp_path):
    status, _, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out", "--format", "npz")
    assert status == 0, err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["walk.npz"]


def test_formats_for_other_programs(command, keypoints, model, tmp_path):
    names = ("csv", "bvh", "trc", "c3d")
    status, out, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out", "--format", *names)
    assert status == 0, err
    assert out.splitlines()[1:] == [f"kept: {tmp_path / 'out' / f'walk.{name}'}" for name in names]


def test_both_commands_offer_every_backend(command):
    import inference_command

    assert inference_command.BACKENDS == model_names.BACKENDS


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """Arguments for the small model as ONNX Runtime takes it."""
    path = tmp_path_factory.mktemp("exported") / "tiny.onnx"
    export_model(model[1], model[3], path)
    return ["--backend", "onnx", "--weights", str(path), "--device", "cpu"]


def test_an_exported_model_gives_the_same(command, keypoints, model, exported, tmp_path):
    for out, arguments in (("a", model), ("b", [*exported, "--providers", "CPUExecutionProvider"])):
        status, _, err = command("keypoints_to_3d", *keypoints, *arguments, "--out", tmp_path / out, "--format", "npz")
        assert status == 0, err
    poses = [np.load(tmp_path / out / "walk.npz")["keypoints_3d"] for out in "ab"]
    assert np.isfinite(poses[0]).all()
    np.testing.assert_allclose(poses[1], poses[0], atol=1e-4)


def test_an_exported_model_for_a_video(command, exported, pose2d, tmp_path, write_video):
    source = write_video(tmp_path / "noise.mp4")
    status, out, err = command("video_to_3d", source, *pose2d, *exported, "--out", tmp_path / "out", "--format", "bvh")
    assert status == 0, err
    assert out.splitlines()[-1] == f"kept: {tmp_path / 'out/noise.bvh'}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--providers", "MagicExecutionProvider"], "error: provider 'MagicExecutionProvider' is not known"),
        (["--weights", "no.onnx"], "error: no.onnx: no such file; give what tools/deployment/export_onnx.py wrote"),
        (["--backend", "pytorch", "--providers", "CPUExecutionProvider"], "error: providers are ONNX Runtime's"),
        (["--backend", "tensorrt"], "argument --backend: invalid choice: 'tensorrt'"),
    ],
)
def test_wrong_use_of_an_exported_model(command, keypoints, exported, tmp_path, arguments, message):
    status, _, err = command("keypoints_to_3d", *keypoints, *exported, "--out", tmp_path / "out", *arguments)
    assert status == 2 and message in err.strip().splitlines()[-1]


def test_what_one_format_cannot_hold_keeps_no_other_from_being_left(command, keypoints, model, tmp_path):
    first = json.loads(keypoints[0].read_text())[0]  # seen twice for a moment, so as two people of one pose each
    keypoints[0].write_text(json.dumps([first, first | dict(image_id=60)]))
    arguments = [*keypoints, *model, "--out", tmp_path / "out", "--format", "bvh", "html", "npz"]
    status, out, err = command("keypoints_to_3d", *arguments)
    assert status == 1 and "walk.bvh: there is nobody to write; BVH: person" in err.strip().splitlines()[-1]
    kept = [f"kept: {tmp_path / 'out' / f'walk.{name}'}" for name in ("npz", "html")]
    assert out.splitlines() == ["walk: 2 people in 61 frames", *kept]


def test_threshold(command, keypoints, model, tmp_path):
    status, _, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out", "--threshold", 1.1)
    assert status == 1 and "with a score of 1.1 or more (the best score is 1.00)" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "mpm_h36m_24"], "error: model 'mpm_h36m_24' is not known; did you mean 'mpm_h36m_243'"),
        (["--weights", "no.pth"], "error: no.pth: no such file of weights"),
        (["--fps", "-1"], "argument --fps: invalid float above 0 value: '-1'"),
        (["--track", "best"], "argument --track: invalid choice: 'best'"),
        (["--show"], "error: show (--show): there is no screen here"),
        (["--out", "/dev/null/out"], "error: /dev/null/out: nothing can be written there"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(command, keypoints, model, tmp_path, monkeypatch, arguments, message):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    status, _, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out", *arguments)
    assert status == 2
    assert message in err.strip().splitlines()[-1]


def test_a_file_that_is_not_there_is_wrong_use(command, model, tmp_path):
    status, _, err = command("keypoints_to_3d", "no.json", "--fps", 1, *model, "--out", tmp_path / "out")
    assert status == 2 and err.strip().splitlines()[-1].startswith("error: no.json: does not exist")


def test_a_file_that_cannot_be_read_is_status_1(command, keypoints, model, tmp_path):
    keypoints[0].write_text("[{")
    status, out, err = command("keypoints_to_3d", *keypoints, *model, "--out", tmp_path / "out")
    assert status == 1 and "walk.json: is no JSON, or is cut off" in err.strip().splitlines()[-1]


def test_video_to_3d(command, model, pose2d, tmp_path, write_video):
    source = write_video(tmp_path / "noise.mp4")
    status, out, err = command("video_to_3d", source, *pose2d, *model, "--out", tmp_path / "out")
    assert status == 0, err
    assert out.splitlines()[0] == "noise: 1 people in 5 frames"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "noise_2d.json",
        "noise.json",
        "noise.npz",
        "noise.bvh",
        "noise.html",
        "noise.mp4",
    }
    assert np.isfinite(np.load(tmp_path / "out/noise.npz")["keypoints_3d"]).all()


def test_the_2d_that_a_video_left_gives_the_same_3d_and_says_all_that_is_needed(
    command, model, pose2d, tmp_path, write_video
):
    source = write_video(tmp_path / "noise.mp4")
    assert command("video_to_3d", source, *pose2d, *model, "--out", tmp_path / "out", "--format", "npz")[0] == 0
    kept = tmp_path / "out/noise_2d.json"
    status, out, err = command("keypoints_to_3d", kept, *model, "--out", tmp_path / "again", "--format", "npz")
    assert status == 0 and out.splitlines()[0] == "noise_2d: 1 people in 5 frames", err
    first, again = np.load(tmp_path / "out/noise.npz"), np.load(tmp_path / "again/noise_2d.npz")
    np.testing.assert_allclose(again["keypoints_3d"], first["keypoints_3d"], atol=1e-5)
    assert np.ptp(first["keypoints_2d"], axis=0).max() > 1  # px; the person moves
    for name in ("person", "frame", "time", "masked", "keypoints_2d", "scores_2d", "width", "height", "fps"):
        np.testing.assert_array_equal(again[name], first[name])


def test_real_video(command, model, pose2d, motion_dir, tmp_path):
    source = motion_dir / "video/demo.mp4"
    status, out, err = command("video_to_3d", source, *pose2d, *model, "--out", tmp_path / "out")
    assert status in (0, 1), err  # random weights may put everything outside of the image
    frames = cv2.VideoCapture(str(tmp_path / "out/demo.mp4"))
    assert frames.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert len(json.loads((tmp_path / "out/demo_2d.json").read_text())["instance_info"]) == 5


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (None, 2, "walk.mp4: does not exist; give a video"),
        (b"", 1, "walk.mp4: is empty"),
        (b"no video", 1, "walk.mp4: is no video that OpenCV can open"),
    ],
)
def test_what_is_no_video(command, model, pose2d, tmp_path, content, status, message):
    if content is not None:
        (tmp_path / "walk.mp4").write_bytes(content)
    found, _, err = command("video_to_3d", tmp_path / "walk.mp4", *pose2d, *model, "--out", tmp_path / "out")
    assert found == status and message in err.strip().splitlines()[-1]


def test_ctrl_c_says_what_is_kept(command, model, pose2d, tmp_path, monkeypatch, write_video):
    from mpm_mmpose.apis.pose2d import Pose2D

    find, calls = Pose2D.__call__, []

    def interrupted(self, image):
        calls.append(image)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return find(self, image)

    monkeypatch.setattr(Pose2D, "__call__", interrupted)
    source = write_video(tmp_path / "noise.mp4")
    status, out, err = command("video_to_3d", source, *pose2d, *model, "--out", tmp_path / "out")
    assert status == 130 and "interrupted" in err
    assert out.splitlines() == [f"kept: {tmp_path / 'out/noise_2d.json'}"]
    assert len(json.loads((tmp_path / "out/noise_2d.json").read_text())["instance_info"]) == 2


def test_a_video_and_nothing_else(command, exported, tmp_path, write_video, monkeypatch):
    """The model in the package, and BlazePose; neither needs PyTorch, which is not spoken of."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    (tmp_path / shipped.DEFAULT).write_bytes(Path(exported[3]).read_bytes())
    monkeypatch.setattr(blazepose, "BlazePose", Somebody)
    status, out, err = command("video_to_3d", write_video(tmp_path / "walk.mp4"), "--out", tmp_path / "out")
    assert status == 0 and "PyTorch" not in err, err
    names = ("walk_2d.json", "walk.json", "walk.npz", "walk.bvh", "walk.html", "walk.mp4")
    assert {line for line in out.splitlines()[1:]} == {f"kept: {tmp_path / 'out' / name}" for name in names}


class Somebody(PeopleDetector):
    keypoint_set = "blazepose_33"

    def begin(self, fps):
        return lambda image: People(BODY[None], np.ones((1, 33), np.float32), np.array([[20.0, 20, 180, 180]]))


BODY = np.random.default_rng(0).uniform(20, 180, (33, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("model", "weights", "backend", "pose2d", "needed"),
    [
        (None, None, None, "blazepose", False),
        (None, None, None, None, False),
        (None, "lift.onnx", None, "blazepose", False),
        (None, "lift.bin", "onnx", None, False),
        (None, "epoch_1.pth", None, "blazepose", True),
        ("mpm_h36m_27", None, None, None, True),
        (None, None, None, "rtmpose-m", True),
    ],
)
def test_pytorch_is_loaded_where_it_is_needed(monkeypatch, model, weights, backend, pose2d, needed):
    monkeypatch.syspath_prepend(str(DEMO))
    from inference_command import needs_pytorch

    assert needs_pytorch(model, weights, backend, pose2d) == needed
