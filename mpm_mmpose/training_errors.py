"""Errors of a training that its user can mend, each as one line; a defect keeps its traceback."""

from __future__ import annotations

import errno
import re
import shutil
import traceback
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


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
    # Queues of the processes that read data lie in shared memory, under names that the error does not tell.
    if error.errno == errno.ENOSPC and error.filename is None:
        return f"{text}. {_what_to_do_for_workers()}"
    return text


def _what_to_do_for_workers() -> str:
    free = f"{shutil.disk_usage(SHARED_MEMORY).free / 1e6:.0f} MB" if SHARED_MEMORY.is_dir() else "nothing"
    return (
        f"Their batches go through shared memory, of which {SHARED_MEMORY} has {free} left: give the container more "
        "(--shm-size), or num_workers=0 persistent_workers=False in the config's dataloaders"
    )


def _is_ours(error: ValueError) -> bool:
    # Our messages are written for users; those of libraries need their traceback.
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(__file__).parent)


def _of_a_registry(error: BaseException, text: str) -> str | None:
    """Errors of MMEngine's registries: a type that is not known, or arguments that a class does not take."""
    if isinstance(error, KeyError) and (found := re.search(r"(\S+) is not in the (\S+) registry", text)):
        return f"the config names a type {found[1].strip(chr(39) + chr(34))!r}, which the registry {found[2]} has not"
    # Nested classes say so one in the other; the innermost is the one to look at.
    if found := re.match(r"(?:.*)class `(\w+)` in \S+: (.*)", text):
        return f"{found[1]} in the config: {found[2].removeprefix(f'{found[1]}.').removeprefix(f'{found[1]}: ')}"
    return None
