"""What comes out of an inference, and the files that it is kept in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..atomic_file import write_atomically
from ..datasets.person_tracks import keypoint_boxes
from ..keypoints import COCO_17, get_keypoint_set
from ..visualization.side_by_side import DrawnPerson, pose_truth, write_side_by_side
from .errors import unknown_name
from .sources import Recording
from .tracks import Track2D, Track3D

Progress = Callable[[int, int], None]
#: What can be left of a result: MMPose's JSON, arrays, and a video.
FORMATS = ("json", "npz", "video")


@dataclass(frozen=True)
class InferenceResult:
    """The people of a recording in 3D; notes: who or what was left out, and why."""

    recording: Recording
    people: list[Track3D]
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The recording's name."""
        return self.recording.name

    def save(
        self,
        out: str | Path,
        formats: Sequence[str] = FORMATS,
        progress: Progress | None = None,
        show: Callable[[np.ndarray], None] | None = None,
    ) -> list[Path]:
        """Write ``<out>/<name>.json``, ``.npz`` and ``.mp4``, each whole or not at all; returns what was written.

        progress: called with the frames of the video done and those there are; show: with each frame of it. Raises
        UsageError for an unknown format, OSError where nothing can be written.
        """
        for format in formats:
            if format not in FORMATS:
                raise unknown_name("format", format, FORMATS)
        stem = result_path(out, self.name)
        written = []
        if "json" in formats:
            written.append(write_json(stem.with_name(f"{stem.name}.json"), self))
        if "npz" in formats:
            written.append(write_npz(stem.with_name(f"{stem.name}.npz"), self))
        if "video" in formats:
            written.append(write_video(stem.with_name(f"{stem.name}.mp4"), self, progress, show))
        return written


def result_path(out: str | Path, name: str) -> Path:
    """Where a recording's files go, without suffix; its name may be that of a folder and a video in it."""
    return Path(out, *(part for part in Path(name).parts if part not in ("/", "..")))


def write_json(path: str | Path, result: InferenceResult) -> Path:
    """MMPose's layout of 3D results, as its demos write it: ``meta_info`` and, frame by frame, ``instance_info``.

    keypoints are m in MMPose's axes: x to the camera's left, y away from it, z up, the lowest keypoint of each pose at
    z = 0. Beside MMPose's fields an instance has track_id, bbox (px), keypoints_2d (px), keypoint_scores_2d and
    hidden.
    """
    people = result.people
    keypoint_set = get_keypoint_set(people[0].keypoint_set) if people else None
    meta = _meta(keypoint_set.name if keypoint_set else "h36m_17", result.recording)
    meta["keypoints_space"] = "m; x left, y away, z up from the lowest keypoint"
    meta["notes"] = result.notes

    def instances(person: Track3D, row: int) -> dict[str, Any] | None:
        if not np.isfinite(person.keypoints_3d[row]).all():
            return None
        return dict(
            keypoints=_round(mmpose_axes(person.keypoints_3d[row]), 5),
            keypoint_scores=[1.0] * person.keypoints_3d.shape[1],
            hidden=person.hidden[row].tolist(),
            **({} if person.spread is None else dict(spread=_round(person.spread[row], 5))),
            **({} if person.trajectory is None else dict(trajectory=_round(person.trajectory[row], 4))),
            **_instance_2d(person.track, row, "keypoints_2d", "keypoint_scores_2d"),
        )

    tracks = [person.track for person in people]
    return _write_frames(path, meta, result.recording, tracks, lambda index, row: instances(people[index], row))


def write_keypoints_2d(path: str | Path, recording: Recording) -> Path:
    """The 2D stage in MMPose's layout, which ``demo/keypoints_to_3d.py`` reads."""
    tracks = recording.tracks
    meta = _meta(tracks[0].keypoint_set if tracks else COCO_17.name, recording)
    return _write_frames(
        path,
        meta,
        recording,
        tracks,
        lambda index, row: _instance_2d(tracks[index], row, "keypoints", "keypoint_scores"),
    )


def write_npz(path: str | Path, result: InferenceResult) -> Path:
    """All people row by row, N rows, as plain arrays.

    person (N,) text, frame (N,), time (N,) s; keypoints_3d (N, K, 3) root-relative m, camera axes (x right, y down, z
    away), NaN where there is none; hidden (N, K); spread (N, K) m and trajectory (N, 3) m where they are known;
    keypoints_2d (N, K', 2) px and scores_2d (N, K'); keypoint_set, keypoint_set_2d, fps, width, height.
    """
    people = result.people
    arrays: dict[str, Any] = dict(fps=result.recording.fps, notes=np.array(result.notes, dtype=str))
    if people:
        times = [person.track.times for person in people]
        arrays |= dict(
            person=np.repeat([person.track.person for person in people], list(map(len, people))),
            frame=np.concatenate([result.recording.frames_of(person.track) for person in people]),
            time=np.concatenate(times),
            keypoints_3d=np.concatenate([person.keypoints_3d for person in people]),
            hidden=np.concatenate([person.hidden for person in people]),
            keypoints_2d=np.concatenate([person.track.keypoints for person in people]),
            scores_2d=np.concatenate([person.track.scores for person in people]),
            keypoint_set=people[0].keypoint_set,
            keypoint_set_2d=people[0].track.keypoint_set,
            width=people[0].track.width,
            height=people[0].track.height,
        )
        for name in ("spread", "trajectory"):
            if all(getattr(person, name) is not None for person in people):
                arrays[name] = np.concatenate([getattr(person, name) for person in people])

    def write(file: Path) -> None:
        np.savez_compressed(file, **arrays)

    return write_atomically(path, write)


def write_video(
    path: str | Path,
    result: InferenceResult,
    progress: Progress | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> Path:
    """2D on the images beside 3D; see :func:`~mpm_mmpose.visualization.side_by_side.write_side_by_side`."""
    recording, people = result.recording, result.people
    size = recording.images or (recording.tracks[0] if recording.tracks else None)
    width, height = (size.width, size.height) if size else (1280, 720)
    return write_side_by_side(
        path,
        [drawn(recording, person) for person in people],
        recording.times,
        None if recording.images is None else (image for _, image in recording.images),
        fps=recording.fps,
        width=width,
        height=height,
        progress=progress,
        show=show,
    )


def drawn(recording: Recording, person: Track3D) -> DrawnPerson:
    """A person as the video shows them."""
    truth = recording.truth.get(person.track.person)
    return DrawnPerson(
        identity=person.track.person,
        frames=recording.frames_of(person.track),
        keypoints=person.track.keypoints,
        scores=person.track.scores,
        keypoint_set=person.track.keypoint_set,
        poses=person.keypoints_3d,
        pose_set=person.keypoint_set,
        hidden=person.hidden,
        truth=None if truth is None else pose_truth(truth.keypoints_3d, truth.keypoint_set, person.keypoint_set),
    )


def mmpose_axes(poses: np.ndarray) -> np.ndarray:
    """Camera axes (..., K, 3) m to MMPose's for 3D results: x left, y away, z up, the lowest keypoint at z = 0."""
    turned = poses[..., [0, 2, 1]] * np.array([-1, 1, -1], poses.dtype)
    turned[..., 2] -= turned[..., 2].min(axis=-1, keepdims=True)
    return turned


def _meta(keypoint_set: str, recording: Recording) -> dict[str, Any]:
    names = get_keypoint_set(keypoint_set).names
    # MMPose's names of these sets tell readers which keypoints they are.
    known = {"h36m_17": "h36m", "coco_17": "coco", "halpe_26": "halpe26"}
    meta: dict[str, Any] = dict(dataset_name=known.get(keypoint_set, keypoint_set), num_keypoints=len(names))
    if names[: len(COCO_17)] == COCO_17.names or keypoint_set == "h36m_17":
        meta["keypoint_id2name"] = {str(index): name for index, name in enumerate(names)}
    meta |= dict(keypoint_names=list(names), fps=recording.fps)
    if recording.tracks:
        meta |= dict(image_size=[recording.tracks[0].width, recording.tracks[0].height])
    return meta


def _instance_2d(track: Track2D, row: int, keypoints: str, scores: str) -> dict[str, Any]:
    found = track.scores[row : row + 1] > 0
    box = keypoint_boxes(track.keypoints[row : row + 1], found) if found.any() else np.zeros((1, 4))
    return {
        keypoints: _round(np.nan_to_num(track.keypoints[row]), 3),
        scores: _round(track.scores[row], 4),
        "bbox": _round(box, 2),
        "track_id": int(track.person) if track.person.isdecimal() else track.person,
    }


def _write_frames(
    path: str | Path,
    meta: dict[str, Any],
    recording: Recording,
    tracks: Sequence[Track2D],
    instance: Callable[[int, int], dict[str, Any] | None],
) -> Path:
    """Write frame by frame, because all of a long video as Python's objects takes gigabytes."""

    def lines() -> Iterator[str]:
        rows = [{int(frame): row for row, frame in enumerate(recording.frames_of(track))} for track in tracks]
        for frame in range(len(recording.times)):
            there = (instance(index, row[frame]) for index, row in enumerate(rows) if frame in row)
            yield json.dumps(dict(frame_id=frame, instances=[one for one in there if one is not None]))

    def write(file: Path) -> None:
        with open(file, "w", encoding="utf-8") as text:
            _write_list(text, f'{{"meta_info": {json.dumps(meta)},\n"instance_info": [\n', lines(), "\n]}\n")

    return write_atomically(path, write)


def _write_list(text: TextIO, before: str, lines: Iterable[str], after: str) -> None:
    text.write(before)
    for index, line in enumerate(lines):
        text.write(",\n" * (index > 0) + line)
    text.write(after)


def _round(array: np.ndarray, digits: int) -> list:
    # Through float64, or the file has float32's digits.
    return np.round(np.asarray(array, np.float64), digits).tolist()
