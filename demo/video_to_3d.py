#!/usr/bin/env python
"""People in a video, in images or before a webcam to 3D: JSON as MMPose writes it, arrays, and a video of both."""

from __future__ import annotations

import argparse
import sys

from inference_command import new_parser, run


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = new_parser(__doc__, "python demo/video_to_3d.py walk.mp4 --weights work_dirs/lift/epoch_40.pth --out out")
    parser.add_argument(
        "source",
        metavar="VIDEO",
        help="a video, an image, a folder of images, webcam, webcam:1, ..., or a camera's address (rtsp://, http://); "
        "Ctrl-C ends these",
    )
    parser.add_argument(
        "--pose2d",
        default="rtmpose-m_8xb256-420e_body8-256x192",
        help="2D model or alias of MMPose's zoo, or a config file; default: %(default)s",
    )
    parser.add_argument("--pose2d-weights", help="default: the published ones")
    parser.add_argument(
        "--detector", help="of people, of MMDetection's zoo, a config file, or whole_image; default: MMPose's"
    )
    parser.add_argument("--detector-weights", help="default: the published ones")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    names = ("pose2d", "pose2d_weights", "detector", "detector_weights")
    return run(args, args.source, None, {name: getattr(args, name) for name in names})


if __name__ == "__main__":
    sys.exit(main())
