"""The benchmark of the data path, small: what it prints and that its figures are of what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import PoseStore, PoseWindowDataset

ROOT = Path(__file__).parents[3]
SMALL = "--window 9 --steps 1 3 --batch 16 --rounds 2 --frames 4100 --large 10000 --mmpose-frames 300 --workers 2"


@pytest.fixture
def tool():
    from .. import benchmark_data

    return benchmark_data


def test_stores_are_of_the_size_asked_for(tool, tmp_path):
    for number, write in enumerate((tool.write_random_store, tool.write_empty_store)):
        path = tmp_path / str(number)
        write(path, 4100)
        store = PoseStore(path)
        assert store.lengths.tolist() == [2000, 2000, 100] and len(PoseWindowDataset(path, 9)) == 4100
    assert not store.keypoints_3d.any()  # holes: nothing on the disk


def test_report(tool):
    row = dict(
        copy=100.0, new_copy=80.0, rows=90.0, dataset=60.0, pack=50.0, flip=40.0, loader=30.0, loader_wall=25.0,
        device=50.0, device_flip=40.0, device_pretrain=30.0,
    )  # fmt: skip
    found = dict(
        window=9,
        batch=16,
        device="cpu",
        large_frames=10,
        speed={"frame_step=1": row},
        opening=dict(open_s=0.5, index_s=1),
    )
    text = tool.report(found)
    assert "PoseWindowDataset" in text and "60 (60%)" in text and "opened in 500.0 ms" in text
    assert "MMPose" not in text and "memory" not in text
    found["memory"] = dict(store_MB=100.0, aim_MB=305.0, taken_MB={"1 x 4": 101.0, "2 x 2": 102.0})
    assert "101 MB (1 x 4), 102 MB (2 x 2); the aim is at most 305 MB" in tool.report(found)


LINUX = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="proportional set size is Linux's")


@LINUX
def test_workers_of_two_processes_share_the_frames(tool, tmp_path):
    tool.write_random_store(tmp_path / "store", 150_000)
    tool.write_random_store(tmp_path / "tiny", 1)
    # In a process of its own: pages that forked processes share with the tests are counted too, and come and go.
    code = "import json, sys; from pathlib import Path; from studies.speed.benchmark_memory import memory_of_data\n"
    code += "print(json.dumps(memory_of_data(Path(sys.argv[1]), Path(sys.argv[2]), 9, [(2, 1)])))"
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "store"), str(tmp_path / "tiny")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    memory = json.loads(printed.splitlines()[-1])
    # Both read all 51 MB of it: once, and what a worker needs beside it, where two copies would be twice as much.
    assert 0.95 < memory["taken_MB"]["2 x 1"] / memory["store_MB"] < 1.5


@LINUX
def test_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "studies.speed.benchmark_data", "--json", *SMALL.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["speed"]) == {"frame_step=1", "frame_step=3"}
    for row in found["speed"].values():
        names = "copy new_copy rows dataset pack flip loader loader_wall device device_flip device_pretrain"
        assert set(row) == set(names.split())
        assert all(np.isfinite(value) and value > 0 for value in row.values())
    assert found["mmpose"]["windows_per_s"] > 0
    memory = found["memory"]
    assert memory["aim_MB"] == pytest.approx(1.05 * memory["store_MB"] + 200)
    assert set(memory["taken_MB"]) == {"1 x 2", "2 x 1"}
    assert all(taken < memory["aim_MB"] for taken in memory["taken_MB"].values())
    assert 0 < found["opening"]["open_s"] < 1
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_wrong_arguments_and_help(tool, capsys):
    with pytest.raises(SystemExit):
        tool.parse_args(["--batch", "0"])
    assert "--batch: 0 is not 1 or more" in capsys.readouterr().err
