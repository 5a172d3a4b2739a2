#!/usr/bin/env python
"""Measure video -> 2D -> tracks -> 3D stage by stage, on videos of render_people.py, whose ground truth is known."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpm_mmpose.option_parser import OptionParser

if TYPE_CHECKING:
    from mpm_mmpose.apis import MPMInferencer
    from mpm_mmpose.data import PoseSequence
    from mpm_mmpose.lifting.tracks import Track2D

PCK_SHARE = 0.05  # of the longer side of the person's box
PAGE = """\
<!-- Written by studies.rendered.video_error; run it again rather than editing it. -->

{machine}

```
{command}
```

{count} videos of {sizes} px, {frames} frames, one person each, {height:.0f} px high on average.

- 2D: mean distance from the ground truth of the keypoints that can be seen in the image, px; PCK: the share of them
  within {pck:.0%} of the longer side of the person's box.
- 3D: mean over all keypoints, mm, root-relative; "not found" are frames in which the person has no 3D.
- Means over frames; in brackets the best and the worst video.

| in front of the person | found by | keypoints below {threshold} | 2D px | PCK | MPJPE | P-MPJPE | not found |
|---|---|---|---:|---:|---:|---:|---:|
{rows}
"""


@dataclass(frozen=True)
class Errors:
    """Of one video and one way to its 3D.

    pixels (N, 17) px, NaN where a keypoint is not to be seen; shares (N, 17) of the person's size; poses (N,) and
    aligned (N,) mm, NaN in frames without 3D.
    """

    pixels: np.ndarray
    shares: np.ndarray
    poses: np.ndarray
    aligned: np.ndarray


class TrueBoxes:
    """Stands in for MMDetection's inferencer: image after image the box (N, 4) px of the one person that is there."""

    def __init__(self, boxes: np.ndarray) -> None:
        self.boxes = iter(boxes)

    def __call__(self, image: np.ndarray, return_datasamples: bool) -> dict:
        """What MMDetection's inferencer returns for an image."""
        import torch
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        box = torch.tensor(next(self.boxes), dtype=torch.float32)[None]
        found = InstanceData(bboxes=box, scores=torch.ones(1), labels=torch.zeros(1, dtype=torch.int64))
        return dict(predictions=[DetDataSample(pred_instances=found)])


def true_track(ground_truth: PoseSequence, scores: np.ndarray) -> Track2D:
    """The exact 2D of a video with scores (N, 17)."""
    from mpm_mmpose.lifting.tracks import Track2D

    return Track2D(
        person="0",
        times=np.arange(len(ground_truth)) / ground_truth.fps,
        keypoints=ground_truth.keypoints,
        scores=scores,
        keypoint_set=ground_truth.keypoint_set,
        width=ground_truth.width,
        height=ground_truth.height,
        fps=ground_truth.fps,
    )


def measure_video(
    inferencer: MPMInferencer, video: Path, ground_truth: PoseSequence, pictures: list[np.ndarray]
) -> Iterator[tuple[tuple[str, str], Errors]]:
    """Each way from one video to 3D, (found by, what becomes of uncertain keypoints), with its errors.

    In exact 2D keypoints that something stands in front of are the uncertain ones. pictures: gets one of what was found
    in the true box.
    """
    from mpm_mmpose.lifting.track_lifter import TrackLifter

    from .stills import person_box

    lifter = inferencer.lifter
    trusting = TrackLifter(lifter.model, fps=lifter.fps, threshold=0.0, flip_test=lifter.flip_test)
    everything = true_track(ground_truth, np.ones_like(ground_truth.keypoint_scores))
    yield ("exact 2D", "as they are"), errors(ground_truth, [everything], [lifter.lift(everything).keypoints_3d])
    seen = true_track(ground_truth, ground_truth.keypoint_scores)
    yield ("exact 2D", "not shown"), errors(ground_truth, [seen], [lifter.lift(seen).keypoints_3d])
    detector = inferencer.pose2d.detector
    ways = {"the true box": TrueBoxes(person_box(ground_truth.keypoints, ground_truth.width, ground_truth.height))}
    ways["the detector" if detector else "the whole image"] = detector
    for name, finder in ways.items():
        inferencer.pose2d.detector = finder
        result = next(inferencer(video))
        people = [person.track for person in result.people]
        yield (name, "not shown"), errors(ground_truth, people, [person.keypoints_3d for person in result.people])
        tracks = result.recording.tracks
        if isinstance(finder, TrueBoxes):
            pictures.append(draw(video, ground_truth, tracks[0], lifter.threshold))
        yield (name, "as found"), errors(ground_truth, tracks, [trusting.lift(track).keypoints_3d for track in tracks])


def draw(video: Path, ground_truth: PoseSequence, track: Track2D, threshold: float, size: int = 280) -> np.ndarray:
    """The person in the middle of a video, (size, size, 3): keypoints found green, uncertain red, true ones white."""
    import cv2

    from mpm_mmpose.apis.images import open_images

    row = len(track) // 2
    frame = round(float(track.times[row]) * ground_truth.fps)
    _, image = next(islice(open_images(video), frame, None))
    low, high = ground_truth.keypoints[frame].min(0), ground_truth.keypoints[frame].max(0)
    corner = (low + high) / 2 - 0.7 * (high - low).max()
    scale = size / (1.4 * (high - low).max())
    view = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    picture = cv2.warpAffine(image, view, (size, size), flags=cv2.INTER_AREA)
    for true, found, score in zip(ground_truth.keypoints[frame], track.keypoints[row], track.scores[row], strict=True):
        start, end = (tuple(np.rint(scale * (point - corner)).astype(int).tolist()) for point in (true, found))
        cv2.line(picture, start, end, (255, 255, 255), 1, cv2.LINE_AA)
        cv2.circle(picture, start, 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, end, 3, (0, 255, 0) if score >= threshold else (0, 0, 255), -1, cv2.LINE_AA)
    return picture


def errors(ground_truth: PoseSequence, tracks: Sequence[Track2D], poses: Sequence[np.ndarray]) -> Errors:
    """Of the people that were found, (N', 17, 3) m each; where there are several, the longest track is the person."""
    from mpm_mmpose.evaluation.pose_error import MILLIMETRES, keypoint_errors
    from mpm_mmpose.pose.geometry import root_relative

    found_2d = np.full(ground_truth.keypoints.shape, np.nan)
    found_3d = np.full(ground_truth.keypoints_3d.shape, np.nan)
    for track, pose in sorted(zip(tracks, poses, strict=True), key=lambda pair: len(pair[0])):
        frames = np.rint(track.times * ground_truth.fps).astype(int)
        found_2d[frames], found_3d[frames] = track.keypoints, pose
    pixels = np.linalg.norm(found_2d - ground_truth.keypoints, axis=-1)
    pixels[ground_truth.keypoint_scores == 0] = np.nan
    size = (ground_truth.keypoints.max(1) - ground_truth.keypoints.min(1)).max(1)
    distances = keypoint_errors(found_3d, root_relative(ground_truth.keypoints_3d), names=("mpjpe", "p_mpjpe"))
    means = {name: MILLIMETRES * distance.mean(1) for name, distance in distances.items()}
    return Errors(pixels, pixels / size[:, None], means["mpjpe"], means["p_mpjpe"])


def describe(way: tuple[str, ...], videos: Sequence[Errors]) -> str:
    """A row of the table."""
    shares = np.concatenate([errors.shares for errors in videos])
    poses = np.concatenate([errors.poses for errors in videos])
    cells = [*way, _spread([errors.pixels for errors in videos], 1)]
    seen = shares[np.isfinite(shares)]
    cells.append(f"{np.mean(seen <= PCK_SHARE):.1%}" if len(seen) else "-")
    cells += [_spread([getattr(errors, name) for errors in videos], 1) for name in ("poses", "aligned")]
    cells.append(str(int(np.isnan(poses).sum())))
    return f"| {' | '.join(cells)} |"


def _spread(videos: Sequence[np.ndarray], digits: int) -> str:
    """Mean of all, and the means of the best and the worst video."""
    means = [float(np.nanmean(video)) for video in videos if np.isfinite(video).any()]
    if not means:
        return "-"
    mean = float(np.nanmean(np.concatenate([video.ravel() for video in videos])))
    return f"{mean:.{digits}f} ({min(means):.{digits}f}-{max(means):.{digits}f})"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog="docs/rendered_people.md says more.")
    parser.add_argument("videos", type=Path, metavar="DIR", help="what studies/rendered/render_people.py videos wrote")
    parser.add_argument("--model", required=True, help="lifter: name in configs/mpm/metafile.yml, or a config file")
    parser.add_argument("--weights", required=True, help="its checkpoint")
    parser.add_argument("--pose2d", required=True, help="2D model: config file, or a name of MMPose's zoo")
    parser.add_argument("--pose2d-weights", help="its checkpoint")
    parser.add_argument(
        "--detector", default="whole_image", help="as demo/video_to_3d.py takes it; default: %(default)s"
    )
    parser.add_argument("--detector-weights", help="its checkpoint")
    parser.add_argument(
        "--threshold", type=float, default=0.3, help="keypoints that score less are masked; default: %(default)s"
    )
    parser.add_argument("--device", default="cpu", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="page (.md) with the table")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="picture (.png, .jpg) of what was found in 2D")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.filterwarnings("ignore")
    from mpm_mmpose.errors import exit_status

    from ..command import command_of

    command = command_of(__spec__.name, argv or sys.argv[1:])
    return exit_status(lambda: print(f"{measure(args, command)}\nwrote {args.out}"))


def measure(args: argparse.Namespace, command: str) -> str:
    """Measure all videos and write the page; returns it."""
    import cv2
    from tqdm import tqdm

    from mpm_mmpose.apis import MPMInferencer
    from mpm_mmpose.apis.pose2d import Pose2D
    from mpm_mmpose.atomic_file import write_atomically
    from mpm_mmpose.data import PoseStore

    from ..inference.machine import describe_machine
    from .videos import GROUND_TRUTH

    store = PoseStore(args.videos / GROUND_TRUTH)
    pose2d = Pose2D(args.pose2d, args.pose2d_weights, args.detector, args.detector_weights, args.device)
    inferencer = MPMInferencer(args.model, args.weights, pose2d, device=args.device, threshold=args.threshold)
    ways: dict[tuple[str, ...], list[Errors]] = {}
    pictures: list[np.ndarray] = []
    for index in tqdm(range(len(store)), unit="video"):
        ground_truth = store.sequence(index)
        front = "nothing" if ground_truth.keypoint_scores.all() else "something"
        for way, found in measure_video(inferencer, args.videos / f"{ground_truth.name}.mp4", ground_truth, pictures):
            ways.setdefault((front, *way), []).append(found)
    page = PAGE.format(
        machine=describe_machine(),
        command=command,
        count=len(store),
        frames=store.num_frames,
        sizes=" and ".join(
            sorted({f"{width} x {height}" for width, height in zip(store.widths, store.heights, strict=True)})
        ),
        height=np.ptp(store.keypoints[..., 1], axis=1).mean(),
        pck=PCK_SHARE,
        threshold=args.threshold,
        rows="\n".join(describe(way, videos) for way, videos in sorted(ways.items(), key=lambda item: item[0][0])),
    )
    write_atomically(args.out, lambda path: path.write_text(page, encoding="utf-8"))
    if args.picture:
        rows = [np.hstack(pictures[first : first + 6]) for first in range(0, len(pictures), 6)]
        sheet = np.vstack(
            [row for row in rows if row.shape == rows[0].shape]
        )  # a last row that is not full is left out
        write_atomically(args.picture, lambda path: cv2.imwrite(str(path), sheet))
    return page


if __name__ == "__main__":
    sys.exit(main())
