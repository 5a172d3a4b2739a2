"""Measure what a lifter makes of one motion at 25, 30, 60 and 120 frames a second and at a variable rate.

The motion is recorded, of 120 frames a second or more, and seen by a virtual camera; see docs/inference.md.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motions", nargs="+", metavar="FILE", help="recorded motion, as .amc beside its .asf, or .bvh")
    parser.add_argument("--model", help="config of a lifter (default: the model in the package)")
    parser.add_argument("--weights", help="its checkpoint")
    parser.add_argument("--fps", type=float, help="frames a second of the model; default: as its checkpoint says")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each motion at most (default: 5)")
    args = parser.parse_args(argv)
    if missing := [motion for motion in args.motions if not Path(motion).is_file()]:
        parser.error(f"{missing[0]}: no such file of motion")
    if (args.model is None) != (args.weights is None):
        parser.error("--model and --weights go together")
    for name in ("fps", "seconds"):
        if (value := getattr(args, name)) is not None and not 0 < value < float("inf"):
            parser.error(f"argument --{name}: {value} is not above 0")
    return args


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table; returns the exit status."""
    args = parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What MMPose's dependencies say of each other is nothing about this.
    warnings.filterwarnings("ignore")
    from mpm_mmpose.errors import exit_status

    def work() -> None:
        from .lifters import load_lifter
        from .machine import describe_machine
        from .rates import describe_rates, measure_rates, read_sequences

        sequences = read_sequences(args.motions, args.seconds)
        lifter = load_lifter(args.model, args.weights, fps=args.fps)
        print(describe_rates(measure_rates(sequences, lifter)))
        rate = f"model of {lifter.rate(0):g} frames a second"
        print(f"\n{len(sequences)} motions, {rate}. {describe_machine()}")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
