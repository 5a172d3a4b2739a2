"""Whole training loop of MMEngine's Runner beside the bare step of the same model on a batch at hand.

What the loop adds is the data set, its loader and the hooks. Blocks of both take turns, as machines drift: an epoch of
the loop, then as many bare steps. Motion is random, from a store on disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mpm_mmpose.option_parser import OptionParser

from .benchmark_stores import write_random_store

CONFIGS = Path(__file__).parents[2] / "configs" / "mpm"
ROWS = {"pre-training": "pretrain_h36m_amass.py", "lifting": "lift_h36m_243.py"}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32, help="windows per step (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=10, help="timed in a block (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=4, help="after one to warm up (default: %(default)s)")
    parser.add_argument("--amp", action="store_true", help="bfloat16, on a GPU")
    parser.add_argument("--compile", action="store_true", help="torch.compile backbone and decoders")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args(argv)
    for name in ("batch", "steps", "blocks"):
        if getattr(args, name) < 1:
            parser.error(f"--{name}: give 1 or more, not {getattr(args, name)}")
    return args


def measure(config: Path, store: Path, work_dir: Path, args: argparse.Namespace) -> dict[str, float]:
    """Medians over the blocks of the seconds of one step: in the loop, and bare."""
    import torch
    from mmengine.config import Config
    from mmengine.hooks import Hook
    from mmengine.runner import Runner

    def now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    class Clock(Hook):
        """Times every epoch from the end of its first step to the end of its last, then as many bare steps."""

        priority = "LOWEST"

        def __init__(self) -> None:
            self.loop: list[float] = []
            self.bare: list[float] = []

        def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict) -> None:
            if batch_idx == 0:
                self.batch, self.start = data_batch, now()
            elif batch_idx == args.steps:
                self.loop.append((now() - self.start) / args.steps)
                start = now()
                for _ in range(args.steps):
                    runner.model.train_step(dict(self.batch), runner.optim_wrapper)
                self.bare.append((now() - start) / args.steps)

    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    loader = cfg.train_dataloader
    loader.batch_size = args.batch
    for windows in (loader.dataset.get("dataset_2d"), loader.dataset.get("dataset_3d"), loader.dataset):
        if windows and "store" in windows:
            windows.update(store=str(store), max_windows=args.batch * (args.steps + 1))
    for unused in ("val", "test"):
        for part in ("dataloader", "cfg", "evaluator"):
            cfg.pop(f"{unused}_{part}", None)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=args.blocks + 1)
    cfg.work_dir, cfg.launcher, cfg.log_level = str(work_dir), "none", "ERROR"
    if args.amp:
        cfg.optim_wrapper.update(type="AmpOptimWrapper", dtype="bfloat16")
    if args.compile:
        cfg.custom_hooks = [*cfg.custom_hooks, dict(type="CompileHook")]
    print(f"{config.name}: {2 * (args.blocks + 1) * args.steps} steps of {args.batch} windows ...", file=sys.stderr)
    runner = Runner.from_cfg(cfg)
    clock = Clock()
    runner.register_hook(clock)
    runner.train()
    return dict(loop=statistics.median(clock.loop[1:]), bare=statistics.median(clock.bare[1:]))


def main() -> None:
    """Measure and print."""
    args = parse_args()
    import torch

    import mpm_mmpose.register  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        write_random_store(store, max(8000, 2 * args.batch * (args.steps + 1)))  # epochs of full length
        found: dict[str, Any] = {
            row: measure(CONFIGS / name, store, Path(folder) / row, args) for row, name in ROWS.items()
        }
    if args.json:
        print(json.dumps(found, indent=2))
        return
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"{where}; torch {torch.__version__}; batch {args.batch}; medians of {args.blocks} blocks of {args.steps}\n")
    print("| | bare step, ms | whole loop, ms | more |\n|---|---:|---:|---:|")
    for row, times in found.items():
        bare, loop = times["bare"], times["loop"]
        print(f"| {row} | {1e3 * bare:.1f} | {1e3 * loop:.1f} | {loop / bare - 1:.1%} |")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
