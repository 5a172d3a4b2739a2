"""Pose stores as mmpose's own lifters and pipelines take them: one dict per sample, in image pixels."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets.datasets import BaseMocapDataset
from mmpose.registry import DATASETS

from .pose_store import PoseStore
from .sequence_table import find_sequences

# Sequences of Human3.6M are called as its images are, but for the frame: S9_Waiting_1.54138969
_log = logging.getLogger("mpm_mmpose")
KEYPOINT_SET = "h36m_17"
_H36M_NAME = re.compile(r"S\d+_[^./]+\.\d+")


@DATASETS.register_module()
class PoseStoreMocapDataset(BaseMocapDataset):
    """Stands in for mmpose's Human36mDataset: the same samples for the same motion, cut from a store when asked for.

    A sample is what mmpose's pipelines and codecs expect (T frames, K = 17): keypoints (T, K, 2) px, keypoints_visible
    (T, K), the store's scores or 1; keypoints_3d (T, K, 3) camera space m; lifting_target, the target frames of it;
    target_img_path as ``S9_Waiting_1.54138969_000001.jpg``, from which mmpose's MPJPE takes the action; camera_param
    as in its ``cameras.pkl``, f, c, k, p, R, T as far as the store knows them; sequence, frame, action: where the
    target frames are from, numbers of ``metainfo['sequences']`` and ``metainfo['actions']``, with which
    `PoseErrorMetric` distinguishes sequences where ``meta_keys`` of `PackPoseInputs` name them.

    seq_len, seq_step, multiple_target, multiple_target_step, pad_video_seq and causal mean what they mean in
    Human36mDataset. The other arguments of a config (files, prefixes) give way to ``store``, a directory or several,
    and subjects, actions: names of those to keep, all by default. stride: frames from one sample's to the next one's
    target, where there is one target. max_windows: that many samples, evenly spaced, where there are more. What is left
    out because its sequence is too short for a sample is counted in a warning.
    Sequences keep the order of the store, where Human36mDataset sorts them by name.
    Raises FileNotFoundError for a missing store, ValueError for arguments that contradict each other, that leave no
    sample, or for a store without 2D, without 3D, or of other keypoints than Human3.6M's 17.
    """

    METAINFO: dict = dict(from_file="configs/_base_/datasets/h36m.py")

    def __init__(
        self,
        store: str | Path | Sequence[str | Path],
        seq_len: int = 1,
        seq_step: int = 1,
        multiple_target: int = 0,
        multiple_target_step: int = 0,
        pad_video_seq: bool = False,
        causal: bool = True,
        subjects: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        metainfo: dict | None = None,
        pipeline: Sequence[dict] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        stride: int = 1,
        max_windows: int | None = None,
    ) -> None:
        if min(seq_len, seq_step) < 1 or min(multiple_target, multiple_target_step) < 0:
            raise ValueError(f"{type(self).__name__}: seq_len and seq_step must be 1 or more, the targets 0 or more")
        if multiple_target and (seq_len, seq_step) != (1, 1):
            raise ValueError(f"{type(self).__name__}: multiple_target goes with seq_len=1 and seq_step=1, as in mmpose")
        if stride < 1 or (max_windows is not None and max_windows < 1):
            raise ValueError(f"{type(self).__name__}: stride and max_windows must be 1 or more")
        if multiple_target and stride != 1:
            raise ValueError(f"{type(self).__name__}: the stride of multiple_target is multiple_target_step")
        self.stride, self.max_windows = stride, max_windows
        self.store_paths = [store] if isinstance(store, str | Path) else list(store)
        self.seq_len, self.seq_step = seq_len, seq_step
        self.multiple_target, self.multiple_target_step = multiple_target, multiple_target_step or multiple_target
        self.pad_video_seq, self.causal = pad_video_seq, causal
        self.wanted = dict(subjects=subjects, actions=actions)
        # Not BaseMocapDataset's, which reads an annotation file and copies the frames of every window.
        BaseDataset.__init__(
            self,
            metainfo=metainfo,
            data_prefix=dict(img=""),
            serialize_data=False,
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            max_refetch=max_refetch,
        )

    def load_data_list(self) -> _Samples:
        """Samples that are cut when they are asked for."""
        samples = _Samples(self)
        names = dict(keypoint_set=KEYPOINT_SET, sequences=samples.names, actions=samples.actions)
        self._metainfo = self._metainfo | names
        return samples


class _Samples(Sequence):
    """The samples of a :class:`PoseStoreMocapDataset`; holds a few numbers per sequence and no frame."""

    def __init__(self, options: PoseStoreMocapDataset) -> None:
        self.stores = [PoseStore(path) for path in options.store_paths]
        for store in self.stores:
            missing = [name for name in ("keypoints", "keypoints_3d") if getattr(store, name) is None]
            if missing or store.keypoint_set != KEYPOINT_SET:
                lacks = ", no ".join(["", *missing])
                raise ValueError(
                    f"{store.path}: has keypoints of {store.keypoint_set}{lacks}; mmpose's lifters want 2D and 3D of "
                    "h36m_17, give a store that has them"
                )
        # Frames of a sample relative to its first target frame or start, the targets among them, and between starts.
        self.targets = [-1] if options.causal else [options.seq_len // 2]
        span, self.step = (options.seq_len - 1) * options.seq_step + 1, options.stride
        self.offsets = np.arange(options.seq_len) * options.seq_step
        if options.multiple_target:
            span, self.step = options.multiple_target, options.multiple_target_step
            self.offsets, self.targets = np.arange(span), list(range(span))
        elif options.pad_video_seq:
            self.offsets = self.offsets - self.offsets[self.targets[0]]
            span = 1
        self.sequences = find_sequences(self.stores, options.wanted)
        lengths = np.concatenate([store.lengths for store in self.stores])[self.sequences]
        self.counts = np.maximum(0, (lengths - span) // self.step + 1)
        self.ends = np.cumsum(self.counts)
        self.number = min(int(self.ends[-1]), options.max_windows or int(self.ends[-1]))
        self.names = tuple(str(name) for store in self.stores for name in store.names)
        actions = [str(action) for store in self.stores for action in store.actions]
        self.actions = tuple(sorted(set(actions)))
        self.action_ids = [self.actions.index(action) for action in actions]
        self.first_sequences = np.cumsum([0, *map(len, self.stores)])
        if not self.number:
            raise ValueError(
                f"{', '.join(map(str, options.store_paths))}: no sequence has the {span} frames of a sample, the "
                f"longest has {lengths.max()}; give a smaller seq_len or multiple_target, or pad_video_seq=True"
            )

        if (short := self.counts == 0).any():
            _log.warning(
                f"{', '.join(map(str, options.store_paths))}: {short.sum()} of {len(lengths)} sequences, "
                f"{lengths[short].sum() / lengths.sum():.0%} of the frames, are shorter than the {span} frames of a "
                "sample and are left out; give a smaller seq_len or multiple_target"
            )

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index: int) -> dict[str, Any]:
        index = range(self.number)[index] * int(self.ends[-1]) // self.number
        number = int(np.searchsorted(self.ends, index, side="right"))
        sequence = int(self.sequences[number])
        owner = int(np.searchsorted(self.first_sequences, sequence, side="right")) - 1
        store, sequence = self.stores[owner], sequence - int(self.first_sequences[owner])
        start = (index - int(self.ends[number] - self.counts[number])) * self.step
        inside = np.clip(start + self.offsets, 0, store.lengths[sequence] - 1)
        frames = store.starts[sequence] + inside
        keypoints_3d = np.asarray(store.keypoints_3d[frames])
        visible = np.ones(keypoints_3d.shape[:2], dtype=np.float32)
        scores = store.keypoint_scores
        stem = _image_stem(store, sequence)
        names = np.array([f"{stem}_{frame + 1:06d}.jpg" for frame in inside])
        return dict(
            num_keypoints=keypoints_3d.shape[1],
            keypoints=np.asarray(store.keypoints[frames]),
            keypoints_visible=visible.copy() if scores is None else np.asarray(scores[frames]),
            keypoints_3d=keypoints_3d,
            keypoints_3d_visible=visible,
            # Like Human36mDataset without a box or a file of factors: codecs compute the factors.
            scale=np.float32(0),
            center=np.zeros((1, 2), dtype=np.float32),
            factor=np.zeros(len(frames), dtype=np.float32),
            id=index,
            category_id=1,
            iscrowd=0,
            img_paths=names.tolist(),
            img_ids=frames.tolist(),
            lifting_target=keypoints_3d[self.targets],
            lifting_target_visible=visible[self.targets],
            target_img_path=names[self.targets],
            sequence=int(self.sequences[number]),
            frame=inside[self.targets],
            action=self.action_ids[int(self.sequences[number])],
            camera_param=camera_param(store, sequence),
        )


def camera_param(store: PoseStore, sequence: int) -> dict[str, Any]:
    """The camera of a sequence as in mmpose's cameras.pkl, as far as it is known.

    w, h, f (2, 1) and c (2, 1) px, k (3, 1), p (2, 1); R (3, 3) and T (3, 1) m, camera to world. There p has y first.
    """
    param = dict(w=int(store.widths[sequence]), h=int(store.heights[sequence]), id=store.cameras[sequence])
    intrinsics = store.intrinsics[sequence]
    if not np.isnan(intrinsics).any():
        fx, fy, cx, cy, k1, k2, k3, p1, p2 = intrinsics.astype(np.float64)
        param |= dict(f=_column(fx, fy), c=_column(cx, cy), k=_column(k1, k2, k3), p=_column(p2, p1))
    rotation = store.rotations[sequence].astype(np.float64)
    if not np.isnan(rotation).any():
        param |= dict(R=rotation.T, T=-rotation.T @ store.translations[sequence][:, None])
    return param


def _column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def _image_stem(store: PoseStore, sequence: int) -> str:
    """Image name without frame number: the sequence's where it is one of Human3.6M, else one from its texts."""
    name = store.names[sequence]
    if _H36M_NAME.fullmatch(name):
        return name

    def plain(text: str, otherwise: str) -> str:
        return re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-") or otherwise

    subject, action = plain(store.subjects[sequence], "S"), plain(store.actions[sequence], "all")
    return f"{subject}_{action}_{sequence}.{plain(store.cameras[sequence], 'camera')}"
