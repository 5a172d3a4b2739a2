import subprocess
import sys
import time
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools/quickstart.py"


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True)


def test_help_answers_at_once():
    started = time.monotonic()
    result = run("--help")
    assert result.returncode == 0 and "--motion" in result.stdout
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--motion", "no/such/folder"], "no such file or folder: no/such/folder"),
        (["--budget", "0"], "--budget must be above 0"),
        (["--labelled", "0"], "--labelled must be above 0 and at most 1"),
        (["--budget", "much"], "invalid float value"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments, message):
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1]
