import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpm_mmpose import blazepose
from mpm_mmpose.lifting import track_lifter
from mpm_mmpose.lifting.people import People, PeopleDetector

TOOL = Path(__file__).parents[3] / "studies/speed/benchmark_video.py"
BODY = np.random.default_rng(0).uniform(5, 45, (33, 2)).astype(np.float32)


class Somebody(PeopleDetector):
    keypoint_set = "blazepose_33"

    def begin(self, fps):
        return lambda image: People(BODY[None], np.ones((1, 33), np.float32), np.array([[5.0, 5, 45, 45]]))


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.setattr(blazepose, "BlazePose", Somebody, raising=False)
    spec = importlib.util.spec_from_file_location("benchmark_video", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.os, "sched_setaffinity", lambda *_: None, raising=False)
    return module


def test_every_stage_is_measured(tool, tmp_path, capsys, monkeypatch):
    lifted = []

    class Lifter:
        def __init__(self, *_, **__):
            pass

        def lift(self, track):
            lifted.append(len(track))

    monkeypatch.setattr(track_lifter, "TrackLifter", Lifter)
    monkeypatch.setattr("mpm_mmpose.runtime.OnnxModel", lambda *_, **__: None, raising=False)
    writer = cv2.VideoWriter(str(tmp_path / "a.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    assert tool.main([str(tmp_path / "a.mp4"), "--model", "none.onnx", "--frames", "12"]) == 0
    said = capsys.readouterr().out
    assert lifted == [12] and said.startswith("12 frames of 64 x 48 px, 1.00 people in each, 1 cores")
    for stage in ("reading the video", "finding people, 2D", "lifting", "frames a second of one core", "Most memory"):
        assert stage in said


def test_wrong_use(tool, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        tool.parse_args(["a.mp4", "--cores", "0"])
    assert tool.main([str(tmp_path / "none.mp4"), "--model", "none.onnx"]) == 2
    assert "none.mp4: does not exist" in capsys.readouterr().err
