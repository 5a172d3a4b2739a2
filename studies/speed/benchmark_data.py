"""Measure how fast windows are cut from a pose store, beside a plain copy of the same bytes and beside MMPose.

A store of random poses is written to a temporary folder. One core, whole batches of 2D and 3D; the copy, the gather
and the flip take turns, so that all see the same machine, and medians of processor time are printed.
"copy" writes to memory that is there already, "new copy" to memory that the system has to give first. The loader runs
by itself, with one worker process: in processor time of both processes, and on the wall clock. The last rows are of a
store on the training device, a GPU where there is one, on the wall clock.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from mpm_mmpose.option_parser import OptionParser

from .benchmark_memory import memory_of_data
from .benchmark_speed import opening, speed, speed_of_loader, speed_of_mmpose, speed_on_device
from .benchmark_stores import write_empty_store, write_random_store


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--window", type=int, default=243, help="frames of a window (default: 243)")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2], help="frame steps (default: 1 2)")
    parser.add_argument("--batch", type=int, default=1024, help="windows of a batch (default: 1024)")
    parser.add_argument("--rounds", type=int, default=15, help="batches to take the median of (default: 15)")
    parser.add_argument("--frames", type=int, default=400_000, help="frames of the store (default: 400000, 136 MB)")
    parser.add_argument("--large", type=int, default=3_600_000, help="frames of the store to open (default: 3600000)")
    parser.add_argument("--mmpose-frames", type=int, default=3000, help="of Human36mDataset; 0 leaves it out")
    parser.add_argument(
        "--workers", type=int, default=4, help="of loaders, for the memory; 0 leaves it out (default: 4)"
    )
    parser.add_argument("--ranks", type=int, default=2, help="training processes to share them out to (default: 2)")
    args = parser.parse_args(argv)
    for name in ("window", "batch", "rounds", "frames", "large", "ranks"):
        if getattr(args, name) < 1:
            parser.error(f"argument --{name}: {getattr(args, name)} is not 1 or more")
    return args


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that --json prints."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        small, large, tiny = (Path(folder, name) for name in ("store", "large", "tiny"))
        write_random_store(small, args.frames)
        write_empty_store(large, args.large)
        found: dict[str, Any] = dict(
            window=args.window, batch=args.batch, frames=args.frames, large_frames=args.large, threads=1
        )
        found["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        if args.workers and Path("/proc/self/smaps_rollup").exists():
            write_random_store(tiny, 1)
            layouts = [(1, args.workers), (args.ranks, -(-args.workers // args.ranks))]
            found["memory"] = memory_of_data(small, tiny, args.window, layouts)
        found["opening"] = opening(large, args.window)
        sizes = (args.batch, args.rounds)
        found["speed"] = {
            f"frame_step={step}": speed(small, args.window, step, *sizes)
            | speed_of_loader(small, args.window, step, *sizes)
            | speed_on_device(small, args.window, step, *sizes)
            for step in args.steps
        }
        if args.mmpose_frames:
            found["mmpose"] = speed_of_mmpose(small, args.window, args.mmpose_frames)
    return found


def report(found: dict[str, Any]) -> str:
    """The figures as text."""
    titles = dict(
        copy="copy", new_copy="new copy", rows="bare gather of the rows", dataset="PoseWindowDataset",
        pack="LiftingPreprocessor", flip="LiftingPreprocessor, flip",
        loader="loader, 1 worker", loader_wall="loader, wall clock", device="DevicePoseWindowDataset",
        device_flip="the same, lifting, flip", device_pretrain="the same, masks, flip",
    )  # fmt: skip
    lines = [
        f"windows of {found['window']} frames, batches of {found['batch']}, one core, training device "
        f"{found['device']}; windows/s (of the copy)"
    ]
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
        taken = ", ".join(f"{size:.0f} MB ({layout})" for layout, size in memory["taken_MB"].items())
        lines.append(
            f"memory of a store of {memory['store_MB']:.0f} MB, read whole by processes x workers: {taken}; "
            f"the aim is at most {memory['aim_MB']:.0f} MB"
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
