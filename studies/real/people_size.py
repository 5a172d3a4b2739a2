#!/usr/bin/env python
"""How large the people of stores are, as the sum of their bones: by frames, as a training sees them, and by people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.errors import exit_status
from mpm_mmpose.option_parser import OptionParser
from mpm_mmpose.pose.bones import measure_bones
from mpm_mmpose.pose.keypoints import get_keypoint_set

FRAMES = 5  # of a clip: bones of motion capture have one length


def measure(path: Path) -> tuple[dict[str, float], float]:
    """Sum of bones, m, by name of the person, and the mean over all frames."""
    store = PoseStore(path)
    keypoints = get_keypoint_set(store.keypoint_set)
    sizes = []
    for start in store.starts:
        lengths, _, _ = measure_bones(keypoints, np.asarray(store.keypoints_3d[start : start + FRAMES]))
        sizes.append(np.nansum(lengths))
    people: dict[str, list[float]] = {}
    for subject, size in zip(store.subjects, sizes, strict=True):
        people.setdefault(str(subject), []).append(float(size))
    by_frames = float(np.average(sizes, weights=store.lengths))
    return {subject: float(np.mean(of)) for subject, of in people.items()}, by_frames


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("stores", nargs="+", type=Path, help="pose stores with 3D")
    args: argparse.Namespace = parser.parse_args(argv)

    def work() -> None:
        everybody: dict[str, float] = {}
        for path in args.stores:
            people, by_frames = measure(path)
            everybody |= people
            mean = np.mean(list(people.values()))
            print(f"{path.name}: {len(people)} people, {mean:.2f} m; by frames {by_frames:.2f} m")
        print(f"all: {len(everybody)} people, {np.mean(list(everybody.values())):.2f} m")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
