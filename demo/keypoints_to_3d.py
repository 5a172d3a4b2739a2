#!/usr/bin/env python
"""2D keypoints to 3D: what a 2D detector wrote (docs/formats_read.md lists them), or a pose store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference_command import new_parser, run

from mpm_mmpose.option_parser import add_file_options

if TYPE_CHECKING:
    from mpm_mmpose.apis.sources import Recording


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = new_parser(
        __doc__,
        "uv run demo/keypoints_to_3d.py walk.json --fps 30 --width 1920 --height 1080 \\\n"
        "      --weights work_dirs/lift/epoch_40.pth --out out",
    )
    parser.add_argument("source", metavar="FILE", help="a file or folder of a 2D detector, or a pose store")
    parser.add_argument("--video", help="the one FILE was found in: to draw on, and for its rate and size")
    add_file_options(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)

    def read() -> Iterable[Recording]:
        from mpm_mmpose.apis.command_options import read_file

        return read_file(args, video=args.video, track=args.track)

    return run(args, args.source, read)


if __name__ == "__main__":
    sys.exit(main())
