#!/usr/bin/env python
"""Export a trained lifter for ONNX Runtime, or as a file of torch.export or TorchScript."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

# As in mpm_mmpose.deployment, whose import would take seconds.
SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2", "torchscript": ".ts"}
OUTPUTS = ("target", "sequence", "features")
PRECISIONS = ("float32", "float16", "int8", "stored_float16")
OPSET = 18


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(
        description=__doc__,
        epilog="example:\n  uv run tools/deployment/export_onnx.py epoch_40.pth --out lift.onnx\n\n"
        "docs/deployment.md says more.\nexit status: 0 done; 1 something failed; 2 wrong use; 130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="of stage II, as configs/mpm/lift_mocap_27.py; default: the model that the checkpoint says it is of",
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what a training of stage II left")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: beside the checkpoint, with another suffix")
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        default="target",
        help="pose of the target frame, poses of the whole window, or the encoder's tokens; default: %(default)s",
    )
    parser.add_argument("--format", choices=tuple(SUFFIXES), default="onnx", help="default: %(default)s")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="float16 for GPUs, int8 for CPUs, stored_float16 for half the size; docs/deployment.md has their costs; "
        "default: %(default)s",
    )
    parser.add_argument("--opset", type=int, default=OPSET, help="of ONNX; default: %(default)s")
    args = parser.parse_args(argv)
    for path in filter(None, (args.config, args.checkpoint)):
        if not Path(path).is_file():
            parser.error(f"no such file: {path}")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    out = args.out or Path(args.checkpoint).with_suffix(SUFFIXES[args.format])
    # Imported here: PyTorch and MMPose take seconds, and --help needs none of it.
    from mmengine.logging import MMLogger

    from mpm_mmpose.deployment.export import export_model
    from mpm_mmpose.errors import UsageError

    MMLogger.get_instance("mpm_mmpose").setLevel("ERROR")  # what is loaded from where is no result
    try:
        info, difference = export_model(
            args.config,
            args.checkpoint,
            out,
            output=args.output,
            format=args.format,
            precision=args.precision,
            opset=args.opset,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    unit = " of the largest feature" if info.output == "features" else " m"
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB; largest difference to PyTorch {difference:.1e}{unit}")
    for name, value in info.to_metadata().items():
        print(f"  {name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
