"""`python -m mpm_mmpose.runtime VIDEO`: from a video to files without PyTorch and MMPose."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis.light_command import main
from mpm_mmpose.blazepose import blazepose
from mpm_mmpose.lifting.people import People, PeopleDetector

BODY = np.random.default_rng(0).uniform(20, 100, (33, 2)).astype(np.float32)
NAMES = ["walk.bvh", "walk.html", "walk.json", "walk.mp4", "walk.npz", "walk_2d.json"]
HEAVY = (
    "torch",
    "torchvision",
    "mmengine",
    "mmcv",
    "mmdet",
    "mmpose",
    "mediapipe",
    "matplotlib",
    "scipy",
    "PIL",
    "yaml",
)


class Walker(PeopleDetector):
    """One person who walks; from the frame ``until`` on there is nobody."""

    keypoint_set = "blazepose_33"

    def __init__(self, until=99, error=None):
        self.number, self.until, self.error = 0, until, error

    def begin(self, fps):
        return self

    def __call__(self, image):
        self.number += 1
        if self.error and self.number == 4:
            raise self.error
        keypoints = (BODY + (self.number, 0))[None][: self.number <= self.until]
        return People(
            keypoints, np.ones(keypoints.shape[:2], np.float32), np.tile([20, 20, 120, 120], (len(keypoints), 1))
        )


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "walk.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (160, 128))
    for _ in range(8):
        writer.write(np.full((128, 160, 3), 90, np.uint8))
    writer.release()
    return path


@pytest.fixture
def watch(video, model_file, tmp_path, monkeypatch):
    def run(*arguments, detector=None, out="out"):
        monkeypatch.setattr(blazepose, "BlazePose", lambda: detector or Walker())
        return main([str(video), "--model", str(model_file), "--out", str(tmp_path / out), *arguments])

    return run


def test_a_video_leaves_everything(watch, tmp_path, capsys):
    assert watch() == 0
    said = capsys.readouterr().out
    assert said.startswith("walk: 1 people in 8 frames\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == NAMES
    assert all(f"wrote: {tmp_path / 'out' / name}" in said for name in NAMES)
    result = np.load(tmp_path / "out/walk.npz")
    # Spine, thorax and head top are what BlazePose does not have.
    assert [bool(one) for one in result["masked"].all(0)] == [index in (7, 8, 10) for index in range(17)]


def test_one_file(watch, tmp_path, capsys):
    assert watch(out="only.bvh") == 0
    assert capsys.readouterr().out.endswith(f"wrote: {tmp_path / 'only.bvh'}\n")
    assert (tmp_path / "only.bvh").read_text().startswith("HIERARCHY")


def test_options_of_keypoint_files_are_refused(watch, tmp_path, capsys):
    assert watch("--width", "100", "--ids", "mend") == 2
    assert "--width, --ids: are of files of 2D keypoints" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nobody_is_status_1_and_a_line(watch, capsys):
    assert watch(detector=Walker(until=0)) == 1
    assert "note: walk: nobody was found in 8 frames" in capsys.readouterr().err


def test_ctrl_c_keeps_the_2d(watch, tmp_path, capsys):
    assert watch(detector=Walker(error=KeyboardInterrupt())) == 130
    said = capsys.readouterr()
    assert said.out == f"wrote: {tmp_path / 'out/walk_2d.json'}\n" and said.err.endswith("interrupted\n")


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (None, 2, "walk.mp4: does not exist"),
        (b"", 1, "walk.mp4: is empty"),
        (b"no video", 1, "is no video that OpenCV can"),
    ],
)
def test_what_is_no_video(watch, video, capsys, content, status, message):
    video.unlink()
    if content is not None:
        video.write_bytes(content)
    assert watch() == status
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_nothing_heavy_is_imported(video, model_file, tmp_path):
    pytest.importorskip("ai_edge_litert")
    code = f"""
import sys
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {HEAVY}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from mpm_mmpose.runtime.__main__ import main
sys.exit(main([{str(video)!r}, "--model", {str(model_file)!r}, "--out", {str(tmp_path / "out")!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "nobody was found in 8 frames" in done.stderr, done.stderr


def test_the_single_file_says_what_the_extra_says():
    """demo/light.py names its needs itself; setup.py's extra of the same name must not say otherwise."""
    root = Path(__file__).parents[2]
    needs = (root / "demo/light.py").read_text().split("# ]")[0]
    extra = (root / "setup.py").read_text().split('"light": [')[1].split("]")[0]
    for need in ("onnxruntime>=1.20", "ai-edge-litert>=1.4", "opencv-python-headless<4.12"):
        assert f'"{need}"' in needs and f'"{need}"' in extra
    assert '"mediapipe==0.10.21"' in needs and "mediapipe" not in extra
