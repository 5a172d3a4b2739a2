"""The benchmark of the data path, small: what it prints and that its figures are of what they say."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.datasets import PoseStore, PoseWindowDataset

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/analysis_tools/benchmark_data.py"
SMALL = "--window 9 --steps 1 3 --batch 16 --rounds 2 --frames 4100 --large 10000 --mmpose-frames 300 --workers 2"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("benchmark_data", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stores_are_of_the_size_asked_for(tool, tmp_path):
    for number, write in enumerate((tool.write_random_store, tool.write_empty_store)):
        path = tmp_path / str(number)
        write(path, 4100)
        store = PoseStore(path)
        assert store.lengths.tolist() == [2000, 2000, 100] and len(PoseWindowDataset(path, 9)) == 4100
    assert not store.keypoints_3d.any()  # holes: nothing on the disk


def test_report(tool):
    row = dict(copy=100.0, new_copy=80.0, rows=90.0, dataset=60.0, pack=50.0, flip=40.0)
    found = dict(window=9, batch=16, large_frames=10, speed={"frame_step=1": row}, opening=dict(open_s=0.5, index_s=1))
    text = tool.report(found)
    assert "PoseWindowDataset" in text and "60 (60%)" in text and "opened in 500.0 ms" in text
    assert "MMPose" not in text and "processes" not in text


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="proportional set size is Linux's")
def test_command(tmp_path):
    done = subprocess.run(
        [sys.executable, TOOL, "--json", *SMALL.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["speed"]) == {"frame_step=1", "frame_step=3"}
    for row in found["speed"].values():
        assert set(row) == {"copy", "new_copy", "rows", "dataset", "pack", "flip"}
        assert all(np.isfinite(value) and value > 0 for value in row.values())
    assert found["mmpose"]["windows_per_s"] > 0 and found["memory"]["workers"] == 2
    assert 0 < found["opening"]["open_s"] < 1
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_wrong_arguments_and_help(tool, capsys):
    with pytest.raises(SystemExit):
        tool.parse_args(["--batch", "0"])
    assert "--batch: 0 is not 1 or more" in capsys.readouterr().err
