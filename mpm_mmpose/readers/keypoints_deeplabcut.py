"""DeepLabCut's tables, CSV and HDF5: columns of x, y and likelihood by body part, of one individual or several."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .archives import check_ratio
from .detections import DetectionRows, Detections
from .files import opened
from .keypoint_choice import KeypointMap
from .matlab import MissingPackageError
from .restricted_pickle import restricted_load

#: What the lines of names at the top of a CSV begin with.
LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_COORDINATES = ("x", "y", "likelihood")
#: Bytes of the table, and of the names of its columns.
_LIMIT, _NAMES_LIMIT = 2**31, 2**26
_CSV = "give the .csv that DeepLabCut writes beside it (save_as_csv=True)"


def read_deeplabcut(path: Path, name: str, keypoint_set: str | KeypointMap = "auto") -> list[Detections]:
    """The people of an HDF5 file, one :class:`Detections`. Nothing in it is unpickled but lists of names.

    Raises ValueError or OSError (file, what is wrong, fix), MissingPackageError without h5py.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingPackageError(f"{path}: HDF5 needs the h5py package ({error}); run: pip install h5py") from None
    with opened(path):  # for its errors; HDF5's do not tell a folder from a damaged file
        try:
            with h5py.File(path, "r") as file:
                columns, frames, values = _table(path, file)
        except (OSError, KeyError, RuntimeError, TypeError) as error:
            raise ValueError(f"{path}: is no HDF5 of DeepLabCut, or is cut off ({str(error)[:200]}); {_CSV}") from None
    return people_in_columns(path, name, columns, frames, values, keypoint_set)


def people_in_columns(
    path: Path,
    name: str,
    columns: Sequence[tuple[str, str, str]],
    frames: np.ndarray,
    values: np.ndarray,
    keypoint_set: str | KeypointMap,
) -> list[Detections]:
    """People of columns (individual, body part, coordinate), frames (N,) and values (N, C); NaN is not found.

    Raises ValueError (file, what is wrong, fix).
    """
    individuals = list(dict.fromkeys(individual for individual, _, _ in columns))
    parts = list(dict.fromkeys(part for _, part, _ in columns))
    place = {column: index for index, column in enumerate(columns)}
    if not all((one, part, axis) in place for one, part, axis in columns for axis in ("x", "y")):
        raise ValueError(f"{path}: some body parts have no x and y; {_CSV}")
    rows = DetectionRows(name, path, parts)
    table = np.concatenate((values, np.full((len(values), 1), np.nan)), axis=1)
    certain = any(coordinate == "likelihood" for _, _, coordinate in columns)
    for number, individual in enumerate(individuals):
        chosen = [[place.get((individual, part, axis), -1) for axis in _COORDINATES] for part in parts]
        found = table[:, np.array(chosen)]  # (N, parts, 3)
        scores = found[..., 2] if certain else np.where(np.isfinite(found[..., 0]), 1.0, np.nan)
        for row in np.flatnonzero(np.isfinite(found[..., :2]).any((1, 2))):
            person = number if len(individuals) > 1 else None
            rows.add(f"row {row}", int(frames[row]), found[row, :, :2], scores[row], track=person)
    for frame in frames:
        rows.list_frame(int(frame))
    return [rows.finish(keypoint_set)]


def _table(path: Path, file: Any) -> tuple[list[tuple[str, str, str]], np.ndarray, np.ndarray]:
    """Columns, frames (N,) and values (N, C) of the one table of pandas in a file."""
    import h5py

    groups = [key for key in file if isinstance(file.get(key, getlink=True), h5py.HardLink)]
    groups = [key for key in groups if isinstance(file[key], h5py.Group) and "table" in file[key]]
    if len(groups) != 1:
        raise ValueError(f"{path}: holds {len(groups)} tables of pandas, not one; {_CSV}")
    group = file[groups[0]]
    local = isinstance(group.get("table", getlink=True), h5py.HardLink)
    data = group["table"] if local else None
    if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external or data.ndim != 1:
        raise ValueError(f"{path}: its table is of another kind; {_CSV}")
    fields = data.dtype.fields or {}
    blocks = [field for field in fields if field.startswith("values_block_")]
    if "index" not in fields or len(blocks) != 1 or fields[blocks[0]][0].base.kind != "f":
        raise ValueError(f"{path}: its table has the fields {', '.join(fields)[:200]}; {_CSV}")
    if fields["index"][0].kind not in "iu":
        raise ValueError(f"{path}: its rows are called by names, not by the numbers of frames; {_CSV}")
    if data.nbytes > _LIMIT:
        raise ValueError(f"{path}: its table takes {data.nbytes} bytes, more than the limit of {_LIMIT}; {_CSV}")
    check_ratio(f"{path}: its table", data.id.get_storage_size(), data.nbytes)
    rows = data[()]
    values = np.asarray(rows[blocks[0]], np.float64).reshape(len(rows), -1)
    columns = _columns(path, data.attrs[f"{blocks[0]}_kind"])
    if len(columns) != values.shape[1]:
        raise ValueError(f"{path}: {values.shape[1]} columns have {len(columns)} names; {_CSV}")
    return columns, np.asarray(rows["index"], np.int64), values


def _columns(path: Path, pickled: Any) -> list[tuple[str, str, str]]:
    """(individual, body part, coordinate) of each column, from a pickled list of (scorer, [individual,] part, axis)."""
    raw = bytes(pickled)
    if len(raw) > _NAMES_LIMIT:
        raise ValueError(f"{path}: its columns have names of {len(raw)} bytes; {_CSV}")
    names = restricted_load(io.BytesIO(raw), len(raw))
    if not isinstance(names, list) or not all(isinstance(name, tuple) and len(name) in (3, 4) for name in names):
        raise ValueError(f"{path}: its columns are not DeepLabCut's (scorer, bodyparts, coords); {_CSV}")
    columns = [(str(name[1]) if len(name) == 4 else "", str(name[-2]), str(name[-1])) for name in names]
    return columns
