import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "studies.speed.speed_table")
ROWS = ("pre-training step", "lifting training step", "lifting inference", "lifting, one window")


@pytest.fixture
def tool():
    from .. import speed_table

    return speed_table


def benchmark(share, milliseconds, peak=1.0):
    row = dict(share_of_product=share, seconds=milliseconds / 1e3, peak_GiB=peak)
    return dict(
        device="a device",
        torch="2",
        python="3",
        precision="bf16",
        compiled=True,
        batch=1024,
        rounds=5,
        product_gflop_per_s=1234.5,
        rows=dict.fromkeys(ROWS, row),
    )


def test_every_run_has_to_reach_an_aim(tool):
    good, less = benchmark(0.7, 50), benchmark(0.62, 70)
    rows = tool.rows_of_speed("CPU", [good, less])
    assert [row.reached for row in rows] == [False, True, False, False]
    assert rows[0] == ("pre-training step: share of the product", "65%", "70%, 62%", False)
    assert rows[3] == ("lifting, one window", "under 60 ms", "50.0 ms, 70.0 ms", False)
    assert [row.reached for row in tool.rows_of_speed("CPU", [good])] == [True, True, False, True]
    assert [row.reached for row in tool.rows_of_speed("GPU", [less])] == [True, True, True, False]


def test_against_float32_loop_and_memory(tool):
    rows = tool.rows_against_float32([benchmark(0.2, 10), benchmark(0.2, 11)], benchmark(0.2, 52))
    assert rows[0][1:] == ("5", "5.2, 4.7", False)
    loop = tool.rows_of_loop({"pre-training": dict(loop=1.04, bare=1.0), "lifting": dict(loop=0.106, bare=0.1)})
    assert [row[1:] for row in loop] == [("5%", "4.0%", True), ("5%", "6.0%", False)]
    assert tool.row_of_memory(benchmark(1, 1, peak=11)).found == "11.8 GB"  # GiB to GB
    assert not tool.row_of_memory(benchmark(1, 1, peak=12)).reached


def test_a_gpu_is_asked_for_all_rows_of_its_column(tool, tmp_path, monkeypatch):
    asked = []

    def run(*command):
        asked.append(" ".join(map(str, command)))
        loop = {"pre-training": dict(loop=1.0, bare=1.0), "lifting": dict(loop=1.0, bare=1.0)}
        return loop if "loop" in command[0] else benchmark(0.3, 2 if "--compile" in command else 20)

    monkeypatch.setattr(tool, "run", run)
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## Aims and what is reached: GPU\n\nUnmeasured.\n\n## Last\n\nkept\n")
    assert tool.main(["--page", str(page), "--device", "cuda:0", "--runs", "2"]) == 0
    same = "benchmark --device cuda:0 --batch 1024 --rounds 5"
    assert asked == [
        *[f"{same} --precision bf16 --compile"] * 2,
        f"{same} --cases pre-training step lifting training step",
        f"{same} --precision bf16 --compile --save-memory --cases lifting training step",
        "benchmark_loop --batch 1024 --steps 10 --amp --compile",
    ]
    text = page.read_text()
    assert "Unmeasured" not in text and text.startswith("# Page") and text.endswith("## Last\n\nkept\n")
    assert text.count("| yes |") == 9 and "**no**" not in text
    assert "a device; Python 3, torch 2; bf16, compiled, batch 1024" in text and "1,234, 1,234 GFLOP/s" in text


@pytest.mark.slow
def test_a_cpu_fills_its_column_and_leaves_the_rest_of_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    command = [*COMMAND, "--page", page, "--device", "cpu", "--batch", "2"]
    done = subprocess.run(
        [*command, "--runs", "1", "--rounds", "1"], capture_output=True, text=True, timeout=280, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("# Page\n\n## Aims and what is reached: CPU\n")
    assert text.count("% |") >= 5 and "| lifting, one window | under 60 ms |" in text
    assert "whole loop, lifting: more than the bare step" in text


def test_nothing_is_written_where_a_benchmark_fails(tmp_path):
    page = tmp_path / "page.md"
    command = [*COMMAND, "--page", page, "--device", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT)
    assert done.returncode == 2 and "--device nowhere" in done.stderr and "nothing was written" in done.stderr
    assert not page.exists()


def test_wrong_use():
    command = [*COMMAND, "--page", "page.md", "--runs", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 2 and "--runs: give 1 or more, not 0" in done.stderr
