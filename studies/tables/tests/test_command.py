import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import PoseSequence, write_store

from ..budget import BUDGETS
from ..tables import TABLES

TOOL = Path(__file__).parents[3] / "tools/reproduce.py"


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True, cwd=cwd)


def test_help_answers_at_once_and_knows_all_tables_and_budgets():
    started = time.monotonic()
    result = run("--help")
    assert result.returncode == 0 and time.monotonic() - started < 2
    assert f"--table {{{','.join(TABLES)}}}" in result.stdout
    assert f"--budget {{{','.join(BUDGETS)}}}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "7"], "invalid choice: '7'"),
        (["--table", "6", "--seeds", "0"], "invalid int above 0 value: '0'"),
        (["--table", "6", "--data", "no/such", "."], "no such store: no/such"),
        (["--table", "6", "--data", "."], "--data needs two stores or more"),
        (["--table", "6", "--rows", "3d"], "table 6 has no 3d; it has scratch, 2d, 2d_3d"),
        ([], "the following arguments are required: --table or --figure"),
        (["--figure", "4"], "invalid choice: '4'"),
        (["--figure", "5", "--table", "6"], "not allowed with argument --figure"),
        (["--figure", "5", "--seeds", "2"], "--figure 5 has one seed and no rows to choose"),
        (["--figure", "6", "--rows", "scratch"], "table C has no scratch"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments, message, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]


def test_no_data_is_one_line_and_exit_code_1(tmp_path):
    result = run("--table", "3", cwd=tmp_path)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert re.search(r"table_3_1_random: .*data/stores/h36m_test: there is no pose store.*h36m.py", line)


def test_a_table_that_is_counted_needs_no_data(tmp_path):
    result = run("--table", "5", "--rows", "encoder_2d", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "| 2D Encoder | 17.9 | 17.9 | 8.9 | 8.0 |" in result.stdout
    assert result.stdout.endswith("table_5: .csv, .md\n")


def test_a_row_from_stores_to_table(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        poses = rng.normal(0, 0.3, (2, 20, 17, 3)) + [0, 0, 4]
        camera = np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0])
        write_store(
            tmp_path / name,
            [
                PoseSequence(f"clip {i}", pose, pose[..., :2] * 100, fps=50, width=1000, height=1000, intrinsics=camera)
                for i, pose in enumerate(poses)
            ],
        )
    command = ["--table", "6", "--rows", "scratch", "--data", "train", "test", "--budget", "ci", "--batch", "3"]
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.search(r"\| no pre-training \| 43.1 \| \d+\.\d \|", result.stdout)
    assert (
        "tools/reproduce.py " + " ".join(command) in result.stdout
        and "batch 3 (released code: 1024, the paper gives none)" in result.stdout
    )
    for suffix in ("md", "csv", "png"):
        assert (tmp_path / f"work_dirs/reproduce/table_6.{suffix}").is_file()
    assert "1 of 4, fine-tune table_6_scratch_lifter" in result.stderr
