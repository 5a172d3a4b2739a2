"""Opening files that somebody else made: what can be wrong with any file is reported here, before it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: Bytes that a file of text may have. Read into Python's objects it takes several times as much.
TEXT_LIMIT = 2**30


@contextmanager
def opened(path: str | Path) -> Iterator[IO[bytes]]:
    """The file for reading bytes; raises OSError or ValueError (file, fix) for what is no file or may not be read."""
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(f"{path}: is a directory; give the file itself")
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: is a device or a pipe; give a file")
        file = open(path, "rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: does not exist; docs/data.md says where to get it") from None
    except PermissionError:
        raise PermissionError(f"{path}: may not be read; ask for permission to it (chmod +r)") from None
    with file:
        yield file


def files_below(folder: str | Path) -> list[Path]:
    """All files of a folder, however deep, with links that lead nowhere; PermissionError for what is closed to us."""

    def closed(error: OSError) -> None:
        raise PermissionError(f"{error.filename}: may not be looked into; ask for permission to it (chmod +rx)")

    return [Path(place, name) for place, _, names in os.walk(folder, onerror=closed) for name in names]


def read_bytes(path: str | Path, limit: int = TEXT_LIMIT) -> bytes:
    """All of a file of at most ``limit`` bytes, which is checked first; raises as :func:`opened`."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(
                f"{path}: has {size:,} bytes, more than the {limit:,} that are read at once; give it in parts"
            )
        return file.read(size)


def read_text(path: str | Path, limit: int = TEXT_LIMIT) -> str:
    """All of a file as :func:`read_bytes` gives it, UTF-8; what is not is replaced, for readers to stumble over."""
    return read_bytes(path, limit).decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
