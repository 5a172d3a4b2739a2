#!/usr/bin/env python
"""Train lifters, ours and MMPose's, at the same cost, test them on the same frames, and print one table.

Trainings are kept beside the table and done once; an interrupted comparison goes on where it was.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser, positive

sys.path.insert(0, str(Path(__file__).parents[1]))  # for studies, which are no part of the package

# As in studies.comparison.lifters, whose import takes seconds.
MODELS = ("mpm", "mpm_paper", "simplebaseline", "videopose", "motionbert")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", nargs=3, type=Path, required=True, metavar=("TRAIN", "VAL", "TEST"), help="pose stores"
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="default: all of them")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=positive(float), help="of processor time, of every training")
    budget.add_argument("--windows", type=positive(int), help="that every training sees")
    budget.add_argument("--steps", type=positive(int), help="of every training")
    parser.add_argument("--seeds", type=positive(int), default=3, help="default: %(default)s")
    parser.add_argument(
        "--rates",
        nargs="+",
        type=positive(float),
        default=[1.0],
        metavar="FACTOR",
        help="of each model's learning rate, of which the best on VAL is taken; default: 1",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the table, .md; .csv, .png and a folder are left beside it"
    )
    args = parser.parse_args(argv)
    if args.out.suffix != ".md":
        parser.error(f"--out: give a file that ends in .md, not {args.out}")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    warnings.filterwarnings("ignore", module="mmengine|mmcv|mmdet|mmpose|torch")
    from mpm_mmpose.errors import exit_status

    def work() -> None:
        from studies.comparison.budget import Budget
        from studies.comparison.compare import check_stores, compare, write_page

        check_stores(args.data)
        budget = Budget(args.minutes, args.windows, args.steps)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        results = compare(args.models, args.data, budget, args.seeds, args.rates, args.out.with_suffix(""))
        command = shlex.join(["uv", "run", "tools/compare.py", *(sys.argv[1:] if argv is None else argv)])
        print(write_page(results, budget, args.data, command, args.out))

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
