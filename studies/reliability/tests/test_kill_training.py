import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_trainings_end_as_if_they_were_not(tmp_path):
    """Every fifth of the points, and twice at random; docs/reliability.md has all points and a hundred."""
    command = [
        sys.executable,
        "-m",
        "studies.reliability.kill_training",
        "--every",
        "5",
        "--kills",
        "2",
        "--epochs",
        "2",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=1100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *points, all_points, random = (
        line for line in done.stdout.splitlines() if "kills, " not in line or "2 kills" in line
    )
    assert len(points) > 10 and all(line.endswith(": the same") for line in points)
    assert all_points == f"{len(points)} points, {len(points)} trainings ended the same"
    assert random.startswith("2 kills, ")
