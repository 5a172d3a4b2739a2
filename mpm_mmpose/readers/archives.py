"""Published ``.npz``, ``.npy`` and ``.pkl`` files: read without running anything in them or trusting their sizes."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..messages import shortened
from .files import opened
from .npy_header import read_header
from .pickled_numpy import is_text
from .restricted_pickle import restricted_load

#: Bytes that one array or pickle may take unpacked, unless told otherwise: twice the largest of the published files.
LIMIT = 4 * 2**30
# Deflate reaches 1032; what is large and shrinks further than this is no recording.
_MAX_RATIO, _ALWAYS_ALLOWED = 500, 64 * 2**20
# All fields of a file together: numbers of recordings shrink to a third, masks and names to a hundredth.
_TOGETHER_RATIO, _TOGETHER = 50, 256 * 2**20
_AGAIN = "fetch the file again"


def read_npz(
    path: str | Path, fields: Sequence[str], optional: Sequence[str] = (), limit: int = LIMIT
) -> dict[str, Any]:
    """The named fields of an ``.npz`` file, in the order asked for; those of ``optional`` where the file has them.

    Arrays of numbers and text come as they are; an object array without axes as the object in it. Pickled objects are
    read by :func:`~mpm_mmpose.readers.restricted_pickle.restricted_load`. limit: bytes a field may take.
    Raises ValueError or OSError (file, field, fix).
    """
    path = Path(path)
    result = {}
    with opened(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ValueError(f"{path}: is no .npz archive, or is cut off ({error}); {_AGAIN}") from None
        with archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            sizes = {
                field: archive.getinfo(members[field]).file_size for field in (*fields, *optional) if field in members
            }
            total, packed = sum(sizes.values()), path.stat().st_size
            if total > max(_TOGETHER, _TOGETHER_RATIO * packed):
                largest = max(sizes, key=sizes.get)
                raise ValueError(
                    f"{path}: field {largest!r} and others: {packed} bytes announce {total}; no recording shrinks so "
                    f"far; {_AGAIN}"
                )
            for field in (*fields, *optional):
                if field in members:
                    result[field] = _read_member(path, archive, members[field], limit)
                elif field not in optional:
                    there = shortened(", ".join(sorted(members))) or "none"
                    raise ValueError(
                        f"{path}: field {field!r} is missing; it has {there}: "
                        "give the file of the layout that is asked for"
                    )
    return result


def npz_fields(path: str | Path) -> tuple[str, ...]:
    """Names of the fields of an ``.npz`` file, nothing of which is read; raises as :func:`read_npz`."""
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return tuple(name.removesuffix(".npy") for name in archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ValueError(f"{path}: is no .npz archive, or is cut off ({error}); {_AGAIN}") from None


def read_npy(path: str | Path, limit: int = LIMIT) -> Any:
    """The array of an ``.npy`` file, as :func:`read_npz` gives a field of an archive."""
    path = Path(path)
    with opened(path) as file:
        return _read_array(str(path), file, path.stat().st_size, limit)


def read_pickle(path: str | Path, limit: int = LIMIT) -> Any:
    """The object of a ``.pkl`` file, of plain containers and arrays; raises ValueError or OSError (file, fix)."""
    path = Path(path)
    with opened(path) as file:
        size = path.stat().st_size
        _check_size(str(path), size, limit)
        return _unpickle(str(path), file, size)


def _read_member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> Any:
    info = archive.getinfo(name)
    where = f"{path}: field {name.removesuffix('.npy')!r}"
    _check_size(where, info.file_size, limit)
    packed = min(info.compress_size, path.stat().st_size)
    check_ratio(where, packed, info.file_size)
    try:
        with archive.open(info) as file:
            return _read_array(where, file, info.file_size, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{where}: damaged or cut off ({error}); {_AGAIN}") from None


def check_ratio(where: str, packed: int, size: int) -> None:
    """ValueError (``where``, fix) where ``packed`` bytes become so many that they are no recording's."""
    if size > max(_ALWAYS_ALLOWED, _MAX_RATIO * packed):
        raise ValueError(f"{where}: {packed} bytes announce {size}; no recording shrinks so far; {_AGAIN}")


def _check_size(where: str, size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f"{where}: takes {size} bytes, more than the limit of {limit}; is it the right file?")


def _read_array(where: str, file: IO[bytes], size: int, limit: int) -> Any:
    """The array in ``file``, which holds ``size`` bytes: none is made before its header fits that size."""
    header = read_header(where, file, _AGAIN)
    shape, fortran, dtype = header
    left = size - file.tell()
    if dtype.hasobject:
        if dtype != np.dtype(object):
            raise ValueError(f"{where}: is of type {dtype}, which is not read; {_AGAIN}")
        array = _unpickle(where, file, left)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
            raise ValueError(f"{where}: header and contents do not agree; {_AGAIN}")
        return array if shape else array.item()
    announced = header.nbytes
    if announced != left or (math.prod(shape) and not dtype.itemsize):
        raise ValueError(
            f"{where}: an array of shape {shape} and type {dtype} takes {announced} bytes, {max(left, 0)} are there; "
            f"cut off or damaged: {_AGAIN}"
        )
    _check_size(where, announced, limit)
    data = file.read(announced)
    if len(data) != announced:
        raise ValueError(f"{where}: cut off, {len(data)} of {announced} bytes are there; {_AGAIN}")
    array = np.frombuffer(data, dtype=dtype) if announced else np.empty(math.prod(shape), dtype)
    if not is_text(array):
        raise ValueError(f"{where}: holds characters that there are not; damaged: {_AGAIN}")
    return array.reshape(shape, order="F" if fortran else "C")


def _unpickle(where: str, file: IO[bytes], size: int) -> Any:
    try:
        return restricted_load(file, size)
    except ValueError as error:
        raise ValueError(f"{where}: {error}. Nothing of it was run; fetch the file from those who publish it") from None
