"""Measure how fast tracks are lifted, beside MMPose's MotionBERT and VideoPose3D, and what the blended mode costs.

Writes a section of a Markdown page, in the place of the one that is there. Nothing else should run meanwhile.
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
    parser.add_argument("store", type=Path, help="pose store, best of clips that the model was not trained on")
    parser.add_argument("--model", help="config of a trained lifter, for the error of the blended mode")
    parser.add_argument("--weights", help="its checkpoint")
    parser.add_argument("--page", type=Path, required=True, metavar="FILE.md", help="where to put the section")
    parser.add_argument("--frames", type=int, default=10_000, help="of the track (default: 10000)")
    parser.add_argument("--clips", type=int, default=40, help="for the error (default: 40)")
    parser.add_argument("--device", default="cpu", help="default: cpu")
    args = parser.parse_args(argv)
    if (args.model is None) != (args.weights is None):
        parser.error("--model and --weights go together")
    if args.frames < 500 or args.clips < 1:
        parser.error(f"--frames is {args.frames}, --clips {args.clips}; give 500 or more, and 1 or more")
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
    from .lifters import load_lifter
    from .speed_page import SpeedInputs, measure_speed, write_section

    def trained(**options: str):
        return load_lifter(args.model, args.weights, device=args.device, **options)

    command = command_of(__spec__.name, argv or sys.argv[1:])
    configs = Path(__file__).parents[2] / "configs/mpm"
    inputs = SpeedInputs(args.store, configs, args.model and trained, args.frames, args.clips, args.device)

    def work() -> None:
        section = measure_speed(inputs, command, lambda text: print(text, file=sys.stderr, flush=True))
        print(f"wrote {write_section(args.page, section)}")

    return exit_status(work, "interrupted: nothing was written")


if __name__ == "__main__":
    sys.exit(main())
