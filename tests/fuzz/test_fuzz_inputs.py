import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_no_damaged_file_does_more_than_be_refused():
    """A short run; docs/reliability.md has a long one."""
    script = Path(__file__).with_name("fuzz_inputs.py")
    result = subprocess.run([sys.executable, script, "--mutations", "150"], capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
