#!/usr/bin/env python
"""Time and error of a lifter in ONNX Runtime at float32, float16 and int8, beside PyTorch, as a Markdown table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("config", metavar="CONFIG", help="of stage II, as configs/mpm/lift_mocap_27.py")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", nargs="?", help="default: random weights, for times alone")
    parser.add_argument("--store", type=Path, help="of which errors are told; needs a checkpoint")
    parser.add_argument("--max-windows", type=int, default=2048, help="of the store; default: %(default)s")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64], help="default: 1 64")
    parser.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    args = parser.parse_args(argv)
    for path in filter(None, (args.config, args.checkpoint)):
        if not Path(path).is_file():
            parser.error(f"no such file: {path}")
    if args.store and not args.checkpoint:
        parser.error("--store needs a CHECKPOINT: random weights have no error to speak of")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    # Imported here: PyTorch and MMPose take seconds, and --help needs none of it.
    import onnxruntime
    import torch
    from mmengine.logging import MMLogger

    from mpm_mmpose.deployment.export import build_graph
    from mpm_mmpose.errors import UsageError

    from .exported import as_table, benchmark

    MMLogger.get_instance("mpm_mmpose").setLevel("ERROR")
    try:
        graph, info = build_graph(args.config, args.checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            rows = benchmark(
                graph,
                info,
                Path(folder),
                args.store,
                max_windows=args.max_windows,
                batches=args.batches,
                rounds=args.rounds,
                threads=args.threads,
            )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    print(as_table(rows))
    print(
        f"\n{info.config}, {info.checkpoint}, {info.window} frames; {args.threads} threads of {_processor()}, load "
        f"{os.getloadavg()[0]:.0f}; torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    )
    return 0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
