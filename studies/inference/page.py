"""The page of all studies, written as one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.lifting.track_lifter import TrackLifter

from .calibration import describe_calibration, draw_calibration, measure_calibration
from .fake_detector import FOOLED, NOISE, UNSURE, WRONG_BY
from .filters import describe_filters, draw_filters, measure_filters
from .held_out import Clip, read_clips
from .lifters import load_lifter
from .look_ahead import describe_look_ahead, draw_look_ahead, measure_look_ahead
from .machine import describe_machine
from .unsure import PLAIN, REPAIRS, describe_unsure, draw_unsure, measure_unsure


@dataclass(frozen=True)
class Inputs:
    """What is measured, as the command line says it."""

    store: Path
    model: str | None
    weights: str | None
    plain_model: str | None
    plain_weights: str | None
    studies: Sequence[str]
    clips: int
    frames: int
    maskings: int


def write_page(page: Path, images: Path, inputs: Inputs, command: str) -> list[Path]:
    """Measure all studies and write the page and its pictures; what was written.

    Raises UsageError for models that are not there, ValueError or OSError for what cannot be read or written.
    """
    clips = read_clips(PoseStore(inputs.store), inputs.clips, inputs.frames)
    lifter = load_lifter(inputs.model, inputs.weights)
    if not lifter.model.mask_tokens:
        raise ValueError(f"{inputs.model}: has no mask tokens; give a lifter that was trained with them")
    study = {"unsure": _unsure, "calibration": _calibration, "look_ahead": _look_ahead, "filters": _filters}
    parts, written = [], []
    for name in inputs.studies:
        _say(name)
        picture = images / f"inference_{name}.png"
        parts.append(study[name](clips, lifter, inputs, picture, os.path.relpath(picture, page.parent)))
        written.append(picture)
    frames = sum(len(clip.track) for clip in clips)
    text = HEAD.format(
        command=command,
        machine=describe_machine(),
        clips=len(clips),
        frames=f"{frames:,}",
        window=lifter.window,
        fps=f"{lifter.rate(clips[0].track.fps):g}",
        sigma=500 * NOISE["sigma"],
        outliers=NOISE["outliers"],
        missed=NOISE["missed"],
        wrong=WRONG_BY,
        unsure=UNSURE,
        sure=1 - FOOLED,
        threshold=lifter.threshold,
    )
    body = "\n\n".join([text, *parts]) + "\n"
    return [*written, write_atomically(page, lambda file: file.write_text(body, encoding="utf-8"))]


HEAD = """# Inference, measured

Written by this command; do not edit.

```
{command}
```

{machine} {clips} clips that the model was not trained on, {frames} frames, each seen by one camera; a model of \
{window} frames at {fps} frames a second, mirrored input averaged in. In brackets: 95 % interval over clips \
(bootstrap; clips whole). MPJPE is of all 17 keypoints, of which the root is 0 by definition.

**The detector is imitated.** Keypoints that are seen are off by {sigma:g} px of an image 1000 px wide (standard \
deviation), {outliers:.0%} of them by several times that, and {missed:.0%} are missed. What is occluded is found all \
the same, at a wrong place that stays while it is occluded: {wrong:.0%} of the person's height off (standard \
deviation, both ways), in whole frames as in single keypoints; half a body is found on the edge that it is behind. \
Scores tell it in {sure:.0%} of these stretches, being below {unsure}; in the others they are as high as ever. \
Keypoints with a score below {threshold} are not believed. Real detectors differ in all of these numbers."""


def _unsure(clips: Sequence[Clip], lifter: TrackLifter, inputs: Inputs, picture: Path, link: str) -> str:
    plain = None if inputs.plain_model is None else load_lifter(inputs.plain_model, inputs.plain_weights)
    names = [*REPAIRS, *([PLAIN] if plain else [])]
    sums = measure_unsure(clips, lifter, plain, _say)
    draw_unsure(sums, names, picture)
    return (
        "## Low confidence as masks\n\nThe same lifter throughout, unless it says otherwise.\n\n"
        f"![Error of occluded keypoints]({link})\n\n{describe_unsure(sums, names)}"
    )


def _calibration(clips: Sequence[Clip], lifter: TrackLifter, inputs: Inputs, picture: Path, link: str) -> str:
    found = measure_calibration(clips, load_lifter(inputs.model, inputs.weights, maskings=inputs.maskings))
    draw_calibration(found, picture)
    return (
        f"## Spread and error\n\n`maskings={inputs.maskings}`. Clips take turns: nothing occluded, single keypoints, "
        "whole frames, half of the body. Without the root, which has neither.\n\n"
        f"![Error over spread]({link})\n\n{describe_calibration(found)}"
    )


def _look_ahead(clips: Sequence[Clip], lifter: TrackLifter, inputs: Inputs, picture: Path, link: str) -> str:
    sums, speed = measure_look_ahead(clips, lifter, _say)
    fps = clips[0].track.fps
    draw_look_ahead(sums, lifter, fps, picture)
    return (
        "## Look-ahead of `MPMStream`\n\nDetector's noise, nothing occluded. The last frame stands for those still to "
        "come, or they are masked. Computing is what a call of `push` takes, median.\n\n"
        f"![Error over delay]({link})\n\n{describe_look_ahead(sums, speed, lifter, fps)}"
    )


def _filters(clips: Sequence[Clip], lifter: TrackLifter, inputs: Inputs, picture: Path, link: str) -> str:
    sums = measure_filters(clips, lifter)
    draw_filters(sums, picture)
    return (
        "## Smoothing\n\nOff unless asked for. Velocity and acceleration are of neighbouring frames of the clip.\n\n"
        f"![Acceleration error over MPJPE]({link})\n\n{describe_filters(sums)}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
