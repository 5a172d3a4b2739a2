"""The options of virtual cameras, the same for every command that projects motion capture."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mpm_mmpose.option_parser import positive

if TYPE_CHECKING:
    from mpm_mmpose.converters.virtual_camera import CameraRanges

RANGES = {
    "roll": "degrees clockwise, seen from behind the camera; default: 0 0",
    "pitch": "degrees above the middle of the clip, negative below; default: 0 0",
    "distance": "metres from the middle of the clip, more where not all of it is in view; default: 4 5.5",
    "elevation": "degrees above the horizontal from which a camera looks; default: it stands 1.4 m to 1.65 m high",
    "focal": "factor on Human3.6M's focal length; default: 1 1",
}


def add_camera_options(parser: argparse.ArgumentParser) -> None:
    """Add number, seed and ranges of the virtual cameras."""
    group = parser.add_argument_group(
        "virtual cameras", "spread evenly around the clip; ranges are drawn from evenly, for each camera of each clip"
    )
    group.add_argument("--cameras", type=positive(int), default=4, help="virtual cameras a clip; default: 4")
    group.add_argument("--seed", type=int, default=0, help="of all that is drawn for the cameras; default: 0")
    for name, text in RANGES.items():
        group.add_argument(f"--{name}", nargs=2, type=float, metavar=("LOW", "HIGH"), help=text)


def camera_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, int | CameraRanges]:
    """cameras, seed and, where the command line has some, ranges; leaves with status 2 for wrong use."""
    if args.seed < 0:
        parser.error(f"argument --seed: {args.seed} is below 0")
    options = dict(cameras=args.cameras, seed=args.seed)
    if given := {name: tuple(pair) for name in RANGES if (pair := getattr(args, name))}:
        # Takes seconds to import, which most wrong use need not wait for.
        from mpm_mmpose.converters.virtual_camera import CameraRanges

        try:
            options["ranges"] = CameraRanges(**given)
        except ValueError as error:
            parser.error(f"argument --{error}")
    return options
