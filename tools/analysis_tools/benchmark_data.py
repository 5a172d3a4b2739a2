"""Measure how fast windows are cut from a pose store, beside a plain copy of the same bytes and beside MMPose.

A store of random poses is written to a temporary folder. One core, whole batches of 2D and 3D; the copy, the gather
and the flip take turns, so that all see the same machine, and medians of processor time are printed.
"copy" writes to memory that is there already, "new copy" to memory that the system has to give first.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

KEYPOINTS, CLIP = 17, 2000
FLOATS = KEYPOINTS * 5  # of a frame, 2D and 3D


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--window", type=int, default=243, help="frames of a window (default: 243)")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2], help="frame steps (default: 1 2)")
    parser.add_argument("--batch", type=int, default=1024, help="windows of a batch (default: 1024)")
    parser.add_argument("--rounds", type=int, default=15, help="batches to take the median of (default: 15)")
    parser.add_argument("--frames", type=int, default=400_000, help="frames of the store (default: 400000, 136 MB)")
    parser.add_argument("--large", type=int, default=3_600_000, help="frames of the store to open (default: 3600000)")
    parser.add_argument("--mmpose-frames", type=int, default=3000, help="of Human36mDataset; 0 leaves it out")
    parser.add_argument("--workers", type=int, default=4, help="processes for the memory; 0 leaves it out (default: 4)")
    args = parser.parse_args(argv)
    for name in ("window", "batch", "rounds", "frames", "large"):
        if getattr(args, name) < 1:
            parser.error(f"argument --{name}: {getattr(args, name)} is not 1 or more")
    return args


def write_random_store(path: Path, frames: int) -> None:
    """A store of that many frames in clips of 2000, as four cameras of two sizes would give them."""
    import numpy as np

    from mpm_mmpose.datasets import PoseSequence, write_store

    rng = np.random.default_rng(0)
    intrinsics = np.array([1145, 1143, 512, 515, -0.2, 0.25, 0, 0, 0], np.float32)

    def sequences() -> Iterator[PoseSequence]:
        for clip, start in enumerate(range(0, frames, CLIP)):
            length = min(CLIP, frames - start)
            yield PoseSequence(
                f"S1_Walking_{clip}.54138969",
                rng.random((length, KEYPOINTS, 3), dtype=np.float32) + np.float32(4),
                rng.random((length, KEYPOINTS, 2), dtype=np.float32) * np.float32(1000),
                intrinsics=intrinsics,
                width=1000,
                height=1000 + 2 * (clip % 2),
                fps=50,
                subject="S1",
                action="Walking",
            )

    write_store(path, sequences())


def write_empty_store(path: Path, frames: int) -> None:
    """A store of that many frames whose poses are holes in the files: nothing to wait for when it is made."""
    import numpy as np

    from mpm_mmpose.datasets.store_format import FRAME_ARRAYS, TABLES, TEXTS

    write_random_store(path, 1)
    lengths = np.diff(np.append(np.arange(0, frames, CLIP), frames))
    for name, (dtype, row) in TABLES.items():
        table = lengths if name == "lengths" else np.repeat(np.load(path / f"{name}.npy"), len(lengths), 0)
        np.save(path / f"{name}.npy", table.astype(dtype).reshape(-1, *row))
    for name in ("keypoints", "keypoints_3d"):
        shape = (frames, *FRAME_ARRAYS[name](KEYPOINTS))
        np.lib.format.open_memmap(path / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
    index = json.loads((path / "store.json").read_text())
    texts = {text: [f"{index[text][0]}{i}" for i in range(len(lengths))] for text in TEXTS}
    (path / "store.json").write_text(json.dumps(index | texts))


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

    from mpm_mmpose.datasets import PoseWindowDataset
    from mpm_mmpose.models.data_preprocessor import LiftingPreprocessor

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


def speed_of_mmpose(store: Path, window: int, frames: int, items: int = 300) -> dict[str, float]:
    """Windows a second of MMPose's Human36mDataset on the same motion, and kB of memory a frame of it."""
    import numpy as np
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import init_default_scope
    from mmpose.datasets import Human36mDataset

    from mpm_mmpose.datasets import PoseStore

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
    from mpm_mmpose.datasets import PoseStore, PoseWindowDataset

    def median(action: Callable[[], Any]) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    open_s = median(lambda: PoseStore(store))
    return dict(open_s=open_s, index_s=max(0.0, median(lambda: PoseWindowDataset(store, window)) - open_s))


def proportional_size(process: int) -> int:
    """Bytes of a process's memory, shared pages divided among those who share them (Linux)."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def memory_of_workers(store: Path, window: int, workers: int) -> dict[str, float]:
    """MB that processes take together to read a whole store, beyond what they have without it.

    Each reads every frame, in batches of 256 windows of one frame, and has a data set of ``window`` frames open.
    """
    import multiprocessing

    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(workers + 1, timeout=120)
    processes = [context.Process(target=_read_all, args=(store, window, barrier)) for _ in range(workers)]
    for process in processes:
        process.start()

    def total() -> float:
        return sum(proportional_size(process.pid) for process in processes if process.pid) / 1e6

    try:
        barrier.wait()
        before = total()
        barrier.wait()
        barrier.wait()
        after = total()
        barrier.wait()
    finally:
        for process in processes:
            process.join(10)
    size = sum(file.stat().st_size for file in store.iterdir()) / 1e6
    return dict(workers=workers, store_MB=size, taken_MB=round(after - before, 1))


def _read_all(store: Path, window: int, barrier: Any) -> None:
    import numpy as np

    from mpm_mmpose.datasets import PoseWindowDataset

    barrier.wait()  # counted without the store
    barrier.wait()
    whole, frames = PoseWindowDataset(store, window), PoseWindowDataset(store, 1)
    for start in range(0, len(frames), 256):
        frames.__getitems__(np.arange(start, min(start + 256, len(frames))))
    barrier.wait()  # counted with it
    barrier.wait()
    del whole


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that --json prints."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "store"), Path(folder, "large")
        write_random_store(small, args.frames)
        write_empty_store(large, args.large)
        found: dict[str, Any] = dict(
            window=args.window, batch=args.batch, frames=args.frames, large_frames=args.large, threads=1
        )
        if args.workers and Path("/proc/self/smaps_rollup").exists():
            found["memory"] = memory_of_workers(small, args.window, args.workers)
        found["opening"] = opening(large, args.window)
        found["speed"] = {
            f"frame_step={step}": speed(small, args.window, step, args.batch, args.rounds) for step in args.steps
        }
        if args.mmpose_frames:
            found["mmpose"] = speed_of_mmpose(small, args.window, args.mmpose_frames)
    return found


def report(found: dict[str, Any]) -> str:
    """The figures as text."""
    titles = dict(
        copy="copy", new_copy="new copy", rows="bare gather of the rows", dataset="PoseWindowDataset",
        pack="LiftingPreprocessor", flip="LiftingPreprocessor, flip",
    )  # fmt: skip
    lines = [f"windows of {found['window']} frames, batches of {found['batch']}, one core; windows/s (of the copy)"]
    lines.append(f"{'':<28}" + "".join(f"{name:>22}" for name in found["speed"]))
    for name, title in titles.items():
        cells = (f"{row[name]:,.0f} ({row[name] / row['copy']:.0%})" for row in found["speed"].values())
        lines.append(f"{title:<28}" + "".join(f"{cell:>22}" for cell in cells))
    if mmpose := found.get("mmpose"):
        cell = f"{mmpose['windows_per_s']:,.0f}"
        lines.append(f"{'MMPose, Human36mDataset':<28}{cell:>22}   {mmpose['kB_per_frame']:.0f} kB a frame")
    opened = found["opening"]
    lines.append(
        f"store of {found['large_frames']:,} frames: opened in {1e3 * opened['open_s']:.1f} ms, "
        f"windows indexed in {1e3 * opened['index_s']:.1f} ms"
    )
    if memory := found.get("memory"):
        lines.append(
            f"{memory['workers']} processes that have read a whole store of {memory['store_MB']:.0f} MB "
            f"take {memory['taken_MB']:.0f} MB together for it"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure; returns the exit status."""
    args = parse_args(argv)
    # Warnings of MMPose's configs on import are not figures.
    with contextlib.redirect_stdout(sys.stderr):
        found = measure(args)
    print(json.dumps(found, indent=2) if args.json else report(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
