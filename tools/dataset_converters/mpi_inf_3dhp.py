#!/usr/bin/env python
"""Make pose stores from MPI-INF-3DHP: its own files, P-STMO's or MMPose's; one for training and one for testing.

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
    from mpm_mmpose.converters.stores import Conversion
    from mpm_mmpose.readers.mpi_inf_3dhp import Source

TRAIN, TEST = "S1 to S8", "TS1 to TS6"
EPILOG = """\
examples:
  the original files, below the folder S1/Seq1/annot.mat, ..., TS6/annot_data.mat (the latter need the h5py package):
  uv run tools/dataset_converters/mpi_inf_3dhp.py data/mpi_inf_3dhp --annotation univ_annot3 \\
      --out-train data/stores/mpi_inf_3dhp_train --out-test data/stores/mpi_inf_3dhp_test

  P-STMO's files, which hold univ_annot3:
  uv run tools/dataset_converters/mpi_inf_3dhp.py data/motion3d/data_{train,test}_3dhp.npz \\
      --annotation univ_annot3 \\
      --out-train data/stores/mpi_inf_3dhp_train --out-test data/stores/mpi_inf_3dhp_test

docs/data.md says where the files come from and which annotation is for what.
exit status: 0 done; 1 a file could not be read or a store not be written; 2 wrong use; 130 interrupted
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "src", nargs="+", type=Path, metavar="SRC", help="folder of MPI-INF-3DHP, or files of one of the layouts"
    )
    parser.add_argument(
        "--annotation",
        choices=("annot3", "univ_annot3"),
        required=True,
        help="ground truth: annot3 has each person's own size, univ_annot3 one size for all (what 3DHP is tested on)",
    )
    add_pair_options(parser, TRAIN, TEST)
    args = parser.parse_args(argv)
    for path in args.src:
        if not is_there(parser, path):
            parser.error(f"{path}: does not exist; docs/data.md says where to get MPI-INF-3DHP")
    check_pair(parser, args)
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)

    @cache  # both stores are made from the same files
    def sources() -> list[Source]:
        from mpm_mmpose.converters.mpi_inf_3dhp import open_3dhp

        return open_3dhp(args.src, args.annotation)

    def load(out: Path, which: str) -> Callable[[], Conversion]:
        from mpm_mmpose.converters.mpi_inf_3dhp import convert_3dhp
        from mpm_mmpose.readers import mpi_inf_3dhp

        options = dict(skip_bad=args.skip_bad, overwrite=args.overwrite)
        return lambda: convert_3dhp(sources(), out, getattr(mpi_inf_3dhp, which), args.annotation, **options)

    def hint(error: Exception) -> str:
        return "" if "h5py" in str(error) else " --skip-bad goes on without recordings that cannot be read."

    return run_pair(args, load, hint)


if __name__ == "__main__":
    sys.exit(main())
