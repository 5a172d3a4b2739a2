"""Kill a small training again and again, resume it, and compare it with one that was left alone.

It trains as the configs do (dropout, flips, two processes that read data and stay, validation, the best model kept), on
noise. First it is killed once at every point where a file is half written, renamed or removed, in a step and in
validation; then at random times. Each training that came to its end has to have the files of the one left alone: the
same last and best weights, the same moments of the optimizer, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
SIZE = dict(num_frames=9, channels=16, hidden_channels=32)


class Killer:
    """Counts what a training does with its files, its steps and validations, and ends the process at one of them."""

    def __init__(self, trace: Path, at: int | None) -> None:
        self.trace, self.at, self.count = trace, at, 0

    def __call__(self, what: str) -> None:
        """Note down a point; end here if it is the one."""
        with self.trace.open("a") as file:
            file.write(f"{what}\n")
        self.count += 1
        if self.count - 1 == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Make points of all operations on files from here on; for a process of its own."""
        from mmengine.fileio import LocalBackend

        put, replace, remove = LocalBackend.put, os.replace, LocalBackend.remove

        def half(backend: LocalBackend, content: bytes, path: str) -> None:
            put(backend, content[: len(content) // 2], path)
            self(f"half of {Path(path).name.split('.')[0]}")
            put(backend, content, path)

        def renamed(source: str, target: str) -> None:
            self(f"before {Path(target).name}")
            replace(source, target)
            self(f"after {Path(target).name}")

        def removed(backend: LocalBackend, path: str) -> None:
            self(f"before the end of {Path(path).name}")
            remove(backend, path)
            self(f"after the end of {Path(path).name}")

        LocalBackend.put, os.replace, LocalBackend.remove = half, renamed, removed


def make_config(folder: Path, epochs: int, workers: int) -> object:
    """A config of few weights, and the stores that it names in `folder`."""
    import numpy as np
    from mmengine.config import Config

    from mpm_mmpose.data import PoseSequence, PoseStore, write_store

    rng = np.random.default_rng(0)
    for store, frames in (("train", 64), ("val", 24)):
        poses = (rng.normal(0, 0.3, (frames, 17, 3)) + [0, 0, 4]).astype(np.float32)
        intrinsics = np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0], np.float32)
        keypoints = 1000 * poses[..., :2] / poses[..., 2:] + 500
        clip = PoseSequence("noise", poses, keypoints, intrinsics=intrinsics, width=1000, height=1000, fps=50)
        write_store(folder / store, [clip])
        PoseStore(folder / store)  # remembers that it was checked, which is no part of the training
    cfg = Config.fromfile(str(CONFIGS / "lift_mocap_27.py"))
    loaders = dict(num_workers=workers, persistent_workers=workers > 0)
    cfg.merge_from_dict(
        dict(
            model=dict(
                data_preprocessor=dict(flip=True),
                backbone=dict(depth=1, drop=0.1, attn_drop=0.1, init_cfg=None, **SIZE),
                head=dict(strides=(3, 3), drop=0.1, attn_drop=0.1, **SIZE),
            ),
            train_dataloader=dict(batch_size=16, dataset=dict(store=str(folder / "train"), window=9), **loaders),
            val_dataloader=dict(batch_size=16, dataset=dict(store=str(folder / "val"), window=9), **loaders),
            train_cfg=dict(max_epochs=epochs),
            default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)),
        )
    )
    return cfg


def start(cfg: object, work_dir: Path, killer: Killer | None = None) -> int:
    """Begin or resume the training in a process of its own; its number."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        work_dir.mkdir(exist_ok=True)
        with (work_dir / "printed.log").open("a") as log:
            os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        _train(cfg, work_dir, killer)
        status = 0
    finally:
        if status:
            import traceback

            traceback.print_exc()
        os._exit(status)


def _train(cfg: object, work_dir: Path, killer: Killer | None) -> None:
    from mmengine.hooks import Hook
    from mmengine.runner import Runner

    class Points(Hook):
        """A step and a batch of validation are points, too."""

        def before_train_iter(self, runner: Runner, *batch: object, **more: object) -> None:
            killer(f"step {runner.iter + 1}")

        def before_val_iter(self, runner: Runner, *batch: object, **more: object) -> None:
            killer(f"validation of epoch {runner.epoch}")

    names = "model train_dataloader val_dataloader train_cfg val_cfg val_evaluator optim_wrapper param_scheduler"
    names += " default_hooks custom_hooks randomness env_cfg log_processor default_scope"
    # Without the config as a whole, whose text would be formatted anew for each checkpoint: half of the time.
    runner = Runner(
        work_dir=str(work_dir), resume=True, log_level="WARNING", **{name: cfg[name] for name in names.split()}
    )
    if killer:
        runner.register_hook(Points())
        killer.watch()
    runner.train()


def finish(pid: int, work_dir: Path) -> bool:
    """Wait for a training's end: True for done, False for killed; any other end is an error."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status:
        raise SystemExit(f"error: a resumed training failed: see {work_dir}/printed.log")
    return True


def result(work_dir: Path) -> dict[str, object]:
    """What a training left, by file: text, or weights and moments."""
    import torch

    left: dict[str, object] = dict(last_checkpoint=(work_dir / "last_checkpoint").read_text())
    for path in sorted(work_dir.glob("*.p*th")) + sorted(work_dir.glob("*.partial")):
        loaded = torch.load(path, weights_only=True) if path.suffix == ".pth" else {}
        info = loaded.get("message_hub", {}).get("runtime_info", {})
        left[path.name] = dict(
            weights=loaded.get("state_dict"), moments=loaded.get("optimizer"), best=info.get("best_score")
        )
    return left


def same(a: object, b: object) -> bool:
    """Whether two nested results are equal, bit for bit."""
    import torch

    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a == b


def kill_everywhere(cfg: object, folder: Path, every: int = 1) -> Iterator[tuple[str, bool]]:
    """Kill once at each point, or at every so-many-th; the point, and whether the resumed training ended the same."""
    alone = folder / "alone"
    finish(start(cfg, alone, Killer(folder / "all_points", None)), alone)
    points = (folder / "all_points").read_text().splitlines()
    expected = result(alone)
    for number in range(0, len(points), every):
        work_dir = folder / f"point_{number}"
        if finish(start(cfg, work_dir, Killer(folder / "again", number)), work_dir):
            raise SystemExit(f"error: the training did not come to point {number}, {points[number]}")
        finish(start(cfg, work_dir), work_dir)
        yield points[number], same(result(work_dir), expected)


def kill_at_random(cfg: object, folder: Path, kills: int, seed: int = 0) -> Iterator[tuple[int, int, int]]:
    """Kill and resume until so many kills; kills so far, trainings that came to their end, those that are the same."""
    alone, began = folder / "alone", time.monotonic()
    finish(start(cfg, alone), alone)
    seconds, expected, draw = time.monotonic() - began, result(alone), random.Random(seed)
    killed = ended = right = 0
    while killed < kills:
        work_dir, done = folder / f"random_{ended}", False
        while not done:
            pid = start(cfg, work_dir)
            if killed < kills:
                time.sleep(draw.uniform(0, seconds))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            done = finish(pid, work_dir)
            killed += not done
        ended += 1
        right += same(result(work_dir), expected)
        yield killed, ended, right


def main() -> int:
    """Both ways, and the count of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="at random times; default: %(default)s")
    parser.add_argument("--epochs", type=int, default=4, help="of the training killed at random; default: %(default)s")
    parser.add_argument("--every", type=int, default=1, help="only every so-many-th point; default: each")
    parser.add_argument("--seed", type=int, default=0, help="of the random times; default: %(default)s")
    args = parser.parse_args()
    import torch

    import mpm_mmpose.register  # noqa: F401

    gc.freeze()
    torch.set_num_threads(1)  # processes are forked, which threads do not survive
    with TemporaryDirectory(prefix="kill_training_") as name:
        folder = Path(name)
        (folder / "points").mkdir(), (folder / "random").mkdir()
        cfg = make_config(folder / "points", epochs=3, workers=0)
        wrong = []
        number = 0
        for number, (point, equal) in enumerate(kill_everywhere(cfg, folder / "points", args.every), 1):
            wrong += [] if equal else [point]
            print(f"point {number}: {point}: {'the same' if equal else 'NOT THE SAME'}", flush=True)
        print(f"{number} points, {number - len(wrong)} trainings ended the same", flush=True)
        cfg = make_config(folder / "random", epochs=args.epochs, workers=2)
        counts = kill_at_random(cfg, folder / "random", args.kills, args.seed)
        for killed, ended, right in counts:
            print(f"{killed} kills, {ended} trainings came to their end, {right} of them the same", flush=True)
    return int(bool(wrong) or right < ended)


if __name__ == "__main__":
    sys.exit(main())
