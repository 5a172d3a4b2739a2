#!/usr/bin/env python
"""Which feet stand, how far they slide, and what locking them does, on a store of clips seen by cameras that stand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mpm_mmpose.option_parser import OptionParser

#: Of the ground truth: an ankle stands that is slower than this, m/s, and within so many m of the clip's lowest.
#: Ankles roll over standing feet, so they are never quite still.
SLOW, LOW = 0.3, 0.06
HEADER = ("", "slide of feet that stand, m/s", "MPJPE, mm", "root, mm", "acceleration of feet, m/s^2")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("store", type=Path, help="a pose store with 2D and known cameras")
    parser.add_argument("--model", type=Path, metavar="ONNX", help="default: the model in this package")
    return parser.parse_args(argv)


def standing(ankles: np.ndarray, up: np.ndarray, fps: float) -> np.ndarray:
    """(N, 2) bool, of true ankles (N, 2, 3) m in camera axes; up: (3,)."""
    speed = np.linalg.norm(np.gradient(ankles, 1 / fps, axis=0), axis=-1)
    height = ankles @ up
    return (speed < SLOW) & (height < np.percentile(height, 2, axis=0) + LOW)


def clips_of(store: Path, model: Path) -> Iterator[tuple[object, object]]:
    """Clips, and their 3D with a trajectory as the commands make it."""
    from mpm_mmpose.data.pose_store import PoseStore
    from mpm_mmpose.lifting.person_lifting import PersonLifting
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.lifting.tracks import Track2D
    from mpm_mmpose.runtime import OnnxModel

    clips = PoseStore(store)
    lifter = TrackLifter(OnnxModel(model, threads=1), flip_test=False)
    for index in range(len(clips.names)):
        clip = clips.sequence(index)
        times = np.arange(len(clip)) / clip.fps
        scores = np.ones(clip.keypoints.shape[:2]) if clip.keypoint_scores is None else clip.keypoint_scores
        shape = clip.keypoint_set, clip.width, clip.height, clip.fps, clip.intrinsics
        track = Track2D("0", times, clip.keypoints.astype(np.float64), scores, *shape)
        yield clip, PersonLifting(trajectory=True)(lifter, track, None, [])


def measure(store: Path, model: Path) -> tuple[dict[str, list[np.ndarray]], np.ndarray]:
    """What HEADER says for the ground truth, without and with locking; and (hits, found, true) frames of standing."""
    from mpm_mmpose.lifting.feet import find_contacts, lock_feet
    from mpm_mmpose.pose.keypoints import get_keypoint_set

    rows: dict[str, list[np.ndarray]] = {"ground truth": [], "as lifted": [], "feet locked": []}
    counts = np.zeros(3, int)
    for clip, lifted in clips_of(store, model):
        if lifted.trajectory is None:
            continue
        keypoint_set = get_keypoint_set(clip.keypoint_set)
        feet = [keypoint_set.index(f"{side}_ankle") for side in ("left", "right")]
        true = clip.keypoints_3d.astype(np.float64)
        stands = standing(true[:, feet], clip.rotation[:, 2], clip.fps)
        contacts = find_contacts(lifted)
        counts += [(contacts & stands).sum(), contacts.sum(), stands.sum()]
        root = true[:, [keypoint_set.root]]
        tracks = {"ground truth": (true - root, root[:, 0])}
        for name, one in (("as lifted", lifted), ("feet locked", lock_feet(lifted, []))):
            tracks[name] = one.keypoints_3d.astype(np.float64), one.trajectory.astype(np.float64)
        for name, (poses, places) in tracks.items():
            ankles = (poses + places[:, None])[:, feet]
            speed = np.linalg.norm(np.gradient(ankles, 1 / clip.fps, axis=0), axis=-1)
            bend = np.linalg.norm(np.diff(ankles, 2, axis=0), axis=-1) * clip.fps**2
            slide = speed[stands].mean() if stands.any() else np.nan
            error = np.linalg.norm(poses - (true - root), axis=-1).mean() * 1000
            away = np.linalg.norm(places - root[:, 0], axis=-1).mean() * 1000
            rows[name].append(np.array((slide, error, away, bend.mean())))
    return rows, counts


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.errors import exit_status
    from mpm_mmpose.runtime.shipped import shipped_model

    def work() -> None:
        rows, (hits, found, true) = measure(args.store, args.model or shipped_model())
        print(f"feet that stand: {hits / found:.0%} of those found do, {hits / true:.0%} of those that do are found\n")
        print(f"| {' | '.join(HEADER)} |\n|---|{'---:|' * (len(HEADER) - 1)}")
        for name, clips in rows.items():
            slide, error, away, bend = np.nanmean(clips, axis=0)
            print(f"| {name} | {slide:.2f} | {error:.1f} | {away:.0f} | {bend:.1f} |")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
