"""People in frames to pose sequences: who is who, where a person is out of sight, and 17 Human3.6M keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..pose.keypoints import remap
from ..pose.pose_sequence import PoseSequence
from .detections import Detections
from .frame_times import frame_times
from .tracking import follow

#: Shares of keypoints outside of the image: from one on a note says so, beyond the other the size is wrong.
SAID_OUTSIDE, MOST_OUTSIDE = 0.05, 0.5


def track_sequences(
    detections: Detections,
    *,
    fps: float,
    width: int = 0,
    height: int = 0,
    min_frames: int = 1,
    keypoint_set: str = "h36m_17",
) -> tuple[list[PoseSequence], int]:
    """A sequence for each stretch of frames in which a person is found without a break; and how many were too short.

    A gap ends a stretch and nothing is put into it; the next one is called by its first frame:
    ``<recording>.person<track>.<first frame>``, subject ``<recording>.person<track>``, action ``<recording>``. Within a
    stretch a keypoint that was not found (score 0) goes in a straight line from where it was last to where it is next;
    its score stays 0, as that of one which is never found and then lies in the middle of the others.
    fps: of the frames' numbers, see :func:`~mpm_mmpose.readers.frame_times.frame_times`. width, height: px, for files
    that do not say. Raises ValueError (file, fix).
    """
    width, height, _ = image_size(detections, width, height)
    timed = frame_times(detections, fps)
    places = np.rint(timed.times[timed.frames] * timed.fps).astype(np.int64)
    numbers = detections.frames
    detections = replace(detections, frames=places, listed=np.arange(places.max() + 1))
    tracks = follow(detections, places / timed.fps) if detections.tracks is None else detections.tracks
    order = np.lexsort((detections.frames, tracks))
    tracks, frames, numbers = tracks[order], detections.frames[order], numbers[order]
    check_ids(detections, tracks, numbers)
    keypoints, scores = remap(detections.keypoint_set, keypoint_set)(
        detections.keypoints[order], detections.scores[order]
    )
    breaks = np.flatnonzero((np.diff(frames) != 1) | (np.diff(tracks) != 0)) + 1
    stretches = np.split(np.arange(len(frames)), breaks)
    kept = [rows for rows in stretches if len(rows) >= min_frames]
    sequences = []
    for rows in kept:
        track = int(tracks[rows[0]])
        person = f"{detections.name}.person{detections.track_names.get(track, track)}"
        sequence = PoseSequence(
            name=f"{person}.{numbers[rows[0]]}",
            keypoints_3d=None,
            keypoints=_filled(keypoints[rows], scores[rows]),
            keypoint_scores=scores[rows],
            width=width,
            height=height,
            fps=timed.fps,
            subject=person,
            action=detections.name,
            keypoint_set=keypoint_set,
            source=detections.path.name,
        )
        sequences.append(sequence)
    return sequences, len(stretches) - len(kept)


def check_ids(detections: Detections, tracks: np.ndarray, frames: np.ndarray) -> None:
    """ValueError (file, frame, fix) where an id of ``tracks`` (N,) is twice in a frame; both sorted, by id first."""
    twice = np.flatnonzero((np.diff(frames) == 0) & (np.diff(tracks) == 0))
    if len(twice):
        raise ValueError(
            f"{detections.path}: track id {tracks[twice[0]]} occurs twice in frame {frames[twice[0]]}; "
            "give each person an id of its own, or leave all ids out"
        )


def image_size(detections: Detections, width: int, height: int) -> tuple[int, int, list[str]]:
    """Width and height, px, those given, else what the file says; and notes on a size that hardly can be.

    Raises ValueError (file, fix) where neither says, or where most keypoints are outside of the image.
    """
    said = "that were given" if width > 0 and height > 0 else "that the file says"
    if not (width > 0 and height > 0):
        width, height = detections.width, detections.height
    if not (width > 0 and height > 0):
        raise ValueError(f"{detections.path}: does not say how large the image is; give width and height in px")
    found = detections.keypoints[detections.scores > 0]
    outside = _outside(found, width, height)
    exchanged = f" ({height} x {width} px fits)" if _outside(found, height, width) < outside / 2 else ""
    if outside > MOST_OUTSIDE:
        raise ValueError(
            f"{detections.path}: {1 - outside:.0%} of the keypoints of {detections.name!r} are in the image of "
            f"{width} x {height} px {said}{exchanged}; give the width and height of the video in which they were found"
        )
    notes = []
    if outside >= SAID_OUTSIDE:
        notes.append(
            f"{outside:.0%} of the keypoints are outside of the image of {width} x {height} px {said}{exchanged}; if "
            "that is wrong, give --width and --height"
        )
    if said == "that were given" and detections.width > 0 and (width, height) != (detections.width, detections.height):
        notes.append(
            f"the file says {detections.width} x {detections.height} px; {width} x {height} is taken, as given"
        )
    return width, height, notes


def stated_size_fits(detections: Detections) -> bool:
    """Whether the file says how large the image is, and hardly any keypoint is outside of it."""
    width, height = detections.width, detections.height
    found = detections.keypoints[detections.scores > 0]
    return width > 0 and height > 0 and _outside(found, width, height) < SAID_OUTSIDE


def _outside(keypoints: np.ndarray, width: int, height: int) -> float:
    """Share of keypoints (N, 2) px that are not in an image."""
    return 1 - float(((keypoints >= 0) & (keypoints <= (width, height))).all(-1).mean())


def _filled(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Keypoints (T, K, 2) in which those of score 0 stand where their neighbours in time, or in the body, say."""
    found = scores > 0
    if found.all():
        return keypoints
    keypoints = keypoints.copy()
    times = np.arange(len(keypoints))
    for index in np.flatnonzero(found.any(axis=0) & ~found.all(axis=0)):
        there = found[:, index]
        for axis in range(2):
            keypoints[~there, index, axis] = np.interp(times[~there], times[there], keypoints[there, index, axis])
    ever = found.any(axis=0)
    keypoints[:, ~ever] = keypoints[:, ever].mean(axis=1, keepdims=True) if ever.any() else 0
    return keypoints
