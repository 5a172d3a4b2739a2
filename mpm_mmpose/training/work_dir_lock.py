"""One training at a time in a work directory."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from .errors import TrainingStopped

_held: dict[tuple[int, Path], TextIO] = {}


def lock_work_dir(folder: str | Path) -> None:
    """Take the work directory for this process, which may do so again; made where it is missing.

    The system takes the lock away from a process that ends, however it ends. Processes that read data for a training
    do not share its lock, so one that outlives it for a moment keeps nobody out.

    Raises:
        TrainingStopped: another process trains there.
        OSError: nothing can be written there.
    """
    path = _lock_file(folder)
    if (os.getpid(), path) in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise TrainingStopped(
            f"{folder}: another training is under way in this work directory (process {owner}); wait for it, or give "
            "this one another folder"
        ) from None
    except OSError:
        pass  # a file system without locks: nothing to be had there
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held[os.getpid(), path] = file


def unlock_work_dir(folder: str | Path) -> None:
    """Give the work directory back; nothing happens where it is not locked."""
    if file := _held.pop((os.getpid(), _lock_file(folder)), None):
        file.close()


def _lock_file(folder: str | Path) -> Path:
    return Path(folder).resolve() / ".lock"
