"""Windows of pose sequences as views of memory-mapped stores; a batch is cut with one vectorised gather."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import FUNCTIONS
from mmpose.registry import DATASETS
from torch.utils.data import Dataset, get_worker_info

from ..geometry import normalize_intrinsics
from ..keypoints import get_keypoint_set
from .pose_store import PoseStore
from .recycled_memory import RecycledMemory

ARRAYS = {"2d": "keypoints", "3d": "keypoints_3d"}
MODALITIES = tuple(ARRAYS)
CACHED_FRAMES = 8000  # 2D of so many frames, 1 MB, stays in a core's cache


def window_offsets(window: int, frame_step: int = 1) -> np.ndarray:
    """Frames of a window relative to its target frame, (window,) int64: ``(i - window // 2) * frame_step``."""
    return (np.arange(window) - window // 2) * frame_step


@FUNCTIONS.register_module()
def keep_batch(batch: dict) -> dict:
    """Collate function of data sets whose ``__getitems__`` returns the batch already."""
    return batch


@DATASETS.register_module()
class PoseWindowDataset(Dataset):
    """Every ``stride``-th frame of the chosen sequences with the window around it.

    A window is ``window`` frames, ``frame_step`` apart (the papers' t_downsample), its target frame at ``window // 2``;
    frames before the first and after the last repeat these, on both sides where a clip is shorter than its window.
    (The released loader pads one side only and then returns short windows; its other windows are the same.)

    ``__getitems__(indices)`` gives a whole batch, to be collated by :func:`keep_batch`:
    keypoints (B, T, K, 2) normalised (modality '2d'); keypoints_3d (B, T, K, 3) camera space m, absolute ('3d');
    intrinsics (B, 9) normalised units, NaN where unknown; window (B,) index in this data set; sequence and action (B,)
    indices into ``metainfo['sequences']`` and ``metainfo['actions']``. ``dataset[i]`` is a batch of one.

    store: directory of a pose store, or several that are read as one. subjects, actions, sequences: names to keep, all
    by default. max_windows: keep so many windows, evenly spaced. keypoint_set: reorder to this set by keypoint name.
    metainfo: entries to add to ``.metainfo``. test_mode is kept for MMPose's tools; windows do not depend on it.
    Raises FileNotFoundError for a missing store and ValueError for a choice that leaves nothing or that is not there.
    """

    def __init__(
        self,
        store: str | Path | Sequence[str | Path],
        window: int,
        frame_step: int = 1,
        stride: int = 1,
        modalities: Sequence[str] = MODALITIES,
        subjects: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        sequences: Sequence[str] | None = None,
        max_windows: int | None = None,
        keypoint_set: str | None = None,
        metainfo: dict | None = None,
        test_mode: bool = False,
    ) -> None:
        for name, value in dict(window=window, frame_step=frame_step, stride=stride).items():
            if value < 1:
                raise ValueError(f"PoseWindowDataset: {name} is {value}; give 1 or more")
        if not modalities or set(modalities) - set(MODALITIES):
            raise ValueError(f"PoseWindowDataset: modalities is {modalities}; give one or both of {MODALITIES}")
        self.stores = [PoseStore(path) for path in ([store] if isinstance(store, str | Path) else store)]
        self.window, self.stride, self.test_mode = window, stride, test_mode
        self.modalities = tuple(modalities)
        self.memory = RecycledMemory()
        self.offsets = window_offsets(window, frame_step)
        self._choose_keypoints(keypoint_set)
        self._choose_sequences(dict(subjects=subjects, actions=actions, names=sequences))
        self._index_windows(max_windows)
        self._metainfo = self._make_metainfo() | (metainfo or {})

    def __len__(self) -> int:
        return self.num_windows

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """The windows ``indices`` as one batch; see the class."""
        indices = np.asarray(indices, dtype=np.int64)
        sequence, centres = self._targets_of(indices)
        rest = dict(
            intrinsics=self.intrinsics[sequence], window=indices, sequence=sequence, action=self.action_ids[sequence]
        )
        return self._cut(sequence, centres) | {name: torch.from_numpy(array) for name, array in rest.items()}

    @property
    def metainfo(self) -> dict:
        """keypoint_set, flip_indices (list), actions and sequences (tuples of names), dataset_name, fps; a copy."""
        return copy.deepcopy(self._metainfo)

    def frames_of(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sequence (B,) of windows ``indices`` (B,), and their frames (B, T) in that sequence's store."""
        sequence, centres = self._targets_of(indices)
        return sequence, self._frames_around(sequence, centres)

    def _targets_of(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sequence (B,) of windows ``indices`` (B,), and their target frames (B,) in that sequence's store."""
        if len(self) != self.all_windows:
            indices = indices * self.all_windows // len(self)
        sequence = np.searchsorted(self.window_ends, indices, side="right")
        inside = (indices - (self.window_ends - self.window_counts)[sequence]) * self.stride
        return sequence, inside + self.starts[sequence]

    def _frames_around(self, sequence: np.ndarray, centres: np.ndarray) -> np.ndarray:
        frames = centres[:, None] + self.offsets
        first = self.starts[sequence, None]
        np.maximum(frames, first, out=frames)
        return np.minimum(frames, first + self.lengths[sequence, None] - 1, out=frames)

    def _cut(self, sequence: np.ndarray, centres: np.ndarray) -> dict[str, torch.Tensor]:
        """Poses of the windows, few at a time: what was gathered is normalised while the processor's cache holds it."""
        memory = self.memory if get_worker_info() is None else RecycledMemory()
        shape = (len(sequence), self.window, len(self.keypoints))
        arrays = {ARRAYS[modality]: memory.empty((*shape, int(modality[0]))) for modality in self.modalities}
        few = max(1, CACHED_FRAMES // self.window)
        screen = np.empty((min(few, shape[0]), self.window * shape[2]), dtype=np.float64)
        for start in range(0, shape[0], few):
            rows = slice(start, start + few)
            owners = sequence[rows]
            frames = self._frames_around(owners, centres[rows])
            for name, poses in arrays.items():
                self._gather(name, owners, frames, poses[rows])
                if name == "keypoints":
                    self._normalize(poses[rows], owners, screen[: len(owners)])
        return {name: torch.from_numpy(poses) for name, poses in arrays.items()}

    def _gather(self, name: str, sequence: np.ndarray, frames: np.ndarray, out: np.ndarray) -> None:
        if len(self.stores) == 1 and self.order is None:
            # No frame is outside; in the mode that would raise, numpy copies everything twice.
            getattr(self.stores[0], name).take(frames, axis=0, out=out, mode="clip")
            return
        owner = self.store_ids[sequence]
        for number, store in enumerate(self.stores):
            mine = owner == number
            poses = getattr(store, name).take(frames[mine], axis=0, mode="clip")
            out[mine] = poses if self.order is None else poses[..., self.order, :]

    def _normalize(self, keypoints: np.ndarray, sequence: np.ndarray, screen: np.ndarray) -> None:
        """geometry.normalize_screen in place, one pass in long rows; ``screen`` (B, T * K) is room for the offsets."""
        screen[:] = self.screen_offsets[sequence]
        poses = torch.from_numpy(keypoints.reshape(len(keypoints), -1))
        scales = torch.from_numpy(2 / self.widths[sequence])[:, None]
        torch.addcmul(torch.from_numpy(screen.view(np.float32)), poses, scales, out=poses)

    def _choose_sequences(self, wanted: dict[str, Sequence[str] | None]) -> None:
        where = ", ".join(str(store.path) for store in self.stores)
        keep = []
        for column, names in wanted.items():
            there = np.array([text for store in self.stores for text in getattr(store, column)], dtype=object)
            if isinstance(names, str):
                raise ValueError(f"PoseWindowDataset: {column} is the text {names!r}; give a list of names")
            missing = set(names or ()) - set(there)
            if missing:
                known = ", ".join(sorted(set(there))[:20])
                raise ValueError(f"{where}: no {column} {sorted(missing)}; there are {known}")
            keep.append(np.ones(len(there), bool) if names is None else np.isin(there, list(names)))
        keep = np.flatnonzero(np.logical_and.reduce(keep))
        if not len(keep):
            raise ValueError(f"{where}: no sequence is of all of {wanted}; loosen the choice")

        def column(name: str) -> np.ndarray:
            return np.concatenate([getattr(store, name) for store in self.stores])[keep]

        self.starts, self.lengths = column("starts"), column("lengths")
        self.store_ids = np.repeat(np.arange(len(self.stores)), [len(store) for store in self.stores])[keep]
        self.fps = column("fps")
        self.names, self.actions = column("names"), column("actions")
        self.action_names, self.action_ids = np.unique(self.actions, return_inverse=True)
        if (column("widths") > 0).all():  # as it is wherever there is 2D
            self.widths = column("widths").astype(np.float32)
            heights = column("heights").astype(np.float32)
            # (S, 1): x and y in the bits of one number, which is spread over a window in half the time of two.
            self.screen_offsets = np.stack((-np.ones_like(heights), -heights / self.widths), -1).view(np.float64)
            self.intrinsics = normalize_intrinsics(column("intrinsics"), self.widths, heights)
        else:
            self.intrinsics = np.full((len(keep), 9), np.nan, dtype=np.float32)

    def _choose_keypoints(self, wanted: str | None) -> None:
        sets = {store.keypoint_set for store in self.stores}
        if len(sets) > 1:
            raise ValueError(
                f"PoseWindowDataset: the stores differ in keypoint set {sorted(sets)}; use one data set each"
            )
        theirs = get_keypoint_set(sets.pop())
        self.keypoints = theirs if wanted is None else get_keypoint_set(wanted)
        self.order = None if self.keypoints is theirs else np.array(self.keypoints.indices_in(theirs))
        for store in self.stores:
            for name in (ARRAYS[modality] for modality in self.modalities):
                if getattr(store, name) is None:
                    raise ValueError(f"{store.path}: has no {name}; leave its modality out or give another store")

    def _index_windows(self, max_windows: int | None) -> None:
        self.window_counts = -(-self.lengths // self.stride)
        self.window_ends = np.cumsum(self.window_counts)
        self.all_windows = int(self.window_ends[-1])
        if max_windows is not None and max_windows < 1:
            raise ValueError(f"PoseWindowDataset: max_windows is {max_windows}; give 1 or more, or None for all")
        self.num_windows = min(self.all_windows, max_windows or self.all_windows)

    def _make_metainfo(self) -> dict:
        rates = np.unique(self.fps)
        return dict(
            dataset_name=" + ".join(store.path.name for store in self.stores),
            keypoint_set=self.keypoints.name,
            flip_indices=list(self.keypoints.flip_indices),
            actions=tuple(map(str, self.action_names)),
            sequences=tuple(map(str, self.names)),
            fps=float(rates[0]) if len(rates) == 1 else None,
        )
