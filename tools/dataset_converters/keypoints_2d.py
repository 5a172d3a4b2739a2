#!/usr/bin/env python
"""Make a pose store without 3D from what 2D detectors wrote: docs/formats_read.md lists them.

Each person becomes a sequence of 17 Human3.6M keypoints in px with scores; where somebody is out of sight, a new one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from converter_command import is_there, run

from mpm_mmpose.format_names import KEYPOINT_FORMATS
from mpm_mmpose.option_parser import OptionParser, add_detector_keypoints, add_image_size, positive

if TYPE_CHECKING:
    from mpm_mmpose.converters.keypoints_2d import KeypointConversion

EPILOG = """\
example:
  uv run tools/dataset_converters/keypoints_2d.py results_video.json --width 1920 --height 1080 --fps 30 \\
      --out data/stores/keypoints_2d_train

docs/data.md says what the formats are and how people are followed.
exit status: 0 done; 1 a file could not be read or the store not be written; 2 wrong use; 130 interrupted
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "src", nargs="+", type=Path, metavar="SRC", help="files and folders of 2D detectors, or folders of these"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="STORE", help="directory to write the store to")
    parser.add_argument("--fps", required=True, type=positive(float), help="frames a second of the frames in the files")
    add_image_size(parser)
    parser.add_argument(
        "--format", choices=("auto", *KEYPOINT_FORMATS), default="auto", help="default: what the contents look like"
    )
    add_detector_keypoints(parser)
    parser.add_argument(
        "--min-frames", type=positive(int), default=10, help="leave out shorter stretches of a person; default: 10"
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without files that cannot be read, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace STORE if it is a store already")
    args = parser.parse_args(argv)
    for path in args.src:
        if not is_there(parser, path):
            parser.error(f"{path}: does not exist; give what a 2D detector wrote, or a folder of it")
    if bool(args.width) != bool(args.height):
        parser.error("give --width and --height, or neither")
    if is_there(parser, args.out) and not args.overwrite:
        parser.error(f"{args.out}: exists already; give another --out, or --overwrite to replace it")
    if args.keypoint_map:
        from mpm_mmpose.errors import UsageError
        from mpm_mmpose.readers.keypoint_choice import set_or_map

        try:
            args.keypoint_set = set_or_map(args.keypoint_set, args.keypoint_map)
        except UsageError as error:
            parser.error(str(error))
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    names = ("fps", "width", "height", "format", "keypoint_set", "min_frames", "skip_bad", "overwrite")
    options = {name: getattr(args, name) for name in names}

    def load() -> Callable[[], KeypointConversion]:
        from mpm_mmpose.converters.keypoints_2d import convert_keypoints_2d

        return lambda: convert_keypoints_2d(args.src, args.out, **options)

    return run(
        load,
        args.out,
        lambda report, seconds: (
            f"{report.store}: {report.clips} sequences of {report.frames} frames, {report.too_short} shorter than "
            f"{args.min_frames} left out, {len(report.skipped)} files skipped, {seconds:.1f} s"
        ),
        hint=lambda error: " --skip-bad goes on without files that cannot be read.",
    )


if __name__ == "__main__":
    sys.exit(main())
