#!/usr/bin/env python
"""Make pose stores from Human3.6M: VideoPose3D's files, or MMPose's; one for training and one for testing.

Each recording becomes one sequence per camera: 17 keypoints in metres in camera space, and 2D in px.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from converter_command import is_there
from store_pair import add_pair_options, check_pair, run_pair

from mpm_mmpose.option_parser import OptionParser

if TYPE_CHECKING:
    from mpm_mmpose.converters.h36m import Source
    from mpm_mmpose.converters.stores import Conversion

TRAIN, TEST = "S1, S5, S6, S7, S8", "S9, S11"
EPILOG = """\
examples:
  VideoPose3D's files, with the 2D of the CPN detector, or (without --keypoints-2d) projected from the 3D:
  uv run tools/dataset_converters/h36m.py data/h36m/data_3d_h36m.npz \\
      --keypoints-2d data/h36m/data_2d_h36m_cpn_ft_h36m_dbb.npz \\
      --out-train data/stores/h36m_train --out-test data/stores/h36m_test

  MMPose's files, in which the 2D is part of the annotations:
  uv run tools/dataset_converters/h36m.py data/h36m/annotation_body3d/fps50/h36m_train.npz \\
      data/h36m/annotation_body3d/fps50/h36m_test.npz \\
      --out-train data/stores/h36m_train --out-test data/stores/h36m_test

docs/data.md says where the files come from.
exit status: 0 done; 1 a file could not be read or a store not be written; 2 wrong use; 130 interrupted
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "src", nargs="+", type=Path, metavar="POS3D", help="data_3d_h36m.npz; or MMPose's h36m_train.npz, h36m_test.npz"
    )
    parser.add_argument(
        "--keypoints-2d", nargs="+", type=Path, default=[], metavar="FILE", help="2D, a file for each POS3D"
    )
    parser.add_argument("--cameras", type=Path, help="MMPose's cameras.pkl; default: the same figures, built in")
    parser.add_argument(
        "--skip",
        choices=("none", "mmpose"),
        default="none",
        help="recordings to leave out; mmpose: S9's Greeting, SittingDown and Waiting 1, as MotionBERT's tests do",
    )
    add_pair_options(parser, TRAIN, TEST)
    args = parser.parse_args(argv)
    for path in (*args.src, *args.keypoints_2d, *filter(None, [args.cameras])):
        if not is_there(parser, path):
            parser.error(f"{path}: does not exist; docs/data.md says where to get Human3.6M's files")
    if args.keypoints_2d and len(args.keypoints_2d) != len(args.src):
        parser.error(f"argument --keypoints-2d: {len(args.keypoints_2d)} files for {len(args.src)} of POS3D")
    check_pair(parser, args)
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)

    @cache  # both stores are made from the same files
    def sources() -> list[Source]:
        from mpm_mmpose.converters.h36m import open_h36m

        return open_h36m(args.src, args.keypoints_2d, args.cameras)

    def load(out: Path, which: str) -> Callable[[], Conversion]:
        from mpm_mmpose.converters.h36m import convert_h36m
        from mpm_mmpose.readers import h36m

        options = dict(skip=args.skip, skip_bad=args.skip_bad, overwrite=args.overwrite)
        return lambda: convert_h36m(sources(), out, getattr(h36m, which), **options)

    return run_pair(args, load, hint=lambda error: " --skip-bad goes on without recordings that cannot be read.")


if __name__ == "__main__":
    sys.exit(main())
