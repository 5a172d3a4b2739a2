"""What can be lifted: files of 2D keypoints, pose stores, and arrays; all as people over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.pose_store import PoseStore
from ..errors import UsageError, check_readable, unknown_name
from ..format_names import KEYPOINT_FORMATS
from ..formats.files import FileNames
from ..lifting.id_exchanges import check_exchanges
from ..lifting.tracks import Track2D
from ..limits import check_fps
from ..pose.geometry import root_relative
from ..pose.keypoints import get_keypoint_set
from ..readers.detections import Detections
from ..readers.frame_times import frame_times, known_rate
from ..readers.keypoint_choice import KeypointMap
from ..readers.keypoints_2d import find_keypoint_files, frame_files, read_keypoints_2d
from ..readers.normalised import in_pixels
from ..readers.person_tracks import image_size
from ..readers.track_ids import settle_ids
from ..readers.tracking import follow
from .source_kind import is_camera, source_kind, wrong_command

if TYPE_CHECKING:
    from .images import Images

#: What to do with a file's ids.
IDS = ("file", "mend", "ignore")


@dataclass(frozen=True)
class GroundTruth:
    """3D that is known of a person: keypoints_3d (N, K, 3) root-relative m, camera axes, of ``keypoint_set``."""

    keypoints_3d: np.ndarray
    keypoint_set: str


@dataclass(frozen=True)
class Recording:
    """The people of one recording.

    times (F,) s of all its frames; fps: of them. images: to draw on, None where there are only keypoints. ground_truth:
    by person. problem: why it ended early, '' if it did not; notes: what is to be known of the source. file: what its
    files are called, another one for each recording of a source; '' for as the recording.
    """

    name: str
    tracks: list[Track2D]
    times: np.ndarray
    fps: float
    images: Images | None = None
    ground_truth: Mapping[str, GroundTruth] = field(default_factory=dict)
    problem: str = ""
    file: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def span(self) -> str:
        """From which frame to which there are people, how many have some, and the seconds that makes, in words."""
        if not self.tracks:
            return ""
        frames = np.unique(np.concatenate([self.frames_of(track)[track.scores.any(1)] for track in self.tracks]))
        if not len(frames):
            return ""
        first, last = frames[[0, -1]]
        return (
            f"{self.name}: people from frame {first} ({self.times[first]:.2f} s) to {last} ({self.times[last]:.2f} s), "
            f"in {len(frames)} of all {len(self.times)}"
        )

    def frames_of(self, track: Track2D) -> np.ndarray:
        """(N,) int64, which frame each row of a track is."""
        after = np.clip(np.searchsorted(self.times, track.times), 1, max(len(self.times) - 1, 1))
        before = after - 1
        after = np.minimum(after, len(self.times) - 1)
        nearer = track.times - self.times[before] < self.times[after] - track.times
        return np.where(nearer, before, after).astype(np.int64)


def is_keypoint_source(source: str | Path | np.ndarray) -> bool:
    """Whether a source holds keypoints, and no images."""
    return source.dtype.kind == "f" if isinstance(source, np.ndarray) else source_kind(source) == "keypoints"


def read_recordings(
    source: str | Path | np.ndarray,
    *,
    fps: float | None = None,
    width: int = 0,
    height: int = 0,
    format: str = "auto",
    keypoint_set: str | KeypointMap = "auto",
    track: str = "iou",
    sequence: str | None = None,
    ids: str = "file",
    video: str | Path | None = None,
) -> Iterator[Recording]:
    """The recordings of a file or folder of 2D keypoints, of a pose store, or of an array (N, K, 2) px.

    fps: of the frames' numbers in the file (``frame_times``), width, height: px, instead of what the file says; format:
    one of the KEYPOINT_FORMATS, or 'auto'; keypoint_set: 'auto' for what the file says, needed for arrays, or a map of
    keypoints (``read_keypoint_map``); track: how people without ids are tracked, see ``PersonTracker``; sequence: of
    a store, by default all; ids: 'file' for those of the file, 'mend' to undo their exchanges (``check_exchanges``),
    'ignore' to track people anew; video: the one they were found in, which says rate and size where nobody else
    does, and is drawn on. Raises UsageError for what is missing, at once where the whole file need not be read for it;
    ValueError or OSError for a file that cannot be read (file, place, field, fix).
    """
    if fps is not None:
        try:
            check_fps("fps (--fps)", fps)
        except ValueError as error:
            raise UsageError(str(error)) from None
    if isinstance(source, np.ndarray):
        return _with_files([_array(source, fps, width, height, keypoint_set)])
    path = Path(source) if is_camera(source) else check_readable(source)
    if (said := wrong_command(source, "keypoints")) is not None:
        raise UsageError(said)
    if format not in ("auto", *KEYPOINT_FORMATS):
        raise unknown_name("format", format, ("auto", *KEYPOINT_FORMATS))
    if ids not in IDS:
        raise unknown_name("ids", ids, IDS)
    if (path / "store.json").is_file():
        return _with_files(_store(path, sequence))
    images = None if video is None else _open_video(video, fps)
    return _with_files(_files(path, format, keypoint_set, fps, width, height, track, ids, images))


def _with_files(recordings: Iterable[Recording]) -> Iterator[Recording]:
    names = FileNames()
    return (replace(recording, file=names(recording.name)) for recording in recordings)


def _files(
    path: Path,
    format: str,
    keypoint_set: str | KeypointMap,
    fps: float | None,
    width: int,
    height: int,
    track: str,
    ids: str,
    images: Images | None,
) -> Iterator[Recording]:
    for detections in _detections(path, format, keypoint_set):
        rate, size = fps, (width, height)
        if images is not None:
            rate = fps or (None if known_rate(detections) else images.fps)
            if not (width and height) and not (detections.width and detections.height):
                size = images.width, images.height
        _ask_for_missing(detections, rate, *size)
        recording = _file(in_pixels(detections, *size), rate, *size, track, ids)
        yield recording if images is None else _on_video(recording, images)


def _detections(path: Path, format: str, keypoint_set: str | KeypointMap) -> Iterator[Detections]:
    """Of a file, of a folder in which every file is a frame, or of the files of a folder, one after the other."""
    frames_in_files = path.is_dir() and frame_files(file for file in path.iterdir() if file.is_file())
    one = not path.is_dir() or format in ("openpose", "yolo") or frames_in_files
    for file in [path] if one else find_keypoint_files([path], format):
        yield from read_keypoints_2d(file, format=format, keypoint_set=keypoint_set)


def _open_video(video: str | Path, fps: float | None) -> Images:
    from .images import open_images

    return open_images(video, fps)


def _on_video(recording: Recording, images: Images) -> Recording:
    from .images_at import ImagesAt

    (width, height), *_ = [(track.width, track.height) for track in recording.tracks]
    return replace(recording, images=ImagesAt(images, recording.times, width, height))


def _ask_for_missing(detections: Detections, fps: float | None, width: int, height: int) -> None:
    """UsageError that names all that the file does not say and nobody gave."""
    missing, give = [], []
    if not (fps or known_rate(detections)):
        missing.append("how many frames a second it has")
        give.append("fps (--fps)")
    if not (detections.width or width) or not (detections.height or height):
        missing.append("how large the images were")
        give.append("width and height in px (--width, --height)")
    if missing:
        raise UsageError(f"{detections.path}: does not say {' and '.join(missing)}; give {' and '.join(give)}")


def split_tracks(
    ids: np.ndarray,
    times: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    names: Mapping[int, str] | None = None,
    **camera: str | int | float,
) -> list[Track2D]:
    """A track a person, by id, of rows in order of time: ids (N,), times (N,) s, keypoints (N, K, 2) px, scores (N, K).

    names: what people are called whose id is not their name. camera: keypoint_set, width, height and fps of all tracks.
    """
    people, counts = np.unique(ids, return_counts=True)
    rows_of = np.split(np.argsort(ids, kind="stable"), np.cumsum(counts)[:-1])
    return [
        Track2D(
            person=(names or {}).get(int(person), str(person)),
            times=times[rows],
            keypoints=keypoints[rows],
            scores=scores[rows],
            **camera,
        )
        for person, rows in zip(people, rows_of, strict=True)
    ]


def _file(detections: Detections, fps: float | None, width: int, height: int, track: str, ids: str) -> Recording:
    """The people of a file."""
    frames, times, fps, notes = frame_times(detections, fps)
    detections = replace(detections, tracks=None) if ids == "ignore" else settle_ids(detections)
    tracks = follow(detections, times[frames], track) if detections.tracks is None else detections.tracks
    order = np.lexsort((frames, tracks))
    try:
        width, height, size_notes = image_size(detections, width, height)
    except ValueError as error:
        if not (width > 0 and height > 0):  # what is wrong is what the file says
            raise
        raise UsageError(str(error)) from None
    people = split_tracks(
        tracks[order],
        times[frames[order]],
        detections.keypoints[order],
        detections.scores[order],
        names=detections.track_names,
        keypoint_set=detections.keypoint_set,
        width=width,
        height=height,
        fps=fps,
    )
    if detections.tracks is not None:
        people, jumps = check_exchanges(people, mend=ids == "mend")
        notes += jumps
    return Recording(detections.name, people, times, fps, notes=[*detections.notes, *notes, *size_notes])


def _store(path: Path, sequence: str | None) -> Iterator[Recording]:
    store = PoseStore(path)
    if store.keypoints is None:
        raise UsageError(f"{path}: this store has no 2D keypoints; give one with virtual cameras, or of detections")
    if sequence is not None and sequence not in store.names:
        raise unknown_name("sequence", sequence, store.names)
    return (_sequence(store, index) for index, name in enumerate(store.names) if sequence in (None, name))


def _sequence(store: PoseStore, index: int) -> Recording:
    """A sequence of a store as a recording of one person."""
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
    ground_truth = {}
    if poses.keypoints_3d is not None:
        root = get_keypoint_set(poses.keypoint_set).root
        ground_truth["0"] = GroundTruth(root_relative(poses.keypoints_3d, root), poses.keypoint_set)
    return Recording(store.names[index], [track], track.times, poses.fps, ground_truth=ground_truth)


def recordings_of_poses(poses: np.ndarray, fps: float | None, keypoint_set: str) -> list[Recording]:
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
