"""Writing pose stores: streamed sequence by sequence, and all or nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from ..keypoints import get_keypoint_set
from .pose_sequence import PoseSequence
from .store_format import FORMAT, FRAME_ARRAYS, TABLES, TEXTS, VERSION


def write_store(
    path: str | Path, sequences: Iterable[PoseSequence], meta: dict | None = None, overwrite: bool = False
) -> None:
    """Write ``sequences``, one in memory at a time, to the new directory ``path``.

    Everything goes to a directory beside it that is renamed at the end, so that neither an error nor Ctrl-C leaves half
    a store, and an existing one is replaced only by a whole one. ``meta`` says what the store was made from (JSON).
    Raises FileExistsError when ``path`` exists and ``overwrite`` is False, or when it is no store; ValueError
    for no sequences, for two of one name, and for sequences that differ in keypoint set or in arrays.
    """
    path = Path(path)
    if path.exists():
        if not overwrite:
            raise FileExistsError(f"{path}: exists already; give another path or ask for it to be overwritten")
        if not (path / "store.json").is_file():
            raise FileExistsError(f"{path}: is not a pose store and will not be overwritten; give another path")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _write_files(partial, sequences, {} if meta is None else meta)
        _put_in_place(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, path: Path) -> None:
    if not path.exists():
        partial.rename(path)
        return
    old = path.with_name(f".{path.name}.old-{os.getpid()}")
    path.rename(old)
    try:
        partial.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old)


def _write_files(directory: Path, sequences: Iterable[PoseSequence], meta: dict) -> None:
    keypoint_set, streams = None, {}
    tables = {name: [] for name in TABLES}
    texts = {name: [] for name in TEXTS}
    names = set()
    try:
        for sequence in sequences:
            present = [name for name in FRAME_ARRAYS if getattr(sequence, name) is not None]
            if keypoint_set is None:
                keypoint_set = sequence.keypoint_set
                number = len(get_keypoint_set(keypoint_set))
                streams = {n: _FrameFile(directory / f"{n}.npy", FRAME_ARRAYS[n](number)) for n in present}
            if sequence.keypoint_set != keypoint_set or present != list(streams):
                raise ValueError(
                    f"sequence {sequence.name!r} has {', '.join(present)} of {sequence.keypoint_set}, those before it "
                    f"{', '.join(streams)} of {keypoint_set}; write such sequences into stores of their own"
                )
            if sequence.name in names:
                raise ValueError(f"sequence {sequence.name!r}: name occurs twice; sequences need names of their own")
            names.add(sequence.name)
            for name, stream in streams.items():
                stream.append(getattr(sequence, name))
            _append_row(tables, texts, sequence)
        if keypoint_set is None:
            raise ValueError(f"{directory.name}: there are no sequences to write; give at least one")
    finally:
        for stream in streams.values():
            stream.close()
    for name, (dtype, row) in TABLES.items():
        np.save(directory / f"{name}.npy", np.array(tables[name], dtype=dtype).reshape(-1, *row), allow_pickle=False)
    index = dict(format=FORMAT, version=VERSION, keypoint_set=keypoint_set, frame_arrays=list(streams), meta=meta)
    (directory / "store.json").write_text(json.dumps(index | texts, indent=1, ensure_ascii=False), encoding="utf-8")


def _append_row(tables: dict[str, list], texts: dict[str, list], sequence: PoseSequence) -> None:
    tables["lengths"].append(len(sequence))
    tables["sizes"].append((sequence.width, sequence.height))
    tables["fps"].append(sequence.fps)
    for name in ("intrinsics", "rotation", "translation"):
        table = name if name in TABLES else name + "s"
        value = getattr(sequence, name)
        tables[table].append(np.full(TABLES[table][1], np.nan) if value is None else value)
    for text in TEXTS:
        texts[text].append(getattr(sequence, text.removesuffix("s")))


class _FrameFile:
    """A float32 .npy file that grows by rows; the number of rows goes into its header on closing."""

    def __init__(self, path: Path, row: tuple[int, ...]) -> None:
        self.row, self.rows = row, 0
        self.file: IO[bytes] = open(path, "wb")
        self._write_header()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(rows, dtype="<f4").data)
        self.rows += len(rows)

    def close(self) -> None:
        start = self.data_start
        self.file.seek(0)
        self._write_header()
        self.file.close()
        if self.data_start != start:  # numpy leaves room in the header for the leading axis to grow
            raise RuntimeError(f"{self.file.name}: the header grew with the number of rows; use numpy 1.26 or newer")

    def _write_header(self) -> None:
        header = dict(descr="<f4", fortran_order=False, shape=(self.rows, *self.row))
        np.lib.format.write_array_header_1_0(self.file, header)
        self.data_start = self.file.tell()
