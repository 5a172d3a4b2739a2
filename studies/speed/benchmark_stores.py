"""Pose stores to measure with: random poses, and as many frames as one likes without the disk for them."""

import json
from collections.abc import Iterator
from pathlib import Path

KEYPOINTS, CLIP = 17, 2000


def write_random_store(path: Path, frames: int) -> None:
    """A store of that many frames in clips of 2000, as four cameras of two sizes would give them."""
    import numpy as np

    from mpm_mmpose.data import PoseSequence, write_store

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

    from mpm_mmpose.data.store_check import remember
    from mpm_mmpose.data.store_format import FRAME_ARRAYS, TABLES, TEXTS

    write_random_store(path, 1)
    lengths = np.diff(np.append(np.arange(0, frames, CLIP), frames))
    for name, (dtype, row) in TABLES.items():
        table = lengths if name == "lengths" else np.repeat(np.load(path / f"{name}.npy"), len(lengths), 0)
        np.save(path / f"{name}.npy", table.astype(dtype).reshape(-1, *row))
    for name in ("keypoints", "keypoints_3d"):
        shape = (frames, *FRAME_ARRAYS[name](KEYPOINTS))
        np.lib.format.open_memmap(path / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
    index = json.loads((path / "store.json").read_text())
    del index["checksums"]
    texts = {text: [f"{index[text][0]}{i}" for i in range(len(lengths))] for text in TEXTS}
    (path / "store.json").write_text(json.dumps(index | texts))
    remember(path)  # all zeros, which need not be read
