#!/usr/bin/env python
"""2D keypoints to 3D: what a 2D detector wrote (docs/formats_read.md lists them), or a pose store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from inference_command import keypoint_map, new_parser, run

from mpm_mmpose.option_parser import positive

if TYPE_CHECKING:
    from mpm_mmpose.apis.sources import Recording

KEYPOINT_FORMATS = ("auto", "mmpose", "coco", "alphapose", "annotations", "frames")
KEYPOINT_FORMATS += ("openpose", "videopose3d", "array", "csv", "yolo", "deeplabcut")
KEYPOINT_SETS = ("auto", "coco_17", "halpe_26", "body_25", "body_25b", "openpose_18", "mpii_16", "posetrack_17")
KEYPOINT_SETS += ("blazepose_33", "h36m_17")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = new_parser(
        __doc__,
        "uv run demo/keypoints_to_3d.py walk.json --fps 30 --width 1920 --height 1080 \\\n"
        "      --weights work_dirs/lift/epoch_40.pth --out out",
    )
    parser.add_argument("source", metavar="FILE", help="a file or folder of a 2D detector, or a pose store")
    parser.add_argument("--width", type=positive(int), default=0, help="of the video, px; needed unless the file says")
    parser.add_argument("--height", type=positive(int), default=0, help="of the video, px; needed unless the file says")
    parser.add_argument("--keypoint-format", choices=KEYPOINT_FORMATS, default="auto", help="default: as it looks")
    parser.add_argument(
        "--keypoint-set",
        choices=KEYPOINT_SETS,
        default="auto",
        help="of the detector; default: by what the file says or the number of its keypoints",
    )
    parser.add_argument(
        "--keypoint-map",
        metavar="MAP",
        help="JSON file of our names of keypoints and those, or the numbers, of FILE, for detectors of other keypoints",
    )
    parser.add_argument("--video", help="the one FILE was found in: to draw on, and for its rate and size")
    parser.add_argument("--sequence", help="of a store; default: all of them")
    parser.add_argument(
        "--ids",
        choices=("file", "mend", "ignore"),
        default="file",
        help="of people: those of FILE, these with exchanges undone, or tracked anew; default: %(default)s",
    )
    args = parser.parse_args(argv)
    if args.keypoint_map:
        args.keypoint_set = keypoint_map(parser, args.keypoint_map, args.keypoint_set)
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)

    def read() -> Iterable[Recording]:
        from mpm_mmpose.apis.sources import read_recordings

        recordings = read_recordings(
            args.source,
            fps=args.fps,
            width=args.width,
            height=args.height,
            format=args.keypoint_format,
            keypoint_set=args.keypoint_set,
            track=args.track,
            sequence=args.sequence,
            ids=args.ids,
            video=args.video,
        )
        # The first of them now, as it says what is missing; of a store each is read when its turn comes.
        return chain([first], recordings) if (first := next(recordings, None)) else ()

    return run(args, args.source, read)


if __name__ == "__main__":
    sys.exit(main())
