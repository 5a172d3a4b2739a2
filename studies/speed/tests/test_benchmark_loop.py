import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "studies.speed.benchmark_loop", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=ROOT,
    )


@pytest.mark.slow
def test_loop_and_bare_step_are_timed():
    result = run("--batch", "2", "--steps", "2", "--blocks", "1", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout[result.stdout.index("{\n") :])
    assert list(found) == ["pre-training", "lifting"]
    for times in found.values():
        # Of tiny batches the loop costs more than the step, but not hundreds of times.
        assert 0 < times["bare"] < 300 * times["loop"] and times["loop"] < 300 * times["bare"]


def test_wrong_use():
    result = run("--steps", "0")
    assert result.returncode == 2 and "--steps: give 1 or more, not 0" in result.stderr
