#!/usr/bin/env python
"""Put a trained lifter into the package: weights and an ONNX file, both stored in half precision, with checksums.

What is there under the same name is replaced. `mpm_mmpose.runtime.shipped` says which one is the default.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

FOLDER = Path(__file__).parents[2] / "mpm_mmpose/runtime/models"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what a training of stage II left")
    parser.add_argument("name", metavar="NAME", help="of the files, without suffix, as wild_27")
    parser.add_argument("--model", metavar="CONFIG", help="default: the model that the checkpoint says it is of")
    parser.add_argument(
        "--size",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="make people that much larger than the model learned: one camera does not show how large somebody is, so "
        "it is a choice; default: %(default)s",
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: in the package")
    args = parser.parse_args(argv)
    if not 0.5 <= args.size <= 2:
        parser.error(f"--size: give 0.5 to 2, not {args.size:g}")
    for path in filter(None, (args.model, args.checkpoint)):
        if not Path(path).is_file():
            parser.error(f"no such file: {path}")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    # Imported here: PyTorch and MMPose take seconds, and --help needs none of it.
    from mmengine.logging import MMLogger

    from mpm_mmpose.deployment.export import export_model
    from mpm_mmpose.deployment.publishing import write_weights
    from mpm_mmpose.errors import UsageError

    MMLogger.get_instance("mpm_mmpose").setLevel("ERROR")  # what is loaded from where is no result
    weights, exported = (args.out / f"{args.name}{suffix}" for suffix in (".pth", ".onnx"))
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        write_weights(args.model, args.checkpoint, weights, args.size)
        _, difference = export_model(None, weights, exported, output="sequence", precision="stored_float16")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in (weights, exported)]
    (args.out / f"{args.name}.sha256").write_text("\n".join(sums) + "\n", encoding="utf-8")
    for path in (weights, exported):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    print(f"largest difference of the two: {1000 * difference:.2f} mm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
