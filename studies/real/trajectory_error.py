#!/usr/bin/env python
"""How much the trajectory of lifted people shakes, and how wrong it is, by how long its depth is smoothed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mpm_mmpose.option_parser import OptionParser

NOISE = 0.03  # of the person's spread in the image, a detector's error
SMOOTHED = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)  # s
CM = 100.0


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("store", type=Path, help="pose store with 3D and 2D (tools/dataset_converters/mocap.py)")
    parser.add_argument("--model", type=Path, required=True, metavar="ONNX", help="an exported lifter")
    parser.add_argument("--every", type=int, default=5, help="take every n-th sequence; default: 5")
    parser.add_argument("--frames", type=int, default=300, help="of a sequence, at most; default: 300")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if min(args.every, args.frames) < 1:
        parser.error("give --every and --frames of 1 or more")
    return args


def measure(args: argparse.Namespace) -> dict[float, np.ndarray]:
    """By seconds of smoothing: (clips, 4) shaking of the depth and of the true one, cm a frame^2; error of the depth
    but for its mean scale, cm; share of frames whose error is within the spread.
    """
    from mpm_mmpose.data.pose_store import PoseStore
    from mpm_mmpose.lifting.steadying import steady
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.lifting.tracks import Track2D
    from mpm_mmpose.lifting.trajectory import add_trajectory
    from mpm_mmpose.runtime import OnnxModel

    store, random = PoseStore(args.store), np.random.default_rng(args.seed)
    lifter = TrackLifter(OnnxModel(args.model, threads=1), flip_test=False)
    found: dict[float, list] = {seconds: [] for seconds in SMOOTHED}
    for index in range(0, len(store.names), args.every):
        clip = store.sequence(index)
        keypoints = clip.keypoints[: args.frames].astype(np.float64)
        true = clip.keypoints_3d[: args.frames, 0, 2].astype(np.float64)
        if len(true) < 60:
            continue
        size = np.sqrt(((keypoints - keypoints.mean(1, keepdims=True)) ** 2).sum(2).mean(1))[:, None, None]
        keypoints += random.normal(0, NOISE, keypoints.shape) * size
        scores = np.ones(keypoints.shape[:2])
        times = np.arange(len(true)) / clip.fps
        shape = clip.keypoint_set, clip.width, clip.height, clip.fps, clip.intrinsics
        placed = add_trajectory(lifter.lift(Track2D("0", times, keypoints, scores, *shape)))
        for seconds, rows in found.items():
            one = steady(placed, seconds or 1e-6)
            depth = one.trajectory[:, 2].astype(np.float64)
            error = depth * true.mean() / depth.mean() - true
            shakes = [np.abs(np.diff(values, 2)).mean() * CM for values in (depth, true)]
            rows.append([*shakes, np.sqrt((error**2).mean()) * CM, (np.abs(error) < one.trajectory_spread).mean()])
    return {seconds: np.array(rows) for seconds, rows in found.items()}


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.errors import UsageError, exit_status

    def work() -> None:
        found = measure(args)
        if not len(found[0.0]):
            raise UsageError(f"{args.store}: has no sequence of 60 frames or more; give another store")
        print("| smoothed over, s | depth shakes, cm a frame^2 | the true one | error, cm | within the spread |")
        print("|---|---|---|---|---|")
        for seconds, rows in found.items():
            shakes, truly, error, within = rows.mean(0)
            print(f"| {seconds:g} | {shakes:.2f} | {truly:.2f} | {error:.1f} | {within:.0%} |")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
