"""Memory of the data path: proportional set size of training processes and their loaders' workers (Linux)."""

import os
from pathlib import Path
from typing import Any


def proportional_size(process: int) -> int:
    """Bytes of a process's memory, shared pages divided among those who share them (Linux)."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def memory_of_data(store: Path, tiny: Path, window: int, layouts: list[tuple[int, int]]) -> dict[str, Any]:
    """MB that processes take together once they have read a whole store, beyond what they take for a tiny one.

    A layout is processes, and workers of each one's loader. Batches that are under way are no part of it: they are of
    single frames, while a data set of ``window`` frames is open.
    """
    size = sum(file.stat().st_size for file in store.iterdir()) / 1e6
    taken = {
        f"{processes} x {workers}": round(
            (_total_size(store, window, processes, workers) - _total_size(tiny, window, processes, workers)) / 1e6, 1
        )
        for processes, workers in layouts
    }
    return dict(store_MB=size, aim_MB=1.05 * size + 200, taken_MB=taken)


def _total_size(store: Path, window: int, processes: int, workers: int) -> int:
    import multiprocessing

    context = multiprocessing.get_context("fork")
    barrier, sizes = context.Barrier(processes, timeout=120), context.SimpleQueue()
    ranks = [context.Process(target=_read_all, args=(store, window, workers, barrier, sizes)) for _ in range(processes)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    if any(rank.exitcode for rank in ranks):
        raise RuntimeError(f"{store}: a process that was to read it ended with an error, see above")
    return sum(sizes.get() for _ in ranks)


def _read_all(store: Path, window: int, workers: int, barrier: Any, sizes: Any) -> None:
    import multiprocessing

    from torch.utils.data import DataLoader

    from mpm_mmpose.data import PoseWindowDataset, keep_batch

    whole = PoseWindowDataset(store, window)
    frames = PoseWindowDataset(store, 1)
    # Workers that stay, so that what they have read is still theirs when it is counted.
    loader = DataLoader(frames, 256, num_workers=workers, persistent_workers=workers > 0, collate_fn=keep_batch)
    for _ in loader:
        pass
    barrier.wait()  # all have read
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    size = sum(map(proportional_size, pids))
    barrier.wait()  # all have counted
    sizes.put(size)
    del whole
