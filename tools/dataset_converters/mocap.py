#!/usr/bin/env python
"""Make a pose store from motion capture: BVH files, CMU's folders of ASF skeletons and AMC trials, NPZ files of clips.

Each clip becomes 17 Human3.6M keypoints in metres, seen by virtual cameras with Human3.6M-like lenses around it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from camera_options import add_camera_options, camera_options
from converter_command import is_there, run
from motion_options import add_motion_options, motion_options

from mpm_mmpose.option_parser import OptionParser, positive

if TYPE_CHECKING:
    from mpm_mmpose.converters.stores import Conversion

EPILOG = """\
names in the store, to choose clips by:
  BVH      subject and action: style and action of Bandai Namco file names (dataset-1_<action>_<style>_<nnn>.bvh),
           else the folder and the file
  ASF/AMC  subject: the folder; action: the trial (01_03), as the files do not say what is done; recorded at 120 Hz,
           or at 60 where CMU says so
  NPZ      subject and action (the clip's description): as the file says; docs/data.md has the layout

examples:
  uv run tools/dataset_converters/mocap.py CLIPS --out data/stores/mocap_train
  uv run tools/dataset_converters/mocap.py DIR --split DIR/splits.json train --cameras 1 --out data/stores/open_train

exit status: 0 done; 1 a file could not be read or the store not be written; 2 wrong use; 130 interrupted
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", nargs="+", type=Path, metavar="SRC", help="motion files, or folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="STORE", help="directory to write the store to")
    parser.add_argument(
        "--format", choices=("auto", "bvh", "asf_amc", "motion_npz"), default="auto", help="default: by suffix"
    )
    parser.add_argument(
        "--split",
        nargs=2,
        metavar=("FILE", "NAME"),
        help="take the files that this split of a JSON file {split: [file name without suffix, ...]} lists",
    )
    parser.add_argument(
        "--grade", nargs="+", metavar="GRADE", help="of NPZ clips take those of these grades, such as exact"
    )
    add_motion_options(parser)
    parser.add_argument("--fps", type=positive(float), help="resample to this rate; default: keep that of each file")
    parser.add_argument(
        "--piece", type=positive(float), metavar="S", help="cut clips into pieces of at most so many seconds"
    )
    parser.add_argument(
        "--detector-errors", action="store_true", help="2D with errors as detectors make them, to measure on"
    )
    parser.add_argument("--workers", type=positive(int), help="processes; default: one a core")
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without files that cannot be read, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace STORE if it is a store already")
    add_camera_options(parser)
    args = parser.parse_args(argv)
    for path in args.src:
        if not is_there(parser, path):
            parser.error(f"{path}: does not exist; give a folder or file of motion capture")
    if is_there(parser, args.out) and not args.overwrite:
        parser.error(f"{args.out}: exists already; give another --out, or --overwrite to replace it")
    args.views = camera_options(parser, args)
    args.said = motion_options(parser, args)
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    names = ("piece", "detector_errors", "format", "split", "fps", "workers", "skip_bad", "overwrite")
    options = (
        {name: getattr(args, name) for name in names}
        | dict(grades=args.grade, said=args.said, cut=args.cut_jumps)
        | args.views
    )

    def load() -> Callable[[], Conversion]:
        from mpm_mmpose.converters.stores import convert_mocap

        return lambda: convert_mocap(args.src, args.out, **options)

    return run(
        load,
        args.out,
        lambda report, seconds: (
            f"{report.store}: {report.clips} clips of {report.frames} frames seen by {args.cameras} cameras, "
            f"{len(report.skipped)} files skipped, {seconds:.1f} s ({report.frames / seconds:.0f} frames a second)"
        ),
        hint=lambda error: " --skip-bad goes on without files that cannot be read.",
    )


if __name__ == "__main__":
    sys.exit(main())
