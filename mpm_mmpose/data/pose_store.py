"""The memory-mapped store of pose sequences: every frame once, opened in milliseconds, shared by workers and ranks.

A store is a directory of the files that :mod:`mpm_mmpose.data.store_format` lists.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..pose.keypoints import get_keypoint_set
from ..pose.pose_sequence import PoseSequence
from ..readers.files import opened
from ..readers.json_file import read_json
from ..readers.npy_header import read_header
from .store_check import StoreError, check_index, check_tables, check_values
from .store_format import FRAME_ARRAYS, TABLES, TEXTS
from .store_writer import write_store

__all__ = ["PoseSequence", "PoseStore", "write_store"]

_AGAIN = "copy or convert the data again"
# Commands tools/dataset_converters/<name>.py; the configs call their stores <name>_<split>.
CONVERTERS = ("amass", "h36m", "keypoints_2d", "mocap", "mpi_inf_3dhp")


class PoseStore:
    """Read-only view of a store written by :func:`write_store`.

    ``keypoints`` (N, K, 2) px and ``keypoints_3d`` (N, K, 3) m, camera space, are memory maps, None where the store has
    none; ``keypoint_scores`` (N, K) likewise. Sequence s is frames ``starts[s] : starts[s] + lengths[s]``. Tables a
    sequence: ``widths``, ``heights`` px, ``fps``, ``intrinsics`` (S, 9) px, ``rotations`` (S, 3, 3), ``translations``
    (S, 3) m from a world with z up, NaN where unknown; tuples of text ``names``, ``subjects``, ``actions``,
    ``cameras``, ``sources``.
    Pickling keeps only the path: each process maps the same pages of the same files.
    All of it is checked when it is opened, the values of frames once (:mod:`mpm_mmpose.data.store_check`).
    Raises FileNotFoundError where there is no store, StoreError (file, field, fix) where it is broken or foreign.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._open()
        except ValueError as error:
            raise StoreError(str(error)) from None

    def _open(self) -> None:
        index = self._read_index()
        self.meta: dict = index["meta"]
        self.keypoint_set: str = index["keypoint_set"]
        for text in TEXTS:
            setattr(self, text, tuple(index[text]))
        tables = {name: np.asarray(self._map(name, dtype, row)) for name, (dtype, row) in TABLES.items()}
        number = len(get_keypoint_set(self.keypoint_set))
        frames = {name: self._map(name, np.float32, FRAME_ARRAYS[name](number)) for name in index["frame_arrays"]}
        check_tables(self.path, index, tables, frames)
        check_values(self.path, index, tables, frames)
        self.lengths = tables["lengths"]
        self.widths, self.heights = tables["sizes"].T
        self.fps, self.intrinsics = tables["fps"], tables["intrinsics"]
        self.rotations, self.translations = tables["rotations"], tables["translations"]
        self.keypoints, self.keypoints_3d, self.keypoint_scores = map(
            frames.get, ("keypoints", "keypoints_3d", "keypoint_scores")
        )
        self.starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple:
        return type(self), (self.path,)

    def __repr__(self) -> str:
        return f"PoseStore({str(self.path)!r}: {len(self)} sequences, {self.num_frames} frames, {self.keypoint_set})"

    @property
    def num_frames(self) -> int:
        """N, frames over all sequences."""
        return int(self.lengths.sum())

    def sequence(self, index: int) -> PoseSequence:
        """Sequence ``index`` as a :class:`PoseSequence`; its frame arrays are views of the memory maps."""
        index = range(len(self))[index]
        frames = slice(self.starts[index], self.starts[index] + self.lengths[index])

        def cut(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else np.asarray(array[frames])

        def known(table: np.ndarray) -> np.ndarray | None:
            return None if np.isnan(table[index]).any() else table[index]

        return PoseSequence(
            name=self.names[index],
            keypoints_3d=cut(self.keypoints_3d),
            keypoints=cut(self.keypoints),
            keypoint_scores=cut(self.keypoint_scores),
            intrinsics=known(self.intrinsics),
            rotation=known(self.rotations),
            translation=known(self.translations),
            width=int(self.widths[index]),
            height=int(self.heights[index]),
            fps=float(self.fps[index]),
            subject=self.subjects[index],
            action=self.actions[index],
            camera=self.cameras[index],
            keypoint_set=self.keypoint_set,
            source=self.sources[index],
        )

    def _read_index(self) -> dict:
        file = self.path / "store.json"
        if not file.is_file():
            raise FileNotFoundError(
                f"{self.path}: there is no pose store here (store.json is missing); make it with "
                f"{_converters_of(self.path)} (see docs/data.md), or give the directory that such a command wrote"
            )
        index = read_json(file)
        check_index(file, index)
        return index

    def _map(self, name: str, dtype: type, row: tuple[int, ...]) -> np.ndarray:
        path = self.path / f"{name}.npy"
        try:
            with opened(path) as file:
                header, start = read_header(str(path), file, _AGAIN), file.tell()
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise ValueError(f"{path}: missing, or not to be read ({error}); {_AGAIN}") from None
        if header.dtype != dtype or header.shape[1:] != row or len(header.shape) != 1 + len(row) or header.fortran:
            raise ValueError(
                f"{path}: holds {header.dtype} rows of shape {header.shape[1:]}, not {np.dtype(dtype)} {row}; "
                f"the files of this store do not belong together, {_AGAIN}"
            )
        if header.nbytes != size - start or not header.nbytes:
            raise ValueError(
                f"{path}: says that it has {header.nbytes} bytes of numbers, {size - start} are there; truncated "
                f"or damaged, {_AGAIN}"
            )
        return np.memmap(path, header.dtype, "r", start, header.shape)


def _converters_of(path: Path) -> str:
    """The command that makes the store of this name, or all commands where the name says nothing."""
    for name in CONVERTERS:
        if f"{path.name}_".startswith(f"{name}_"):
            return f"tools/dataset_converters/{name}.py"
    return f"{', '.join(f'{name}.py' for name in CONVERTERS)} of tools/dataset_converters"
