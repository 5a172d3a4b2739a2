#!/usr/bin/env python
"""What it gains to know the lens: lifting with the cameras of a store, and with the guess that is made without them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("store", type=Path, help="a pose store with 2D, 3D and known cameras")
    return parser.parse_args(argv)


def measure(store: Path) -> dict[str, np.ndarray]:
    """MPJPE, mm, of each clip (clips,), with and without its camera; the model in the package, one camera a clip."""
    from mpm_mmpose.data.pose_store import PoseStore
    from mpm_mmpose.evaluation.pose_error import MILLIMETRES
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.runtime import OnnxModel

    from ..inference.held_out import read_clips

    clips = PoseStore(store)
    lifter = TrackLifter(OnnxModel(threads=1))
    errors: dict[str, list[float]] = {"known": [], "guessed": []}
    for clip in read_clips(clips, len(clips)):
        tracks = clip.track, replace(clip.track, intrinsics=None)
        for found, track in zip(errors.values(), tracks, strict=True):
            poses = lifter.lift(track).keypoints_3d
            found.append(MILLIMETRES * float(np.linalg.norm(poses - clip.ground_truth, axis=-1).mean()))
    return {name: np.array(found) for name, found in errors.items()}


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.errors import exit_status

    def work() -> None:
        known, guessed = measure(args.store).values()
        more = known - guessed
        drawn = np.random.default_rng(0).choice(more, (2000, len(more))).mean(1)
        low, high = np.percentile(drawn, (2.5, 97.5))
        print(f"{len(known)} clips: lens known {known.mean():.1f} mm, guessed {guessed.mean():.1f} mm of MPJPE;")
        print(f"known minus guessed {more.mean():.1f} mm, 95 % interval over clips {low:.1f} to {high:.1f}")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
