#!/usr/bin/env python
"""People in a video, in images or before a webcam to 3D: arrays, BVH, a page, and a video of 2D and 3D."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from inference_command import new_parser, run

from mpm_mmpose.errors import UsageError
from mpm_mmpose.format_names import IMAGE_FORMATS

if TYPE_CHECKING:
    from mpm_mmpose.lifting.people import PeopleDetector


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = new_parser(__doc__, "uv run demo/video_to_3d.py walk.mp4 --out out", IMAGE_FORMATS)
    parser.add_argument(
        "source",
        metavar="VIDEO",
        help="a video, an image, a folder of images, webcam, webcam:1, ..., or a camera's address (rtsp://, http://); "
        "Ctrl-C ends these",
    )
    parser.add_argument(
        "--pose2d",
        default="blazepose",
        help="what finds people and keypoints: blazepose, which needs no network, or a 2D model or alias of MMPose's "
        "zoo, as rtmpose-m_8xb256-420e_body8-256x192, or a config file; default: %(default)s",
    )
    parser.add_argument("--pose2d-weights", help="of a model of MMPose; default: the published ones")
    parser.add_argument(
        "--detector", help="of people, for it: of MMDetection's zoo, a config file, or whole_image; default: MMPose's"
    )
    parser.add_argument("--detector-weights", help="default: the published ones")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)

    def find_pose2d() -> str | PeopleDetector:
        own = (args.pose2d_weights, args.detector, args.detector_weights)
        if args.pose2d == "blazepose":
            if any(own):
                raise UsageError(
                    "pose2d 'blazepose' has its own detector and weights; give those with a 2D model of MMPose"
                )
            return args.pose2d
        from mpm_mmpose.apis.pose2d import Pose2D

        return Pose2D(args.pose2d, *own, args.device)

    return run(args, args.source, None, find_pose2d)


if __name__ == "__main__":
    sys.exit(main())
