"""Measure inference on held-out clips: masks for unsure keypoints, spread, look-ahead and filters.

The clips are those of a store with 3D. What a detector would make of them is imitated: noise, and keypoints, frames or
half of the body masked again and again.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

STUDIES = ("unsure", "calibration", "look_ahead", "filters")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="pose store of clips that the model was not trained on")
    parser.add_argument("--model", help="config of a lifter with mask tokens (default: the model in the package)")
    parser.add_argument("--weights", help="its checkpoint")
    parser.add_argument("--plain-model", help="config of a lifter trained without masks, for one more row")
    parser.add_argument("--plain-weights", help="its checkpoint")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.md", help="page to write")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of the pictures (default: images beside FILE)"
    )
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=STUDIES, help="default: all")
    parser.add_argument("--clips", type=int, default=40, help="spread over the store (default: 40)")
    parser.add_argument("--frames", type=int, default=150, help="of each clip at most (default: 150)")
    parser.add_argument("--maskings", type=int, default=8, help="for the spread (default: 8)")
    args = parser.parse_args(argv)
    for prefix in ("", "plain-"):
        model, weights = (getattr(args, f"{prefix}{name}".replace("-", "_")) for name in ("model", "weights"))
        if (model is None) != (weights is None):
            parser.error(f"--{prefix}model and --{prefix}weights go together")
    for name in ("clips", "frames", "maskings"):
        if getattr(args, name) < 1:
            parser.error(f"argument --{name}: {getattr(args, name)} is not 1 or more")
    return args


def main(argv: list[str] | None = None) -> int:
    """Measure and write; returns the exit status."""
    args = parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What MMPose's dependencies say of each other is nothing about this.
    warnings.filterwarnings("ignore")
    import mpm_mmpose.register  # noqa: F401
    from mpm_mmpose.errors import exit_status

    from ..command import command_of
    from .page import Inputs, write_page

    command = command_of(__spec__.name, argv or sys.argv[1:])
    inputs = Inputs(**{name: value for name, value in vars(args).items() if name not in ("out", "images")})

    def work() -> None:
        for path in write_page(args.out, args.images or args.out.parent / "images", inputs, command):
            print(f"wrote {path}")

    return exit_status(work, "interrupted: nothing of the page was written")


if __name__ == "__main__":
    sys.exit(main())
