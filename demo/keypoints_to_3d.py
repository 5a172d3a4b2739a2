#!/usr/bin/env python
"""2D keypoints to 3D: what MMPose, COCO results, AlphaPose, OpenPose or VideoPose3D wrote, or a pose store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from inference_command import new_parser, positive, run

if TYPE_CHECKING:
    from mpm_mmpose.apis.sources import Recording

KEYPOINT_FORMATS = ("auto", "mmpose", "coco", "alphapose", "openpose", "videopose3d")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = new_parser(
        __doc__,
        "python demo/keypoints_to_3d.py walk.json --fps 30 --width 1920 --height 1080 \\\n"
        "      --weights work_dirs/lift/epoch_40.pth --out out",
    )
    parser.add_argument("source", metavar="FILE", help="a .json or .npz file, OpenPose's folder, or a pose store")
    parser.add_argument("--width", type=positive(int), default=0, help="of the video, px; needed unless the file says")
    parser.add_argument("--height", type=positive(int), default=0, help="of the video, px; needed unless the file says")
    parser.add_argument("--keypoint-format", choices=KEYPOINT_FORMATS, default="auto", help="default: as it looks")
    parser.add_argument(
        "--keypoint-set",
        choices=("auto", "coco_17", "halpe_26", "body_25", "h36m_17"),
        default="auto",
        help="of the detector; default: by what the file says or the number of its keypoints",
    )
    parser.add_argument("--video", help="the one FILE was found in: to draw on, and for its rate and size")
    parser.add_argument("--sequence", help="of a store; default: all of them")
    parser.add_argument(
        "--ids",
        choices=("file", "mend", "ignore"),
        default="file",
        help="of people: those of FILE, these with exchanges undone, or told apart anew; default: %(default)s",
    )
    return parser.parse_args(argv)


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

    return run(args, args.source, read, {})


if __name__ == "__main__":
    sys.exit(main())
