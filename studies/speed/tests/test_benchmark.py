import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOL = ("-m", "studies.speed.benchmark")
FLOPS = (ROOT / "tools/analysis_tools/get_flops.py",)


def run(*arguments, tool=TOOL):
    return subprocess.run([sys.executable, *tool, *arguments], capture_output=True, text=True, timeout=280, cwd=ROOT)


@pytest.mark.slow
def test_every_case_is_timed_and_counted(tmp_path):
    result = run("--batch", "2", "--rounds", "1", "--json", "--device", "cpu", "--profile", tmp_path / "traces")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["rounds"] == 1 and found["product_gflop_per_s"] > 0
    rows = found["rows"]
    assert list(rows) == ["pre-training step", "lifting training step", "lifting inference", "lifting, one window"]
    for name, row in rows.items():
        batch = 1 if "one window" in name else 2
        assert row["windows_per_s"] == pytest.approx(batch / row["seconds"])
        share = row["gflop_a_window"] * row["windows_per_s"] / found["product_gflop_per_s"]
        assert row["share_of_product"] == pytest.approx(share)
        assert ("kept_MB_a_window" in row) == name.endswith("step")
    counted = json.loads(run("configs/mpm/lift_h36m_243.py", "--json", tool=FLOPS).stdout)["flops"]
    assert rows["lifting inference"]["gflop_a_window"] * 1e9 == pytest.approx(counted, abs=1)
    # A backward pass multiplies twice where the forward pass does once, but for the input, which needs no gradient.
    step = rows["lifting training step"]["gflop_a_window"] * 1e9
    assert 2.9 * counted < step < 3 * counted
    # Five full layers keep some 20 tokens of 256 numbers a frame each, the frame-wise layers as much again.
    assert 20 < rows["lifting training step"]["kept_MB_a_window"] < 40
    less = run("--batch", "2", "--rounds", "1", "--json", "--cases", "lifting training step", "--save-memory")
    less = json.loads(less.stdout)["rows"]["lifting training step"]
    assert less["gflop_a_window"] == rows["lifting training step"]["gflop_a_window"]
    assert less["kept_MB_a_window"] < 0.3 * rows["lifting training step"]["kept_MB_a_window"]
    traces = sorted(path.name for path in (tmp_path / "traces").iterdir())
    assert len(traces) == 4 and "lifting_training_step.json" in traces
    assert "Self CPU" in result.stderr and result.stderr.count("With products and attention alone") == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--batch", "0"], "give 1 or more, not 0"),
        (["--device", "nowhere"], "--device nowhere"),
        (["--cases", "x"], "x"),
    ],
)
def test_wrong_use(arguments, said):
    result = run(*arguments)
    assert result.returncode == 2 and said in result.stderr
