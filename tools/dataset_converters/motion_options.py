"""What people may say of motion files: unit, axis up, rate and joints, where it is not found or found wrongly."""

from __future__ import annotations

import argparse
from typing import Any

from mpm_mmpose.option_parser import positive

#: Those of mpm_mmpose.readers.world, which is imported when they are needed.
UNITS = ("m", "cm", "mm", "inch", "foot", "cmu")
UPS = ("y", "z", "x", "-y", "-z", "-x")


def add_motion_options(parser: argparse.ArgumentParser) -> None:
    """Add what the user may say of BVH files, of AMC's rate, and whether faults are cut."""
    group = parser.add_argument_group("what files do not say", "found by the size and stance of people unless given")
    group.add_argument("--unit", choices=UNITS, help="of BVH files; cmu: 1/0.45 inch")
    group.add_argument("--up", choices=UPS, help="axis of BVH files that points up; give -z as --up=-z")
    group.add_argument(
        "--source-fps", type=positive(float), help="frames a second of BVH and AMC files; default: frame time, CMU's"
    )
    group.add_argument(
        "--joint-map", metavar="MAP", help='JSON file of parts of the body and joints: {"left_hip": "Bone_12", ...}'
    )
    group.add_argument(
        "--cut-jumps", action="store_true", help="cut rest poses off the beginning, and clips where a limb jumps"
    )


def motion_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, Any]:
    """What the user said; leaves with status 2 for wrong use."""
    said = dict(unit=args.unit, up=args.up, fps=args.source_fps)
    if args.joint_map:
        from mpm_mmpose.readers.bvh_joints import read_joint_map

        try:
            said["joint_map"] = read_joint_map(args.joint_map)
        except (ValueError, OSError) as error:
            parser.error(str(error))
    return {name: value for name, value in said.items() if value is not None}
