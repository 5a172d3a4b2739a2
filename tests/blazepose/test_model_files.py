import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from mpm_mmpose.blazepose import model_files
from mpm_mmpose.blazepose.model_files import DETECTION, TfliteModel, installed_file, usual_threads
from mpm_mmpose.errors import UsageError


def test_files_are_found_and_mediapipe_is_not_imported(blazepose):
    code = "import sys\nfrom mpm_mmpose.blazepose import BlazePose\nBlazePose(1)\n"
    code += "print([name for name in ('mediapipe', 'torch', 'mmpose', 'scipy', 'matplotlib') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "[]", done.stderr


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(model_files, "distribution", missing)
    with pytest.raises(
        UsageError, match="are not installed: pip install ai-edge-litert, and .*no-deps mediapipe==0.10.21"
    ):
        installed_file(DETECTION)

    class Newer:
        version = "0.10.35"

        def locate_file(self, name):
            return tmp_path / name

    monkeypatch.setattr(model_files, "distribution", lambda name: Newer())
    with pytest.raises(
        UsageError, match="mediapipe 0.10.35 has no .*pose_detection.tflite, which mediapipe==0.10.21 has"
    ):
        installed_file(DETECTION)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(UsageError, match="needs ai-edge-litert, which is not installed"):
        TfliteModel(tmp_path / "model.tflite")


def test_a_file_that_is_no_model(blazepose, tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no model" * 100)
    with pytest.raises(ValueError, match="model.tflite: is no model that ai-edge-litert can run"):
        TfliteModel(tmp_path / "model.tflite")


def test_outputs_are_without_the_axis_of_the_batch(blazepose):
    boxes, scores = blazepose.detector.model(np.zeros((224, 224, 3), np.float32))
    assert boxes.shape == (2254, 12) and scores.shape == (2254, 1)


def test_a_core_is_left_for_the_video(monkeypatch):
    for cores, threads in ((1, 1), (2, 1), (4, 3), (64, 4)):
        monkeypatch.setattr(model_files.os, "sched_getaffinity", lambda _, n=cores: set(range(n)), raising=False)
        assert usual_threads() == threads
