#!/usr/bin/env python
"""Learn what people look like in 2D, and measure from which misfit on keypoints, or the 3D made of them, are wrong.

--train and --val are pose stores with 3D (tools/dataset_converters/mocap.py). What is learnt of the first goes into the
package (mpm_mmpose/pose/body_views.json) with --write; a table of the second is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpm_mmpose.option_parser import OptionParser

if TYPE_CHECKING:
    from mpm_mmpose.data import PoseStore
    from mpm_mmpose.lifting.track_lifter import TrackLifter

SIZE, FOCAL = (1920, 1080), 1500.0
NOISE = 0.03  # of the person's spread in the image, a detector's error
POSE_NOISE = 0.05  # m, a lifter's error, where no lifter is given


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, metavar="STORE", help="to learn from")
    parser.add_argument("--val", type=Path, required=True, metavar="STORE", help="to measure on")
    parser.add_argument("--model", type=Path, metavar="ONNX", help="a lifter; default: true 3D and noise for one")
    parser.add_argument("--views", type=int, default=4, help="cameras a sequence, from above and below; default: 4")
    parser.add_argument("--frames", type=int, default=81, help="of a sequence that are looked at; default: 81")
    parser.add_argument("--sequences", type=int, default=150, help="at most, evenly chosen; default: 150")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="leave what is learnt in the package")
    args = parser.parse_args(argv)
    if min(args.views, args.frames, args.sequences) < 1:
        parser.error("give --views, --frames and --sequences of 1 or more")
    return args


def watched(store: PoseStore, args: argparse.Namespace, random: np.random.Generator) -> Iterator[tuple]:
    """(poses (T, 17, 3) root-relative m, keypoints (T, 17, 2) px) of sequences as cameras up and down of them see."""
    for index in np.unique(np.linspace(0, len(store.names) - 1, args.sequences).astype(int)):
        whole = store.sequence(index).keypoints_3d[: args.frames].astype(np.float64)
        whole = whole - whole[:, :1]
        for _ in range(args.views):
            pitch, roll = np.deg2rad(random.uniform((-15, -8), (35, 8)))
            turn = np.array(
                [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
            ) @ np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
            poses = whole @ turn.T
            away = poses + (random.uniform(-0.6, 0.6), random.uniform(-0.2, 0.2), random.uniform(3.5, 8))
            yield poses, away[..., :2] / away[..., 2:] * FOCAL + np.array(SIZE) / 2


def noisy(keypoints: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Keypoints (T, K, 2) as a detector finds them."""
    size = np.sqrt(((keypoints - keypoints.mean(1, keepdims=True)) ** 2).sum(2).mean(1))[:, None, None]
    return keypoints + random.normal(0, NOISE, keypoints.shape) * size


def readings(keypoints: np.ndarray) -> dict[str, tuple[np.ndarray, str, tuple[int, int]]]:
    """2D (T, 17, 2) px of Human3.6M keypoints, rightly and wrongly read: 2D, what it is taken for, the image's size."""
    from mpm_mmpose.pose.keypoints import COCO_17, H36M_17

    # Eyes and ears are not recorded; the nose stands for them.
    coco = keypoints[:, [H36M_17.index(name if name in H36M_17.names else "nose") for name in COCO_17.names]]
    size = np.array(SIZE)
    return {
        "right, Human3.6M's keypoints": (keypoints, "h36m_17", SIZE),
        "right, COCO's keypoints": (coco, "coco_17", SIZE),
        "Human3.6M's taken for COCO's": (keypoints, "coco_17", SIZE),
        "COCO's taken for Human3.6M's": (coco, "h36m_17", SIZE),
        "upside down": (size - coco, "coco_17", SIZE),
        "turned by 90 degrees": (np.stack((size[1] - coco[..., 1], coco[..., 0]), -1), "coco_17", SIZE[::-1]),
        "width and height exchanged": (coco, "coco_17", SIZE[::-1]),
    }


def pose_misfits(keypoints: np.ndarray, name: str, size: tuple[int, int], lifter: TrackLifter, fps: float) -> float:
    """Median over frames of how far a lifter's 3D is from the 2D (T, K, 2) px; NaN where nothing is lifted."""
    from mpm_mmpose.lifting.tracks import Track2D, pose_misfit

    times = np.arange(len(keypoints)) / fps
    scores = np.ones(keypoints.shape[:2])
    track = Track2D("0", times, keypoints, scores, name, *size, fps)
    try:
        return float(np.nanmedian(pose_misfit(lifter.lift(track))))
    except ValueError:  # nothing is inside the image
        return float("nan")


def measure(store: PoseStore, args: argparse.Namespace) -> dict[str, tuple[list[float], list[float]]]:
    """Misfits of 2D with bodies, and of 3D with 2D, a clip and view each, by how it is read."""
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.pose.consistency import misfit, person_misfit
    from mpm_mmpose.runtime import OnnxModel

    lifter = TrackLifter(OnnxModel(args.model, threads=1), flip_test=False) if args.model else None
    random = np.random.default_rng([args.seed, 1])
    found: dict[str, tuple[list[float], list[float]]] = {}
    for poses, keypoints in watched(store, args, random):
        for said, (points, name, size) in readings(noisy(keypoints, random)).items():
            bodies, lifted = found.setdefault(said, ([], []))
            seen = np.ones(points.shape[:2], bool)
            bodies.append(person_misfit(points, seen, name))
            if lifter is not None:
                lifted.append(pose_misfits(points, name, size, lifter, 30.0))
            elif name == "h36m_17":
                about = poses + random.normal(0, POSE_NOISE, poses.shape)
                lifted.append(float(np.median(misfit(about, points, seen))))
    return found


def main(argv: list[str] | None = None) -> int:
    """Learn, measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.atomic_file import write_atomically
    from mpm_mmpose.data.pose_store import PoseStore
    from mpm_mmpose.errors import exit_status
    from mpm_mmpose.pose.consistency import LIMIT, body_views

    from .learned_views import learn_body_views

    def work() -> None:
        if args.write:
            seen = [
                keypoints[::5]
                for _, keypoints in watched(PoseStore(args.train), args, np.random.default_rng(args.seed))
            ]
            views = learn_body_views(np.concatenate(seen))
            stored = {name: np.round(value, 4).tolist() for name, value in vars(views).items()}
            path = Path(sys.modules["mpm_mmpose"].__file__).with_name("pose") / "body_views.json"
            write_atomically(path, lambda file: file.write_text(json.dumps(stored) + "\n"))
            body_views.cache_clear()
            print(f"wrote: {path}")
        cells = "median | 1 % .. 99 % | warned of"
        print(f"| keypoints | clips | 2D: {cells} | 3D: {cells} |\n|---|---|---|---|---|---|---|---|")
        for said, columns in measure(PoseStore(args.val), args).items():
            cells = []
            for values in columns:
                known = np.array(values)[np.isfinite(values)] if values else np.empty(0)
                low, middle, high = np.percentile(known, (1, 50, 99)) if len(known) else (np.nan,) * 3
                share = f"{(known > LIMIT).mean():.1%}" if len(known) else "-"
                cells.append(f"{middle:.2f} | {low:.2f} .. {high:.2f} | {share}" if len(known) else "- | - | -")
            print(f"| {said} | {len(columns[0])} | {' | '.join(cells)} |")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
