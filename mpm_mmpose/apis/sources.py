"""What can be lifted: files of 2D keypoints, pose stores, and arrays; all as people over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..datasets.person_tracks import check_ids, image_size
from ..datasets.pose_store import PoseStore
from ..datasets.readers.detections import Detections
from ..datasets.readers.keypoints_2d import FORMATS, read_keypoints_2d
from ..datasets.readers.keypoints_openpose import SUFFIX
from ..formats.files import FileNames
from ..keypoints import get_keypoint_set
from ..limits import MOST_FRAMES, check_fps
from .errors import UsageError, check_readable, unknown_name
from .tracking import follow
from .tracks import Track2D

if TYPE_CHECKING:
    from .images import Images


@dataclass(frozen=True)
class Truth:
    """3D that is known of a person: keypoints_3d (N, K, 3) root-relative m, camera axes, of ``keypoint_set``."""

    keypoints_3d: np.ndarray
    keypoint_set: str


@dataclass(frozen=True)
class Recording:
    """The people of one recording.

    times (F,) s of all its frames; fps: of them. images: to draw on, None where there are only keypoints. truth: by
    person. problem: why it ended early, '' if it did not. file: what its files are called, another one for each
    recording of a source; '' for as the recording.
    """

    name: str
    tracks: list[Track2D]
    times: np.ndarray
    fps: float
    images: Images | None = None
    truth: Mapping[str, Truth] = field(default_factory=dict)
    problem: str = ""
    file: str = ""

    def frames_of(self, track: Track2D) -> np.ndarray:
        """(N,) int64, which frame each row of a track is."""
        after = np.clip(np.searchsorted(self.times, track.times), 1, max(len(self.times) - 1, 1))
        before = after - 1
        after = np.minimum(after, len(self.times) - 1)
        nearer = track.times - self.times[before] < self.times[after] - track.times
        return np.where(nearer, before, after).astype(np.int64)


def is_keypoint_source(source: str | Path | np.ndarray) -> bool:
    """Whether a source holds keypoints, and no images."""
    if isinstance(source, np.ndarray):
        return source.dtype.kind == "f"
    path = Path(source)
    if path.is_dir():
        return (path / "store.json").is_file() or any(path.glob(f"*{SUFFIX}"))
    return path.suffix in (".json", ".npz")


def read_recordings(
    source: str | Path | np.ndarray,
    *,
    fps: float | None = None,
    width: int = 0,
    height: int = 0,
    format: str = "auto",
    keypoint_set: str = "auto",
    track: str = "iou",
    sequence: str | None = None,
) -> Iterator[Recording]:
    """The recordings of a file or folder of 2D keypoints, of a pose store, or of an array (N, K, 2) px.

    fps: of the frames in the file, instead of what it says; width, height: px, for files that do not say; format: one
    of the readers' FORMATS, or 'auto'; keypoint_set: 'auto' for what the file says, needed for arrays; track: how
    people without ids are told apart, see ``PersonTracker``; sequence: of a store, by default all. Raises UsageError
    for what is missing, ValueError or OSError for a file that cannot be read (file, place, field, fix).
    """
    names = FileNames()
    for recording in _read(source, fps, width, height, format, keypoint_set, track, sequence):
        yield replace(recording, file=names(recording.name))


def _read(
    source: str | Path | np.ndarray,
    fps: float | None,
    width: int,
    height: int,
    format: str,
    keypoint_set: str,
    track: str,
    sequence: str | None,
) -> Iterator[Recording]:
    if fps is not None:
        try:
            check_fps("fps (--fps)", fps)
        except ValueError as error:
            raise UsageError(str(error)) from None
    if isinstance(source, np.ndarray):
        yield _array(source, fps, width, height, keypoint_set)
        return
    path = check_readable(source)
    if (path / "store.json").is_file():
        yield from _store(path, sequence)
        return
    if format not in ("auto", *FORMATS):
        raise unknown_name("format", format, ("auto", *FORMATS))
    for detections in read_keypoints_2d(path, format=format, keypoint_set=keypoint_set):
        if not (fps or detections.fps):
            raise UsageError(f"{path}: does not say how many frames a second it has; give fps (--fps)")
        if not (detections.width or width) or not (detections.height or height):
            raise UsageError(f"{path}: does not say how large the images were; give width and height in px")
        yield _file(detections, fps, width, height, track)


def split_tracks(
    ids: np.ndarray,
    times: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    **camera: str | int | float,
) -> list[Track2D]:
    """A track a person, by id, of rows in order of time: ids (N,), times (N,) s, keypoints (N, K, 2) px, scores (N, K).

    camera: keypoint_set, width, height and fps of all tracks.
    """
    people, counts = np.unique(ids, return_counts=True)
    rows_of = np.split(np.argsort(ids, kind="stable"), np.cumsum(counts)[:-1])
    return [
        Track2D(person=str(person), times=times[rows], keypoints=keypoints[rows], scores=scores[rows], **camera)
        for person, rows in zip(people, rows_of, strict=True)
    ]


def _file(detections: Detections, fps: float | None, width: int, height: int, track: str) -> Recording:
    """The people of a file."""
    numbers, times = _times(detections, fps)
    ids = follow(detections, times[numbers], track) if detections.tracks is None else detections.tracks
    order = np.lexsort((numbers, ids))
    check_ids(detections, ids[order], detections.frames[order])
    try:
        width, height = image_size(detections, width, height)
    except ValueError as error:
        if detections.width > 0 and detections.height > 0:
            raise
        raise UsageError(str(error)) from None
    fps = fps or detections.fps
    tracks = split_tracks(
        ids[order],
        times[numbers[order]],
        detections.keypoints[order],
        detections.scores[order],
        keypoint_set=detections.keypoint_set,
        width=width,
        height=height,
        fps=fps,
    )
    return Recording(detections.name, tracks, times, fps)


def _times(detections: Detections, fps: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Which frame each row is of, (N,) int64, and times (F,) s of all frames; ``fps`` replaces what the file says."""
    if detections.times is not None:
        return detections.frames, detections.times if fps is None else np.arange(len(detections.times)) / fps
    # Without times nothing is known of frames before the first person.
    numbers = (detections.frames - detections.frames.min()) // detections.step
    frames = int(numbers.max()) + 1
    if frames > MOST_FRAMES:
        raise ValueError(
            f"{detections.path}: its frame numbers span {frames:,} frames; number them one after the other"
        )
    return numbers, np.arange(frames) / (fps or detections.fps)


def _store(path: Path, sequence: str | None) -> Iterator[Recording]:
    store = PoseStore(path)
    if store.keypoints is None:
        raise UsageError(f"{path}: this store has no 2D keypoints; give one that was filmed or detected")
    if sequence is not None and sequence not in store.names:
        raise unknown_name("sequence", sequence, store.names)
    for index, name in enumerate(store.names):
        if sequence not in (None, name):
            continue
        poses = store.sequence(index)
        ones = np.ones(poses.keypoints.shape[:2], np.float32)
        track = Track2D(
            person="0",
            times=np.arange(len(poses)) / poses.fps,
            keypoints=poses.keypoints,
            scores=ones if poses.keypoint_scores is None else poses.keypoint_scores,
            keypoint_set=poses.keypoint_set,
            width=poses.width,
            height=poses.height,
            fps=poses.fps,
            intrinsics=poses.intrinsics,
        )
        truth = {}
        if poses.keypoints_3d is not None:
            root = get_keypoint_set(poses.keypoint_set).root
            truth["0"] = Truth(poses.keypoints_3d - poses.keypoints_3d[:, root : root + 1], poses.keypoint_set)
        yield Recording(name, [track], track.times, poses.fps, truth=truth)


def read_poses(poses: np.ndarray, fps: float | None, keypoint_set: str) -> list[Recording]:
    """One person without 2D, for an array (N, K, 3) of 3D; UsageError without fps."""
    if fps is None:
        raise UsageError("an array of 3D needs fps")
    shape = poses.shape[:2] if poses.ndim == 3 else (0, 0)
    if shape[0] == 0 or shape[1] != len(get_keypoint_set(keypoint_set)):
        raise UsageError(f"an array of shape {poses.shape} holds no 3D of {keypoint_set}; give (frames, keypoints, 3)")
    track = Track2D(
        person="0",
        times=np.arange(shape[0]) / fps,
        keypoints=np.zeros((*shape, 2)),
        scores=np.zeros(shape),
        keypoint_set=keypoint_set,
        width=1000,
        height=1000,
        fps=fps,
    )
    return [Recording("array", [track], track.times, fps)]


def _array(keypoints: np.ndarray, fps: float | None, width: int, height: int, keypoint_set: str) -> Recording:
    """One person; NaN is a keypoint that was not found."""
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        raise UsageError(f"an array of shape {keypoints.shape} holds no 2D keypoints; give (frames, keypoints, 2) px")
    if fps is None or not (width > 0 and height > 0) or keypoint_set == "auto":
        raise UsageError("an array of keypoints needs fps, width, height and keypoint_set")
    found = np.isfinite(keypoints).all(-1)
    track = Track2D(
        person="0",
        times=np.arange(len(keypoints)) / fps,
        keypoints=np.where(found[..., None], keypoints, 0),
        scores=found,
        keypoint_set=keypoint_set,
        width=width,
        height=height,
        fps=fps,
    )
    return Recording("array", [track], track.times, fps)
