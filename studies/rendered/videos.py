"""Videos of rendered people whose 2D and 3D keypoints are known exactly."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mpm_mmpose.data import PoseSequence, PoseStore, write_store

from .scene import Scene
from .stills import person_box

#: The store beside the videos, with what is true in them.
GROUND_TRUTH = "ground_truth"
#: At most so many things stand in front of a person.
MOST_OCCLUDERS = 3


def choose_sequences(store: PoseStore, number: int, seed: int = 0, frames: int = 0) -> list[PoseSequence]:
    """Random sequences, each of another clip, of 2 seconds or more and cut to ``frames`` unless 0."""
    order = np.random.default_rng(seed).permutation(len(store))
    chosen: dict[str, PoseSequence] = {}
    for index in order:
        clip = store.names[index].rpartition(".")[0]
        if clip in chosen or store.lengths[index] < 2 * store.fps[index]:
            continue
        chosen[clip] = store.sequence(int(index))
        if len(chosen) == number:
            break
    if len(chosen) < number:
        raise ValueError(
            f"{store.path}: has {len(chosen)} clips of 2 seconds or more; ask for no more videos than that"
        )
    return [_cut(sequence, frames) for sequence in chosen.values()] if frames else list(chosen.values())


def write_videos(
    sequences: list[PoseSequence], out: str | Path, seed: int = 0, progress: Callable[[], object] = lambda: None
) -> Path:
    """Write ``out/<sequence>.mp4`` of each and the store ``out/ground_truth``, which is returned.

    The ground truth are the sequences, with keypoint_scores 1 where a keypoint is visible, 0 where something stands in
    front of it or it is outside of the image. Every second video has one to three things in front. What a video looks
    like depends on ``seed`` and its name. Raises OSError where it cannot be written, FileExistsError where there is a
    ground truth.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)

    def filmed() -> Iterator[PoseSequence]:
        for index, sequence in enumerate(sequences):
            visible = write_video(sequence, out / f"{sequence.name}.mp4", seed, bool(index % 2), progress)
            yield replace(sequence, keypoint_scores=visible.astype(np.float32))

    write_store(out / GROUND_TRUTH, filmed(), dict(made_by="studies/rendered/render_people.py", seed=seed))
    return out / GROUND_TRUTH


def write_video(
    sequence: PoseSequence,
    path: str | Path,
    seed: int = 0,
    occluded: bool = False,
    progress: Callable[[], object] = lambda: None,
) -> np.ndarray:
    """Film a sequence with its own camera; which keypoints (N, 17) are visible, bool."""
    rng = np.random.default_rng([seed, zlib.crc32(sequence.name.encode())])
    width, height = sequence.width, sequence.height
    boxes = person_box(sequence.keypoints, width, height)
    # Where the person is in the middle of the clip: they may walk behind what stands there.
    box = boxes[len(boxes) // 2]
    occluders = int(rng.integers(1, MOST_OCCLUDERS + 1)) if occluded else 0
    scene = Scene(rng, width, height, sequence.intrinsics, box, occluders)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), sequence.fps, (width, height))
    if not writer.isOpened():
        raise OSError(f"{path}: no video can be written there")
    visible = []
    try:
        for pose in sequence.keypoints_3d:
            frame = scene.render(pose)
            writer.write(frame.image)
            visible.append(frame.visible)
            progress()
    finally:
        writer.release()
    return np.array(visible)


def _cut(sequence: PoseSequence, frames: int) -> PoseSequence:
    """The first frames of a sequence."""
    arrays = ("keypoints", "keypoints_3d", "keypoint_scores")
    found = {name: getattr(sequence, name) for name in arrays}
    return replace(sequence, **{name: None if value is None else value[:frames] for name, value in found.items()})
