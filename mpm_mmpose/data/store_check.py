"""What the files of a store have to be before anything is read from them.

Tables are checked at each opening. Values of frames are read once; that they were is remembered in the store's folder
by a checksum over what the system says of its files, which a copy or a changed file does not share.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_file import write_atomically
from ..limits import FARTHEST, LARGEST_IMAGE, LARGEST_SCORE, MOST_FRAMES, farthest_pixel, is_fps
from ..messages import brief
from ..pose.keypoints import get_keypoint_set
from .store_format import FORMAT, FRAME_ARRAYS, TABLES, TEXTS, VERSION

_log = logging.getLogger("mpm_mmpose")
_AGAIN = "convert the data again"
CHECKED = ".checked"
#: Rises when the values are asked for more than before.
_RULES = 1
_FRAMES = 2**14  # looked at at once


class StoreError(ValueError):
    """A store is broken, foreign, or holds what no recording has; the message says file, field and fix."""


def check_index(file: Path, index: Any) -> None:
    """ValueError (file, field, fix) unless the contents of ``store.json`` are those of a store."""
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise ValueError(f"{file}: field 'format' is not {FORMAT!r}; this is no pose store, give another path")
    if index.get("version") != VERSION:
        raise ValueError(f"{file}: field 'version' is {brief(index.get('version'))}, not {VERSION}; {_AGAIN}")
    for name in ("meta", "keypoint_set", "frame_arrays", *TEXTS):
        if name not in index:
            raise ValueError(f"{file}: field {name!r} is missing; {_AGAIN}")
    keypoint_set, arrays, sums = index["keypoint_set"], index["frame_arrays"], index.get("checksums", {})
    try:
        get_keypoint_set(keypoint_set)
    except (KeyError, TypeError):
        raise ValueError(
            f"{file}: field 'keypoint_set' is {brief(keypoint_set)}, which is not known; {_AGAIN}"
        ) from None
    if not _is_texts(arrays) or set(arrays) - set(FRAME_ARRAYS) or not {"keypoints", "keypoints_3d"} & set(arrays):
        raise ValueError(f"{file}: field 'frame_arrays' is {brief(arrays)}, no arrays of a store; {_AGAIN}")
    for text in TEXTS:
        if not _is_texts(index[text]):
            raise ValueError(f"{file}: field {text!r} is no list of texts; {_AGAIN}")
    if len(set(index["names"])) < len(index["names"]):
        raise ValueError(f"{file}: field 'names' has a name twice; {_AGAIN}")
    if not isinstance(sums, dict) or not all(isinstance(number, int) for number in sums.values()):
        raise ValueError(f"{file}: field 'checksums' is no table of numbers; {_AGAIN}")
    if not isinstance(index["meta"], dict):
        raise ValueError(f"{file}: field 'meta' is {brief(index['meta'])}, not a table; {_AGAIN}")
    _check_activities(file, index["meta"].get("activities", {}))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _check_activities(file: Path, activities: Any) -> None:
    """Of MPI-INF-3DHP's test: a sequence's name to (first frame, activity) of its stretches, in order."""

    def is_stretch(value: Any) -> bool:
        return isinstance(value, list) and len(value) == 2 and type(value[0]) is int and 0 <= value[0] < MOST_FRAMES

    def fits(stretches: Any) -> bool:
        return isinstance(stretches, list) and all(map(is_stretch, stretches))

    if not isinstance(activities, dict) or not all(map(fits, activities.values())):
        raise ValueError(f"{file}: field 'meta': 'activities' are no stretches (first frame, activity); {_AGAIN}")


def check_tables(path: Path, index: dict, tables: dict[str, np.ndarray], frames: dict[str, np.ndarray]) -> None:
    """ValueError (file, sequence, fix) unless the tables are those of recordings, and of the rows that are there."""
    lengths = tables["lengths"]
    rows = {f"{name}.npy": len(table) for name, table in tables.items()}
    rows |= {f"store.json, field {text!r}": len(index[text]) for text in TEXTS}
    _check_rows(path, rows, len(lengths))
    _check_each(path, index, "lengths", lengths, (lengths > 0) & (lengths <= MOST_FRAMES))
    _check_rows(path, {f"{name}.npy": len(array) for name, array in frames.items()}, int(lengths.sum()))
    sizes = tables["sizes"]
    least = 1 if "keypoints" in frames else 0
    _check_each(path, index, "sizes", sizes, ((sizes >= least) & (sizes <= LARGEST_IMAGE)).all(1))
    _check_each(path, index, "fps", tables["fps"], is_fps_each(tables["fps"]))
    for name, largest in (("intrinsics", 1e6), ("translations", FARTHEST), ("rotations", 1.01)):
        table = tables[name].reshape(len(lengths), -1)
        _check_each(path, index, name, table, np.isnan(table).all(1) | (np.abs(table) <= largest).all(1))
    rotations = tables["rotations"]
    turned = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max((1, 2)) < 0.01
    _check_each(path, index, "rotations", rotations, turned | np.isnan(rotations).all((1, 2)))
    check_sums(path, index, tables)


def is_fps_each(values: np.ndarray) -> np.ndarray:
    """(S,) bool of rates (S,)."""
    return np.array([is_fps(value) for value in values.tolist()])


def _check_rows(path: Path, rows: dict[str, int], expected: int) -> None:
    for file, number in rows.items():
        if number != expected:
            raise ValueError(
                f"{path / file}: has {number} rows, lengths.npy asks for {expected}; "
                f"the files of this store do not belong together, {_AGAIN}"
            )


def _check_each(path: Path, index: dict, name: str, table: np.ndarray, good: np.ndarray) -> None:
    if not good.all():
        row = int(np.argmin(good))
        value = " ".join(map("{:g}".format, np.ravel(table[row])))
        raise ValueError(f"{path / name}.npy: sequence {index['names'][row]!r} has {value}, which cannot be; {_AGAIN}")


def check_sums(path: Path, index: dict, arrays: dict[str, np.ndarray]) -> None:
    """ValueError (file, fix) where rows are not those that were written; stores of before have no checksums."""
    for name, array in arrays.items():
        said = index.get("checksums", {}).get(name)
        if said is not None and said != _sum_of(array):
            raise ValueError(f"{path / name}.npy: is not as it was written, its checksum is another; {_AGAIN}")


def _sum_of(array: np.ndarray) -> int:
    total = 0
    for rows in _parts(array):
        total = zlib.crc32(np.ascontiguousarray(rows).data, total)
    return total


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    return (array[first : first + _FRAMES] for first in range(0, len(array), _FRAMES))


def check_values(path: Path, index: dict, tables: dict[str, np.ndarray], frames: dict[str, np.ndarray]) -> None:
    """ValueError (file, sequence, frame, fix) for values that are no recording's; nothing is read where that is known.

    Where the folder may not be written to, they are read at each opening.
    """
    mark, known = path / CHECKED, fingerprint(path)
    with suppress(OSError, ValueError):
        if mark.read_text(encoding="ascii") == known:
            return
    limits = dict(
        keypoints=farthest_pixel(*tables["sizes"].max(0)), keypoints_3d=FARTHEST, keypoint_scores=LARGEST_SCORE
    )
    for name, array in frames.items():
        for number, rows in enumerate(_parts(array)):
            if not (np.min(rows) >= -limits[name] and np.max(rows) <= limits[name]):  # NaN is neither
                _refuse(path, index, tables["lengths"], name, rows, number * _FRAMES, limits[name])
    check_sums(path, index, frames)
    if "checksums" not in index:
        _log.warning(
            f"{path}: was written before stores had checksums, so its tables may be of other frames; to be sure "
            f"{_AGAIN}. This warning is given once."
        )
    if fingerprint(path) == known:
        remember(path)


def _refuse(
    path: Path, index: dict, lengths: np.ndarray, name: str, rows: np.ndarray, first: int, limit: float
) -> None:
    bad = ~(np.abs(rows) <= limit)
    row = int(np.flatnonzero(bad.reshape(len(rows), -1).any(1))[0])
    ends = np.cumsum(lengths)
    sequence = int(np.searchsorted(ends, first + row, side="right"))
    frame = first + row - int(ends[sequence] - lengths[sequence])
    value = rows[row][bad[row]].ravel()[0]
    raise ValueError(
        f"{path / name}.npy: sequence {index['names'][sequence]!r} has {value:g} in frame {frame}, where numbers up to "
        f"{limit:g} are expected; {_AGAIN}"
    )


def remember(path: Path) -> None:
    """Write beside a store's files that their values need not be read again; nothing where that cannot be written."""
    with suppress(OSError):
        write_atomically(path / CHECKED, lambda file: file.write_text(fingerprint(path), encoding="ascii"))


def fingerprint(path: Path) -> str:
    """A checksum over size, times and number of a store's files, by which the system tells them from any others."""
    said = [f"rules {_RULES}"]
    for name in ("store.json", *(f"{name}.npy" for name in (*TABLES, *FRAME_ARRAYS))):
        with suppress(OSError):
            stat = (path / name).stat()
            said.append(f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
