"""Arrays out of .npz archives that others made: nothing is unpickled, and sizes are checked before memory is taken."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from types import TracebackType

import numpy as np

LARGEST = 2 << 30  # bytes of one array; the largest of the published archives is a tenth of that


class NpzFields:
    """An opened .npz archive whose arrays are read by name, each when it is asked for.

    ``names`` are the fields there are. Raises ValueError or OSError naming the file and what to do.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise IsADirectoryError(f"{path}: is a folder; give the .npz file in it")
        try:
            self._zip = zipfile.ZipFile(self.path)
        except PermissionError:
            raise PermissionError(f"{path}: you may not read it; change its permissions or leave it out") from None
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise ValueError(
                f"{path}: is no .npz archive, or is cut off ({error}); fetch it again or leave it out"
            ) from None
        self.names = frozenset(name.removesuffix(".npy") for name in self._zip.namelist())

    def __enter__(self) -> NpzFields:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def read(self, name: str) -> np.ndarray:
        """The array called ``name``; ValueError where it is missing, damaged, too large or made of Python objects."""
        where = f"{self.path}: field {name!r}"
        if name not in self.names:
            raise ValueError(f"{where} is missing; the archive has {', '.join(sorted(self.names)) or 'no fields'}")
        try:
            info = self._zip.getinfo(f"{name}.npy")
            with self._zip.open(info) as file:
                shape, fortran, dtype = _read_header(file)
                size = math.prod(shape) * dtype.itemsize
                if dtype.hasobject:
                    raise ValueError("it holds pickled Python objects, which could run code and are not read")
                if min(shape, default=1) < 0 or dtype.itemsize == 0 or size != info.file_size - file.tell():
                    raise ValueError(f"its header says {dtype} {shape}, which its data does not fill")
                if size > LARGEST:
                    raise ValueError(f"it would take {size} bytes; no published archive needs more than {LARGEST}")
                data = file.read()
        except (ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError, SyntaxError) as error:
            raise ValueError(f"{where} cannot be read: {error}; fetch the file again or leave it out") from None
        return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")

    def read_numbers(self, name: str, *shape: int | None, dtype: type = np.float64) -> np.ndarray:
        """The array ``name`` as finite numbers of this shape (None: any length); ValueError says what else it is."""
        array = self.read(name)
        where = f"{self.path}: field {name!r}"
        if array.dtype.kind not in "fiu":
            raise ValueError(f"{where} is of type {array.dtype}, not numbers; use the archive as it was published")
        if len(array.shape) != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(f"{where} has shape {array.shape}, not ({wanted}); use the archive as it was published")
        finite = np.isfinite(array)
        if not finite.all():
            place = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise ValueError(f"{where} is not finite at index {place}; repair the archive or leave it out")
        return array.astype(dtype)


def _read_header(file: zipfile.ZipExtFile) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"its .npy version {version} is not known")
    return readers[version](file)
