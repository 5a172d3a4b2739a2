"""MATLAB's files, of version 5 (scipy) and 7.3 (HDF5): named variables, read without trusting their sizes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..messages import shortened
from .archives import LIMIT, check_ratio
from .files import opened

_AGAIN = "fetch the file again"
_HEADER, _MATRIX, _COMPRESSED, _BLOCK = 128, 14, 15, 2**20


class MissingPackageError(ValueError):
    """A package that reads this kind of file is not installed."""


def read_mat5(path: str | Path, fields: Sequence[str], limit: int = LIMIT) -> dict[str, np.ndarray]:
    """The named variables of a version 5 ``.mat`` file; a cell array as an array of objects.

    limit: bytes that the file may take unpacked. Raises ValueError or OSError (file, field, fix).
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = Path(path)
    _check_mat5(path, limit)
    try:
        variables = loadmat(path, variable_names=list(fields), verify_compressed_data_integrity=True)
    except (MatReadError, ValueError, TypeError, KeyError, IndexError, OSError, MemoryError, zlib.error) as error:
        raise ValueError(f"{path}: is damaged or cut off ({str(error)[:200]}); {_AGAIN}") from None
    _check_fields(path, fields, variables)
    return {field: variables[field] for field in fields}


def read_mat73(path: str | Path, shapes: dict[str, tuple[int | None, ...]], limit: int = LIMIT) -> dict:
    """The named variables of a version 7.3 ``.mat`` file, axes as HDF5 has them (MATLAB's the other way round).

    shapes: what each variable's has to be, None for any length. limit: bytes that a variable may take.
    Raises ValueError or OSError (file, field, fix), MissingPackageError without h5py.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingPackageError(
            f"MPI-INF-3DHP's annot_data.mat needs the h5py package ({error}); run: pip install h5py"
        ) from None
    path = Path(path)
    with opened(path):  # for its errors; HDF5's do not tell a folder from a damaged file
        try:
            with h5py.File(path, "r") as file:
                _check_fields(path, shapes, file)
                return {name: _read_dataset(path, file, name, shape, limit) for name, shape in shapes.items()}
        except (OSError, KeyError, RuntimeError) as error:
            raise ValueError(f"{path}: is no MATLAB 7.3 file, or is cut off ({str(error)[:200]}); {_AGAIN}") from None


def _read_dataset(path: Path, file, name: str, shape: tuple[int | None, ...], limit: int) -> np.ndarray:
    import h5py

    where = f"{path}: field {name!r}"
    # What the file names elsewhere on this machine is not read.
    local = isinstance(file.get(name, getlink=True), h5py.HardLink)
    data = file[name] if local else None
    if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external or data.dtype.kind not in "biuf":
        raise ValueError(f"{where}: is no array of numbers; {_AGAIN}")
    if len(data.shape) != len(shape) or any(n is not None and n != m for n, m in zip(shape, data.shape, strict=True)):
        expected = ", ".join("frames" if n is None else str(n) for n in shape)
        raise ValueError(f"{where}: is of shape {data.shape}, not ({expected}); is this the file?")
    if data.nbytes > limit:
        raise ValueError(f"{where}: takes {data.nbytes} bytes, more than the limit of {limit}; is it the right file?")
    check_ratio(where, data.id.get_storage_size(), data.nbytes)
    return data[()]


def _check_mat5(path: Path, limit: int) -> None:
    """ValueError for another format, and for more bytes unpacked than ``limit``, none of which are kept."""
    with opened(path) as file:
        size = path.stat().st_size
        header = file.read(_HEADER)
        if header[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
            kind = "is a MATLAB 7.3 file" if b"HDF" in header or b"7.3" in header else "is no MATLAB file"
            raise ValueError(f"{path}: {kind}, version 5 is expected; {_AGAIN}")
        order = "<" if header[126:128] == b"IM" else ">"
        total = 0
        while tag := file.read(8):
            if len(tag) < 8:
                raise ValueError(f"{path}: is cut off; {_AGAIN}")
            kind, number = struct.unpack(order + "II", tag)
            if kind not in (_MATRIX, _COMPRESSED):
                raise ValueError(f"{path}: is damaged, no variable begins at byte {file.tell() - 8}; {_AGAIN}")
            if number > size - file.tell():
                raise ValueError(f"{path}: is cut off; {_AGAIN}")
            total += number if kind != _COMPRESSED else _unpacked(path, file.read(number), limit - total)
            if total > limit:
                raise ValueError(f"{path}: takes more than the limit of {limit} bytes; is it the right file?")
            if kind != _COMPRESSED:
                file.seek(number, 1)
        check_ratio(str(path), size, total)


def _unpacked(path: Path, packed: bytes, limit: int) -> int:
    """Number of bytes, counted block by block until there are more than ``limit``."""
    stream, total = zlib.decompressobj(), 0
    try:
        while packed and total <= limit:
            total += len(stream.decompress(packed, _BLOCK))
            packed = stream.unconsumed_tail
    except zlib.error as error:
        raise ValueError(f"{path}: is damaged ({error}); {_AGAIN}") from None
    return total


def _check_fields(path: Path, fields, there) -> None:
    for field in fields:
        if field not in there:
            known = ", ".join(sorted(name for name in there if not name.startswith("_"))) or "none"
            raise ValueError(f"{path}: field {field!r} is missing; it has {shortened(known)}: is this the file?")
