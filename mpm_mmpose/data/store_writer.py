"""Writing pose stores: streamed sequence by sequence, and all or nothing."""

from __future__ import annotations

import errno
import json
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..pose.keypoints import get_keypoint_set
from ..pose.pose_sequence import PoseSequence
from .store_format import FORMAT, FRAME_ARRAYS, TABLES, TEXTS, VERSION

_ROOM = "make room there, or give a place on another disk"
_PERMISSION = "ask for permission to write there (chmod +w), or give another place"
# What the system's error means, and what to do.
_PROBLEMS = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("your quota on this disk is used up", _ROOM),
    errno.EFBIG: ("a file would be larger than is allowed here", "raise the limit (ulimit -f), or give another place"),
    errno.EACCES: ("may not be written", _PERMISSION),
    errno.EPERM: ("may not be written", _PERMISSION),
    errno.EROFS: ("the disk can only be read", "give another place"),
}
# What renaming a directory says where another one with files in it is in the way.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


class StoreWriteError(OSError):
    """A store cannot be written where it should go; the message says where, why and what to do."""


def write_store(
    path: str | Path, sequences: Iterable[PoseSequence], meta: dict | None = None, overwrite: bool = False
) -> None:
    """Write ``sequences``, one in memory at a time, to the new directory ``path``.

    Everything goes to a directory of a name of its own beside it that is renamed at the end, so that neither an error
    nor Ctrl-C leaves half a store, and an existing one is replaced only by a whole one. Of several that write to one
    path at once the first wins, or with ``overwrite`` the last; a process that has the replaced store open keeps
    reading it. A process that is killed leaves a hidden ``.<name>.partial-*``, which nothing reads.
    ``meta`` says what the store was made from (JSON).
    Raises FileExistsError when ``path`` exists and ``overwrite`` is False, or when it is no store; StoreWriteError
    where it cannot be written, as on a full disk; ValueError for no sequences, for two of one name, and for sequences
    that differ in keypoint set or in arrays.
    """
    path = Path(path)
    place = path.resolve()  # where a link points, so that it stays a link
    with ExitStack() as stack:
        with _explained(path):
            _check_free(path, overwrite)
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = TemporaryDirectory(prefix=f".{place.name}.partial-", dir=place.parent, ignore_cleanup_errors=True)
            # The new store lies one deeper because temporary directories are closed to other people.
            new = Path(stack.enter_context(beside), "new")
            new.mkdir()
        _write_files(path, new, sequences, {} if meta is None else meta)
        with _explained(path):
            _put_in_place(new, place, path, overwrite)


def _check_free(path: Path, overwrite: bool) -> None:
    while before := _identity(path):
        if not overwrite:
            raise FileExistsError(f"{path}: exists already; give another path or ask for it to be overwritten")
        if (path / "store.json").is_file():
            return
        if before == _identity(path):  # else another process has moved a store away, or put one here, in between
            raise FileExistsError(f"{path}: is not a pose store and will not be overwritten; give another path")


def _identity(path: Path) -> tuple[int, int, int] | None:
    """What tells this file or directory from another one, and from itself after being moved; None where none is."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_dev, stat.st_ino, stat.st_ctime_ns


def _put_in_place(new: Path, place: Path, path: Path, overwrite: bool) -> None:
    """Rename ``new`` to ``place``. Renaming is what only one of several processes succeeds in."""
    for number in count():
        old = new.with_name(f"old{number}")
        _check_free(path, overwrite)
        try:
            if overwrite:
                with suppress(FileNotFoundError):  # there is none, or another process has just moved it away
                    place.rename(old)
            new.rename(place)
            return
        except BaseException as error:
            with suppress(OSError):  # there was none, or another process' store has come to its place
                old.rename(place)
            if not isinstance(error, OSError) or error.errno not in _TAKEN:
                raise


def _write_files(path: Path, directory: Path, sequences: Iterable[PoseSequence], meta: dict) -> None:
    keypoint_set, present = None, []
    files: dict[str, _RowFile] = {}
    texts = {name: [] for name in TEXTS}
    names = set()
    with ExitStack() as stack:
        for sequence in sequences:
            arrays = {name: array for name in FRAME_ARRAYS if (array := getattr(sequence, name)) is not None}
            if keypoint_set is None:
                keypoint_set, present = sequence.keypoint_set, list(arrays)
                number = len(get_keypoint_set(keypoint_set))
                rows = {name: (np.float32, FRAME_ARRAYS[name](number)) for name in present} | TABLES
                with _explained(path):
                    for name, (dtype, row) in rows.items():
                        files[name] = _RowFile(directory / f"{name}.npy", dtype, row)
                        stack.callback(files[name].abandon)
            if sequence.keypoint_set != keypoint_set or list(arrays) != present:
                raise ValueError(
                    f"sequence {sequence.name!r} has {', '.join(arrays)} of {sequence.keypoint_set}, those before it "
                    f"{', '.join(present)} of {keypoint_set}; write such sequences into stores of their own"
                )
            if sequence.name in names:
                raise ValueError(f"sequence {sequence.name!r}: name occurs twice; sequences need names of their own")
            names.add(sequence.name)
            with _explained(path, files):
                for name, array in (arrays | _table_rows(sequence)).items():
                    files[name].append(array)
            for text in TEXTS:
                texts[text].append(getattr(sequence, text.removesuffix("s")))
        if keypoint_set is None:
            raise ValueError(f"{path}: there are no sequences to write; give at least one")
        index = dict(format=FORMAT, version=VERSION, keypoint_set=keypoint_set, frame_arrays=present, meta=meta)
        with _explained(path, files):
            for file in files.values():
                file.finish()
            index["checksums"] = {name: file.checksum for name, file in files.items()}
            content = json.dumps(index | texts, indent=1, ensure_ascii=False)
            # Names of files may be no Unicode; what stands for their bytes is written as JSON writes it.
            (directory / "store.json").write_text(content, encoding="utf-8", errors="backslashreplace")


def _table_rows(sequence: PoseSequence) -> dict[str, np.ndarray]:
    """A row (1, ...) of each table, NaN for what the sequence does not know."""
    values: dict[str, Any] = dict(
        lengths=len(sequence),
        sizes=(sequence.width, sequence.height),
        fps=sequence.fps,
        intrinsics=sequence.intrinsics,
        rotations=sequence.rotation,
        translations=sequence.translation,
    )
    return {
        name: np.full((1, *row), np.nan if values[name] is None else values[name], dtype=dtype)
        for name, (dtype, row) in TABLES.items()
    }


class _RowFile:
    """A .npy file that grows by rows; the number of rows goes into its header at the end."""

    def __init__(self, path: Path, dtype: type, row: tuple[int, ...]) -> None:
        self.dtype, self.row, self.rows = np.dtype(dtype).newbyteorder("<"), row, 0
        self.checksum = 0  # CRC-32 of the rows
        self.file = open(path, "wb")
        self.data_start = self._write_header()

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return self.rows * int(np.prod(self.row)) * self.dtype.itemsize

    def append(self, rows: np.ndarray) -> None:
        self.rows += len(rows)
        data = np.ascontiguousarray(rows, dtype=self.dtype).data
        self.checksum = zlib.crc32(data, self.checksum)
        self.file.write(data)

    def finish(self) -> None:
        self.file.seek(0)
        if self._write_header() != self.data_start:  # numpy leaves room in it for the leading axis to grow
            raise RuntimeError(f"{self.file.name}: the header grew with the number of rows; use numpy 1.26 or newer")
        self.file.close()

    def abandon(self) -> None:
        """Close the file, if that is still to be done, whatever becomes of it: an error is on its way already."""
        with suppress(OSError):
            self.file.close()

    def _write_header(self) -> int:
        header = dict(descr=self.dtype.str, fortran_order=False, shape=(self.rows, *self.row))
        np.lib.format.write_array_header_1_0(self.file, header)
        return self.file.tell()


@contextmanager
def _explained(path: Path, files: dict[str, _RowFile] | None = None) -> Iterator[None]:
    """Turn the system's errors of writing into StoreWriteError, with the sizes where space is what is missing."""
    try:
        yield
    except FileExistsError as error:
        if error.errno is None:  # ours
            raise
        raise StoreWriteError(f"{path}: {error.filename} is in the way; move it, or give another place") from error
    except OSError as error:
        problem, fix = _PROBLEMS.get(error.errno, (f"cannot be written ({error})", "give another place"))
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            problem += f" ({_sizes(path, files or {})})"
        raise StoreWriteError(f"{path}: {problem}; {fix}") from error


def _sizes(path: Path, files: dict[str, _RowFile]) -> str:
    folder = next(folder for folder in path.resolve().parents if folder.is_dir())
    needed = sum(file.size for file in files.values())
    return f"{needed:,} bytes are needed up to here, {shutil.disk_usage(folder).free:,} are free on its disk"
