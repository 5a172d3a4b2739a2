"""The command that makes a page again, as the page shows it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence


def command_of(module: str, arguments: Sequence[str]) -> str:
    """``uv run -m <module> <arguments>``, quoted for a shell; with the threads where the environment sets them."""
    threads = os.environ.get("OMP_NUM_THREADS")
    command = shlex.join(["uv", "run", "-m", module, *arguments])
    return command if threads is None else f"OMP_NUM_THREADS={threads} {command}"
