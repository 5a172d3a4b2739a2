"""Windows of pose sequences as views of memory-mapped stores; a batch is cut with one vectorised gather."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import FUNCTIONS
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from ..pose.keypoints import KeypointSet, get_keypoint_set, remap
from .metainfo import mmpose_metainfo
from .pose_store import PoseStore
from .sequence_table import choose_sequences

ARRAYS = {"2d": "keypoints", "3d": "keypoints_3d"}
UNKNOWN = {"2d": "unknown", "3d": "unknown_3d"}
MODALITIES = tuple(ARRAYS)


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
    intrinsics (B, 9) normalised units; down (B, 3) unit vector to the ground in camera space and aspect (B,) height /
    width of the image; NaN where unknown; window (B,) index in this data set; sequence and action (B,) indices into
    ``metainfo['sequences']`` and ``metainfo['actions']``; frame (B,) target frame in the sequence. ``dataset[i]`` is a
    batch of one. Where something may be unknown, also unknown and unknown_3d (B, T, K) bool, True where the 2D or the
    3D of the keypoint is unknown: one that the store's keypoint set has not (it stands where its parent does), 2D of
    score 0, and 3D of score 0 where the store's scores are of validity (MPI-INF-3DHP's test frames).

    store: directory of a pose store, or several that are read as one. subjects, actions, sequences: names to keep, all
    by default. max_windows: keep so many windows, evenly spaced. keypoint_set: give this set, by keypoint name and
    without approximation. metainfo: entries to add to ``.metainfo``. test_mode is kept for MMPose's tools; windows do
    not depend on it.
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
        self.window, self.frame_step, self.stride, self.test_mode = window, frame_step, stride, test_mode
        self.modalities = tuple(modalities)
        self.offsets = window_offsets(window, frame_step)
        self._choose_keypoints(keypoint_set)
        self.table = choose_sequences(self.stores, dict(subjects=subjects, actions=actions, names=sequences))
        if "2d" in self.modalities:
            # geometry.normalize_screen as a factor (S,) and a summand (S, 2)
            self.screen_scales = 2 / self.table.widths
            self.screen_offsets = np.stack((-np.ones_like(self.table.aspect), -self.table.aspect), -1)
        self._index_windows(max_windows)
        self._metainfo = self._make_metainfo() | (metainfo or {})

    def __len__(self) -> int:
        return self.num_windows

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """The windows ``indices`` as one batch; see the class."""
        indices = np.asarray(indices, dtype=np.int64)
        sequence, frame = self._targets_of(indices)
        table = self.table
        columns = dict(
            intrinsics=table.intrinsics[sequence],
            down=table.down[sequence],
            aspect=table.aspect[sequence],
            window=indices,
            sequence=sequence,
            frame=frame,
            action=table.action_of(sequence, frame),
        )
        return self._cut(sequence, frame) | {name: torch.from_numpy(array) for name, array in columns.items()}

    @property
    def metainfo(self) -> dict:
        """keypoint_set, flip_indices (list), actions and sequences (tuples of names), stores, window, frame_step, fps.

        A copy. Beside these what MMPose wants to know of the keypoint set; dataset_name is MMPose's for it, as 'h36m'.
        annotation is which of MPI-INF-3DHP's two ground truths it is, None for other data.
        """
        return copy.deepcopy(self._metainfo)

    def frames_of(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sequence (B,) of windows ``indices`` (B,), and their frames (B, T) in that sequence's store."""
        sequence, frame = self._targets_of(indices)
        return sequence, self._rows_around(sequence, frame)

    def _targets_of(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sequence (B,) of windows ``indices`` (B,), and their target frames (B,) in that sequence."""
        if len(self) != self.all_windows:
            indices = indices * self.all_windows // len(self)
        sequence = np.searchsorted(self.window_ends, indices, side="right")
        return sequence, (indices - (self.window_ends - self.window_counts)[sequence]) * self.stride

    def _rows_around(self, sequence: np.ndarray, frame: np.ndarray) -> np.ndarray:
        # sequence, frame and first (B,), offsets (T,), rows (B, T).
        first = self.table.starts[sequence]
        rows = (first + frame)[:, None] + self.offsets
        np.maximum(rows, first[:, None], out=rows)
        return np.minimum(rows, (first + self.table.lengths[sequence] - 1)[:, None], out=rows)

    def _cut(self, sequence: np.ndarray, frame: np.ndarray) -> dict[str, torch.Tensor]:
        rows = self._rows_around(sequence, frame)  # (B, T)
        arrays = {ARRAYS[kind]: self._read(ARRAYS[kind], sequence, rows) for kind in self.modalities}
        if (keypoints := arrays.get("keypoints")) is not None:  # (B, T, K, 2)
            keypoints *= self.screen_scales[sequence, None, None, None]
            keypoints += self.screen_offsets[sequence, None, None]
        for name in (UNKNOWN[kind] for kind in self.modalities if self.has_unknown[kind]):
            arrays[name] = np.empty((*rows.shape, len(self.keypoints)), dtype=bool)
            self._find_unknown(name, sequence, rows, arrays[name])
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _read(self, name: str, sequence: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Frames ``rows`` (B, T) of each sequence's store, (B, T, K, 2 or 3) float32, in the keypoints asked for."""
        if len(self.stores) == 1:
            poses = _frames(self.stores[0], name, rows)
        else:
            owner = self.table.stores[sequence]
            poses = np.empty((*rows.shape, *getattr(self.stores[0], name).shape[1:]), np.float32)
            for number, store in enumerate(self.stores):
                mine = owner == number
                poses[mine] = _frames(store, name, rows[mine])
        return poses if self.order is None else poses.take(self.order, axis=2)

    def _find_unknown(self, name: str, sequence: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
        out[:] = self.never_there
        owner = self.table.stores[sequence]
        for number, store in enumerate(self.stores):
            if scores_tell(store, name):
                mine = owner == number
                unknown = store.keypoint_scores.take(rows[mine], axis=0, mode="clip") <= 0
                out[mine] |= unknown if self.order is None else unknown[..., self.order]

    def _choose_keypoints(self, wanted: str | None) -> None:
        sets = {store.keypoint_set for store in self.stores}
        if len(sets) > 1:
            raise ValueError(
                f"PoseWindowDataset: the stores differ in keypoint set {sorted(sets)}; use one data set each"
            )
        theirs = get_keypoint_set(sets.pop())
        self.keypoints = theirs if wanted is None else get_keypoint_set(wanted)
        known = remap(theirs, self.keypoints, approximate=False).available
        self.order = None if self.keypoints is theirs else _nearest_ancestors(theirs, self.keypoints)
        self.never_there = ~known
        if "3d" in self.modalities and not known[self.keypoints.root]:
            root = self.keypoints.names[self.keypoints.root]
            raise ValueError(f"PoseWindowDataset: {theirs.name} has no {root}, the root of {wanted}; use another set")
        for store in self.stores:
            for name in (ARRAYS[modality] for modality in self.modalities):
                if getattr(store, name) is None:
                    raise ValueError(f"{store.path}: has no {name}; leave its modality out or give another store")
        self.has_unknown = {
            modality: not known.all() or any(scores_tell(store, UNKNOWN[modality]) for store in self.stores)
            for modality in self.modalities
        }

    def _index_windows(self, max_windows: int | None) -> None:
        self.window_counts = -(-self.table.lengths // self.stride)
        self.window_ends = np.cumsum(self.window_counts)
        self.all_windows = int(self.window_ends[-1])
        if max_windows is not None and max_windows < 1:
            raise ValueError(f"PoseWindowDataset: max_windows is {max_windows}; give 1 or more, or None for all")
        self.num_windows = min(self.all_windows, max_windows or self.all_windows)

    def _make_metainfo(self) -> dict:
        rates = np.unique(self.table.fps)
        annotations = {store.meta.get("annotation") for store in self.stores}
        return copy.deepcopy(mmpose_metainfo(self.keypoints.name)) | dict(
            stores=" + ".join(store.path.name for store in self.stores),
            keypoint_set=self.keypoints.name,
            flip_indices=list(self.keypoints.flip_indices),
            actions=self.table.actions,
            sequences=tuple(map(str, self.table.names)),
            fps=float(rates[0]) if len(rates) == 1 else None,
            window=self.window,
            frame_step=self.frame_step,
            annotation=annotations.pop() if len(annotations) == 1 else None,
        )


def _frames(store: PoseStore, name: str, rows: np.ndarray) -> np.ndarray:
    """Frames ``rows`` (B, T) of an array (N, K, C) of a store, copied; IndexError for one that is not there."""
    return np.asarray(getattr(store, name)).take(rows, axis=0)


def scores_tell(store: PoseStore, name: str) -> bool:
    """Whether a store's score of 0 means that 2D (``unknown``) or 3D (``unknown_3d``) does not know the keypoint."""
    if store.keypoint_scores is None:
        return False
    return name == UNKNOWN["2d"] or store.meta.get("scores") == "validity"


def _nearest_ancestors(source: KeypointSet, target: KeypointSet) -> np.ndarray:
    """(K,) indices in ``source`` of the keypoints of ``target``, or of the nearest ancestor that the source has.

    A keypoint that is not there thus stands inside the body, and no projection of it leaves the image.
    """
    places = []
    for index in range(len(target)):
        while target.names[index] not in source.names and index != target.root:
            index = target.parents[index]
        name = target.names[index]
        places.append(source.index(name) if name in source.names else source.root)
    return np.array(places)
