"""Errors of a training that its user can mend, each as one line; a defect keeps its traceback."""

from __future__ import annotations

import errno
import re
import shutil
import traceback
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
QUOTES = "'\""


class TrainingStopped(RuntimeError):
    """A training cannot begin or go on; the message says why, what is kept, and what to do."""


def line_of(error: BaseException) -> str | None:
    """What was wrong and what to do, in one line; None where a programmer has to look at the traceback."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, TrainingStopped) or isinstance(error, ValueError) and _is_ours(error):
        return text
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker"):
        why = text.split(" Details are lost")[0].split(" It is possible")[0].rstrip(".")
        return f"a process that reads data ended ({why.removeprefix('DataLoader ')}). {_what_to_do_for_workers()}"
    return _of_a_registry(error, text)


def _of_the_system(error: OSError) -> str:
    text = " ".join(str(error).split())
    # Queues of the processes that read data lie in shared memory; the error does not say so.
    if error.errno == errno.ENOSPC and error.filename is None and _free() < 1:
        return f"{text}. {_what_to_do_for_workers()}"
    return text


def _what_to_do_for_workers() -> str:
    return (
        f"Batches go through shared memory, of which {SHARED_MEMORY} has {_free():.0f} MB left: give a container more "
        "(--shm-size), or num_workers=0 and persistent_workers=False in the config's dataloaders"
    )


def _free() -> float:
    """Megabytes that are left of shared memory."""
    return shutil.disk_usage(SHARED_MEMORY).free / 1e6 if SHARED_MEMORY.is_dir() else 0.0


def _is_ours(error: ValueError) -> bool:
    # Our messages are written for users; those of libraries need their traceback.
    return _place(error).is_relative_to(Path(__file__).parents[1])


def _of_a_registry(error: BaseException, text: str) -> str | None:
    """Errors of MMEngine's registries: a type that is not known, or arguments that a class does not take."""
    if isinstance(error, KeyError) and (found := re.search(r"(\S+) is not in the (\S+) registry", text)):
        return f"the config names a type {found[1].strip(QUOTES)!r}, which the registry {found[2]} does not have"
    if isinstance(error, TypeError) and _place(error).parts[-3:] == ("mmengine", "registry", "build_functions.py"):
        return f"of the config: {text}"
    return None


def _place(error: BaseException) -> Path:
    """The file whose code raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    return Path(frames[-1].filename if frames else "")
