"""Speed of the data path, each part measured as it takes turns with the others."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .benchmark_memory import proportional_size
from .benchmark_stores import CLIP, KEYPOINTS

FLOATS = KEYPOINTS * 5  # of a frame, 2D and 3D


def seconds(action: Callable[[], Any]) -> float:
    """Processor time of one call, which others on the machine disturb little; what it returns is gone afterwards."""
    start = time.process_time()
    result = action()
    end = time.process_time()
    del result
    return end - start


def speed(store: Path, window: int, step: int, batch: int, rounds: int) -> dict[str, float]:
    """Windows a second of copy, new copy, rows (a bare gather into memory that is there), dataset and flip."""
    import numpy as np

    from mpm_mmpose.data import PoseWindowDataset
    from mpm_mmpose.models import LiftingPreprocessor

    dataset = PoseWindowDataset(store, window, step)
    plain, flipping = LiftingPreprocessor(flip=False), LiftingPreprocessor(flip=True)
    rng = np.random.default_rng(0)
    # Every page that will be read is in memory; what is measured is not the disk.
    for array in (dataset.stores[0].keypoints, dataset.stores[0].keypoints_3d):
        array.sum()
    source = np.ones(batch * window * FLOATS, np.float32)
    target = np.ones_like(source)
    parts = np.split(target, [batch * window * KEYPOINTS * 2])
    outs = [part.reshape(batch, window, KEYPOINTS, -1) for part in parts]
    times: dict[str, list[float]] = {name: [] for name in ("copy", "new_copy", "rows", "dataset", "pack", "flip")}
    for number in range(rounds + 2):
        chosen = rng.integers(0, len(dataset), batch)
        _, frames = dataset.frames_of(chosen)

        def rows(frames: Any = frames) -> None:
            for name, out in zip(("keypoints", "keypoints_3d"), outs, strict=True):
                getattr(dataset.stores[0], name).take(frames, axis=0, out=out, mode="clip")

        cut = dataset.__getitems__(chosen)
        cut = {name: value.clone() if name.startswith("keypoints") else value for name, value in cut.items()}
        found = dict(
            copy=seconds(lambda: np.copyto(target, source)),
            rows=seconds(rows),
            dataset=seconds(lambda chosen=chosen: dataset.__getitems__(chosen)),
            new_copy=seconds(source.copy),
            pack=seconds(lambda cut=cut: plain(dict(cut), training=True)),
            flip=seconds(lambda cut=cut: flipping(dict(cut), training=True)),
        )
        if number >= 2:  # the first ones warm up
            for name, value in found.items():
                times[name].append(value)
    return {name: batch / statistics.median(values) for name, values in times.items()}


def speed_of_loader(store: Path, window: int, step: int, batch: int, rounds: int) -> dict[str, float]:
    """Windows a second that a loader with one worker hands over: of both processes' time, and on the wall clock."""
    import numpy as np
    from torch.utils.data import DataLoader

    from mpm_mmpose.data import PoseWindowDataset

    dataset = PoseWindowDataset(store, window, step)
    chosen = np.random.default_rng(0).integers(0, len(dataset), batch * rounds).tolist()
    loader = DataLoader(dataset, batch, sampler=chosen, num_workers=1, persistent_workers=True, collate_fn=_with_clock)

    def epoch() -> float:
        for loaded in loader:
            clock = float(loaded["clock"])
        return clock

    begun = epoch()  # the worker starts
    processor, wall = time.process_time(), time.perf_counter()
    worker = epoch() - begun
    wall = time.perf_counter() - wall
    processor = time.process_time() - processor + worker
    return dict(loader=len(chosen) / processor, loader_wall=len(chosen) / wall)


def speed_on_device(store: Path, window: int, step: int, batch: int, rounds: int) -> dict[str, float]:
    """Windows a second, on the wall clock, of a store kept on the training device: cut, flipped and masked there."""
    import numpy as np
    import torch

    from mpm_mmpose.data import DevicePoseWindowDataset
    from mpm_mmpose.models import LiftingPreprocessor, PretrainPreprocessor

    dataset = DevicePoseWindowDataset(store, window, step)
    masked, flipping = PretrainPreprocessor(flip=True), LiftingPreprocessor(flip=True)
    for preprocessor in (masked, flipping):
        preprocessor.to(dataset.training_device)
    rng = np.random.default_rng(0)

    def elapsed(action: Callable[[], Any]) -> float:
        start = time.perf_counter()
        result = action()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        end = time.perf_counter()
        del result
        return end - start

    times: dict[str, list[float]] = dict(device=[], device_flip=[], device_pretrain=[])
    for number in range(rounds + 2):
        chosen = rng.integers(0, len(dataset), batch)
        found = dict(
            device=elapsed(lambda chosen=chosen: dataset.__getitems__(chosen)),
            device_flip=elapsed(lambda chosen=chosen: flipping(dataset.__getitems__(chosen), training=True)),
            device_pretrain=elapsed(lambda chosen=chosen: masked(dataset.__getitems__(chosen), training=True)),
        )
        if number >= 2:
            for name, value in found.items():
                times[name].append(value)
    return {name: batch / statistics.median(values) for name, values in times.items()}


def _with_clock(batch: dict) -> dict:
    import torch

    # What the worker has used of the processor by now; sending a batch counts with the next one.
    return batch | dict(clock=torch.tensor(time.process_time(), dtype=torch.float64))


def speed_of_mmpose(store: Path, window: int, frames: int, items: int = 300) -> dict[str, float]:
    """Windows a second of MMPose's Human36mDataset on the same motion, and kB of memory a frame of it."""
    import numpy as np
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import init_default_scope
    from mmpose.datasets import Human36mDataset

    from mpm_mmpose.data import PoseStore

    init_default_scope("mmpose")
    opened = PoseStore(store)
    frames = min(frames, opened.num_frames)
    ones = np.ones((frames, KEYPOINTS, 1), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder, "h36m.npz"),
            imgname=np.array([f"S1_Walking_{i // CLIP}.54138969_{i % CLIP + 1:06d}.jpg" for i in range(frames)]),
            part=np.concatenate((opened.keypoints[:frames], ones), -1),
            S=np.concatenate((opened.keypoints_3d[:frames], ones), -1),
        )
        before = proportional_size(os.getpid())
        dataset = Human36mDataset(
            data_root=folder, ann_file="h36m.npz", seq_len=window, causal=False, pad_video_seq=True
        )
        memory = proportional_size(os.getpid()) - before
    chosen = np.random.default_rng(0).integers(0, len(dataset), items).tolist()
    elapsed = seconds(lambda: pseudo_collate([dataset[index] for index in chosen]))
    return dict(windows_per_s=items / elapsed, kB_per_frame=memory / 1e3 / frames)


def opening(store: Path, window: int) -> dict[str, float]:
    """Seconds, on the wall clock, to open a store and to build the index of its windows."""
    from mpm_mmpose.data import PoseStore, PoseWindowDataset

    def median(action: Callable[[], Any]) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    open_s = median(lambda: PoseStore(store))
    return dict(open_s=open_s, index_s=max(0.0, median(lambda: PoseWindowDataset(store, window)) - open_s))
