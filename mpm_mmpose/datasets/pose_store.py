"""The memory-mapped store of pose sequences: every frame once, opened in milliseconds, shared by workers and ranks.

A store is a directory of the files that :mod:`mpm_mmpose.datasets.store_format` lists.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..keypoints import get_keypoint_set
from .pose_sequence import PoseSequence
from .store_format import FORMAT, FRAME_ARRAYS, TABLES, TEXTS, VERSION
from .store_writer import write_store

__all__ = ["PoseSequence", "PoseStore", "write_store"]

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
    Raises FileNotFoundError where there is no store, ValueError (file, field, fix) where it is broken or foreign.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        index = self._read_index()
        self.meta: dict = index["meta"]
        self.keypoint_set: str = index["keypoint_set"]
        for text in TEXTS:
            setattr(self, text, tuple(index[text]))
        tables = {name: np.asarray(self._map(name, dtype, row)) for name, (dtype, row) in TABLES.items()}
        self.lengths = tables["lengths"]
        self.widths, self.heights = tables["sizes"].T
        self.fps, self.intrinsics = tables["fps"], tables["intrinsics"]
        self.rotations, self.translations = tables["rotations"], tables["translations"]
        number = len(get_keypoint_set(self.keypoint_set))
        frames = {
            name: self._map(name, np.float32, row(number)) if name in index["frame_arrays"] else None
            for name, row in FRAME_ARRAYS.items()
        }
        self.keypoints, self.keypoints_3d = frames["keypoints"], frames["keypoints_3d"]
        self.keypoint_scores = frames["keypoint_scores"]
        self._check(tables, frames)
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
        try:
            index = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file}: not readable as JSON ({error}); convert the data again") from None
        if not isinstance(index, dict) or index.get("format") != FORMAT:
            raise ValueError(f"{file}: field 'format' is not {FORMAT!r}; this is no pose store, give another path")
        if index.get("version") != VERSION:
            raise ValueError(
                f"{file}: field 'version' is {index.get('version')!r}, not {VERSION}; convert the data again"
            )
        for name in ("meta", "keypoint_set", "frame_arrays", *TEXTS):
            if name not in index:
                raise ValueError(f"{file}: field {name!r} is missing; convert the data again")
        return index

    def _map(self, name: str, dtype: type, row: tuple[int, ...]) -> np.ndarray:
        file = self.path / f"{name}.npy"
        try:
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{file}: missing, truncated or not a .npy file ({error}); copy or convert the data again"
            ) from None
        if array.dtype != dtype or array.shape[1:] != row:
            raise ValueError(
                f"{file}: holds {array.dtype} rows of shape {array.shape[1:]}, not {np.dtype(dtype)} {row}; "
                "the files of this store do not belong together, convert the data again"
            )
        return array

    def _check(self, tables: dict[str, np.ndarray], frames: dict[str, np.ndarray | None]) -> None:
        rows = {f"{name}.npy": len(table) for name, table in tables.items()}
        rows |= {f"store.json, field {text!r}": len(getattr(self, text)) for text in TEXTS}
        expected = dict.fromkeys(rows, len(self))
        for name, array in frames.items():
            if array is not None:
                rows[f"{name}.npy"], expected[f"{name}.npy"] = len(array), self.num_frames
        for file, number in rows.items():
            if number != expected[file]:
                raise ValueError(
                    f"{self.path / file}: has {number} rows, lengths.npy asks for {expected[file]}; "
                    "the files of this store do not belong together, convert the data again"
                )


def _converters_of(path: Path) -> str:
    """The command that makes the store of this name, or all commands where the name says nothing."""
    for name in CONVERTERS:
        if f"{path.name}_".startswith(f"{name}_"):
            return f"tools/dataset_converters/{name}.py"
    return f"{', '.join(f'{name}.py' for name in CONVERTERS)} of tools/dataset_converters"
