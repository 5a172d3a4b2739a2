#!/usr/bin/env python
"""Make a pose store from AMASS archives, SMPL-H or SMPL-X format, and the body models they were made with.

Each clip becomes 17 Human3.6M keypoints in metres, seen by virtual cameras with Human3.6M-like lenses around it.
Needs the smplx package: pip install --no-deps smplx==0.1.28

Or from the archive of MPM's released code, which holds 2D and 3D already: neither body models nor smplx are needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from camera_options import RANGES, add_camera_options, camera_options
from converter_command import is_there, run

from mpm_mmpose.option_parser import OptionParser, positive

if TYPE_CHECKING:
    from mpm_mmpose.converters.stores import Conversion

EPILOG = """\
splits (AMASS's own; --split all also takes subsets that are in none):
  train    CMU, MPI_Limits, TotalCapture, Eyes_Japan_Dataset, KIT, BioMotionLab_NTroje, EKUT, TCD_handMocap, ACCAD
  val      HumanEva, MPI_HDM05, SFU, MPI_mosh
  test     Transitions_mocap, SSM_synced

What to download, and how it must lie: docs/data.md

examples:
  uv run tools/dataset_converters/amass.py data/amass --body-models data/body_models --split train \\
      --out data/stores/amass_train
  uv run tools/dataset_converters/amass.py data/amass_released.npz --out data/stores/amass_train

exit status: 0 done; 1 a file could not be read or the store not be written; 2 wrong use; 130 interrupted
"""
# What only one of the formats can be told.
ARCHIVE_OPTIONS = ("body_models", "split", "cameras", "seed", *RANGES, "regressor", "device")
RELEASED_OPTIONS = ("size",)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", nargs="+", type=Path, metavar="SRC", help="AMASS archives (.npz), or folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="STORE", help="directory to write the store to")
    parser.add_argument(
        "--format",
        choices=("auto", "archives", "released"),
        default="auto",
        help="AMASS's archives, or files of the released code; default: by the fields of files, archives for folders",
    )
    parser.add_argument("--body-models", type=Path, metavar="DIR", help="holds smplh/ and/or smplx/; of archives")
    parser.add_argument("--split", choices=("train", "val", "test", "all"), default="all", help="default: all")
    parser.add_argument(
        "--fps",
        type=positive(float),
        default=50.0,
        help="resample archives to this rate; the released code's file is taken to have it; default: 50",
    )
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
        "--size",
        nargs=2,
        type=positive(int),
        default=[1000, 1000],
        metavar=("WIDTH", "HEIGHT"),
        help="px of the images that the released code's 2D, which has none, shall be of; default: 1000 1000",
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without files that cannot be read, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace STORE if it is a store already")
    add_camera_options(parser)
    args = parser.parse_args(argv)
    for path in args.src:
        if not is_there(parser, path):
            parser.error(f"{path}: does not exist; give a folder or file of AMASS")
    if is_there(parser, args.out) and not args.overwrite:
        parser.error(f"{args.out}: exists already; give another --out, or --overwrite to replace it")
    if args.body_models and not args.body_models.is_dir():
        parser.error(f"{args.body_models}: is no folder; give the one that holds smplh/ or smplx/ (see docs/data.md)")
    args.views = camera_options(parser, args)
    if args.format == "auto":
        args.format = recognise(parser, args)
    for name in RELEASED_OPTIONS if args.format == "archives" else ARCHIVE_OPTIONS:
        if getattr(args, name) != parser.get_default(name):
            option = f"--{name.replace('_', '-')}"
            parser.error(f"argument {option}: changes nothing about {args.format} (--format); leave it out")
    if args.format == "archives" and not args.body_models:
        parser.error("the following arguments are required: --body-models")
    return args


def recognise(parser: argparse.ArgumentParser, args: argparse.Namespace) -> str:
    """Format of the files named, 'archives' where they are folders or cannot be told; status 2 where both are given."""
    if not all(path.is_file() for path in args.src):
        return "archives"
    from mpm_mmpose.readers.amass_released import is_released

    def released(path: Path) -> bool:
        try:
            return is_released(path)
        except (ValueError, OSError):  # the reader says what is wrong with it
            return False

    found = {path: released(path) for path in args.src}
    if len(set(found.values())) == 2:
        first = next(path for path, is_one in found.items() if is_one)
        parser.error(f"{first}: is of the released code, others are not; convert them to stores of their own")
    return "released" if all(found.values()) else "archives"


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    released = args.format == "released"
    names = ("fps", "skip_bad", "overwrite", *(() if released else ("split", "regressor", "device")))
    options = {name: getattr(args, name) for name in names}

    def load() -> Callable[[], Conversion]:
        if released:
            from mpm_mmpose.converters.amass_released import convert_released_amass

            return lambda: convert_released_amass(args.src, args.out, size=tuple(args.size), **options)

        from mpm_mmpose.converters.amass import convert_amass

        return lambda: convert_amass(args.src, args.out, args.body_models, **options, **args.views)

    def hint(error: Exception) -> str:
        from mpm_mmpose.readers.amass_body import BodyModelError

        return "" if isinstance(error, BodyModelError) else " --skip-bad goes on without files that cannot be read."

    seen = "" if released else f" seen by {args.cameras} cameras"
    return run(
        load,
        args.out,
        lambda report, seconds: (
            f"{report.store}: {report.clips} clips of {report.frames} frames{seen}, "
            f"{len(report.skipped)} files skipped, {seconds:.1f} s ({report.frames / seconds:.0f} frames a second)"
        ),
        hint,
    )


if __name__ == "__main__":
    sys.exit(main())
