#!/usr/bin/env python
"""How far what `--level` takes for up is from the true vertical, on a store of clips seen by cameras of any tilt."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("store", type=Path, help="a pose store with 2D and known cameras")
    parser.add_argument("--model", type=Path, metavar="ONNX", help="default: the model in this package")
    return parser.parse_args(argv)


def measure(store: Path, model: Path) -> dict[str, np.ndarray]:
    """Degrees (clips,) from the true vertical, by what is taken for up."""
    from mpm_mmpose.data.pose_store import PoseStore
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.lifting.tracks import Track2D
    from mpm_mmpose.lifting.trajectory import add_trajectory
    from mpm_mmpose.lifting.vertical import find_up
    from mpm_mmpose.runtime import OnnxModel

    clips = PoseStore(store)
    lifter = TrackLifter(OnnxModel(model, threads=1), flip_test=False)
    angles: dict[str, list[float]] = {"the camera": [], "people": [], "people, with a trajectory": []}
    for index in range(len(clips.names)):
        clip = clips.sequence(index)
        times, scores = np.arange(len(clip)) / clip.fps, np.ones(clip.keypoints.shape[:2])
        shape = clip.keypoint_set, clip.width, clip.height, clip.fps
        lifted = lifter.lift(Track2D("0", times, clip.keypoints.astype(np.float64), scores, *shape))
        ups = np.array([0.0, -1.0, 0.0]), find_up(lifted)[0], find_up(add_trajectory(lifted))[0]
        for found, up in zip(angles.values(), ups, strict=True):
            found.append(np.rad2deg(np.arccos(np.clip(up @ clip.rotation[:, 2], -1, 1))))
    return {name: np.array(found) for name, found in angles.items()}


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.errors import exit_status
    from mpm_mmpose.runtime.shipped import shipped_model

    def work() -> None:
        found = measure(args.store, args.model or shipped_model())
        print("| up by | median, degrees | 90 % of the clips |")
        print("|---|---:|---:|")
        for name, angles in found.items():
            print(f"| {name} | {np.median(angles):.1f} | {np.percentile(angles, 90):.1f} |")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
