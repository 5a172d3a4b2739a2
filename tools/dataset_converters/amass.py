#!/usr/bin/env python
"""Make a pose store from AMASS archives, SMPL-H or SMPL-X format, and the body models they were made with.

Each clip becomes 17 Human3.6M keypoints in metres, filmed by virtual cameras with Human3.6M-like lenses around it.
Needs the smplx package: pip install --no-deps smplx==0.1.28
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from converter_command import positive, run

if TYPE_CHECKING:
    from mpm_mmpose.datasets.convert import Conversion

EPILOG = """\
splits (AMASS's own; --split all also takes subsets that are in none):
  train    CMU, MPI_Limits, TotalCapture, Eyes_Japan_Dataset, KIT, BioMotionLab_NTroje, EKUT, TCD_handMocap, ACCAD
  val      HumanEva, MPI_HDM05, SFU, MPI_mosh
  test     Transitions_mocap, SSM_synced

What to download, and how it must lie: docs/data.md

example:
  python tools/dataset_converters/amass.py data/amass --body-models data/body_models --split train \\
      --out data/stores/amass_train

exit status: 0 done; 1 a file could not be read or the store not be written; 2 wrong use; 130 interrupted
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("src", nargs="+", type=Path, metavar="SRC", help="AMASS archives (.npz), or folders of them")
    parser.add_argument("--body-models", required=True, type=Path, metavar="DIR", help="holds smplh/ and/or smplx/")
    parser.add_argument("--out", required=True, type=Path, metavar="STORE", help="directory to write the store to")
    parser.add_argument("--split", choices=("train", "val", "test", "all"), default="all", help="default: all")
    parser.add_argument("--fps", type=positive(float), default=50.0, help="resample to this rate; default: 50")
    parser.add_argument("--cameras", type=positive(int), default=4, help="virtual cameras a clip; default: 4")
    parser.add_argument("--seed", type=int, default=0, help="of the cameras' places; default: 0")
    parser.add_argument(
        "--regressor",
        type=Path,
        metavar="FILE",
        help="vertices to Human3.6M keypoints, .npy (17, V); default: an approximation from the body's joints",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: the GPU if there is one"
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without files that cannot be read, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace STORE if it is a store already")
    args = parser.parse_args(argv)
    for path in args.src:
        if not path.exists():
            parser.error(f"{path}: does not exist; give a folder or file of AMASS")
    if not args.body_models.is_dir():
        parser.error(f"{args.body_models}: is no folder; give the one that holds smplh/ or smplx/ (see docs/data.md)")
    if args.seed < 0:
        parser.error(f"argument --seed: {args.seed} is below 0")
    if args.out.exists() and not args.overwrite:
        parser.error(f"{args.out}: exists already; give another --out, or --overwrite to replace it")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    names = ("fps", "cameras", "split", "seed", "regressor", "device", "skip_bad", "overwrite")
    options = {name: getattr(args, name) for name in names}

    def load() -> Callable[[], Conversion]:
        from mpm_mmpose.datasets.convert_amass import convert_amass

        return lambda: convert_amass(args.src, args.out, args.body_models, **options)

    def hint(error: Exception) -> str:
        from mpm_mmpose.datasets.readers.amass_body import BodyModelError

        return "" if isinstance(error, BodyModelError) else " --skip-bad goes on without files that cannot be read."

    return run(
        load,
        args.out,
        lambda report, seconds: (
            f"{report.store}: {report.clips} clips of {report.frames} frames seen by {args.cameras} cameras, "
            f"{len(report.skipped)} files skipped, {seconds:.1f} s ({report.frames / seconds:.0f} frames a second)"
        ),
        hint,
    )


if __name__ == "__main__":
    sys.exit(main())
