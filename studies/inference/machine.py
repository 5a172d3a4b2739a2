"""When and on what something was measured, in words."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

import numpy as np
import torch


def describe_machine() -> str:
    """Date, processor, GPU where there is one, threads, versions, and how busy the machine is with all that runs."""
    parts = [f"{os.cpu_count()} CPU cores ({_processor()}), {torch.get_num_threads()} used by PyTorch"]
    parts.append(torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU")
    versions = (
        f"Python {platform.python_version()}, torch {torch.__version__.partition('+')[0]}, numpy {np.__version__}"
    )
    if hasattr(os, "getloadavg"):  # not on Windows
        versions += f"; load average over the last quarter of an hour {os.getloadavg()[2]:.1f}"
    return f"Measured on {datetime.date.today()}; {', '.join(parts)}; {versions}."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
