"""Files of 2D detectors: which there are in folders, which format each has, and the people in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..format_names import KEYPOINT_FORMATS
from .archives import npz_fields
from .detections import Detections
from .files import files_below
from .json_file import read_json
from .keypoint_choice import KeypointMap
from .keypoints_annotations import read_annotations
from .keypoints_arrays import read_npy_keypoints, read_npz_keypoints
from .keypoints_coco import read_alphapose, read_coco
from .keypoints_csv import read_csv_keypoints
from .keypoints_deeplabcut import read_deeplabcut
from .keypoints_frames import is_frame, read_frame_files, read_frames
from .keypoints_mmpose import read_mmpose
from .keypoints_openpose import SUFFIX, read_openpose
from .keypoints_videopose3d import read_videopose3d
from .keypoints_yolo import read_yolo

_JSON = {
    "mmpose": read_mmpose,
    "coco": read_coco,
    "alphapose": read_alphapose,
    "annotations": read_annotations,
    "frames": read_frames,
}
# Files that are read as they are, by suffix.
_OTHER = {
    ".npy": ("array", read_npy_keypoints),
    ".csv": ("csv", read_csv_keypoints),
    ".tsv": ("csv", read_csv_keypoints),
    ".h5": ("deeplabcut", read_deeplabcut),
    ".hdf5": ("deeplabcut", read_deeplabcut),
}
#: Suffixes of files that may hold keypoints, in small letters.
SUFFIXES = (".json", ".jsonl", ".ndjson", ".npz", *_OTHER)


def find_keypoint_files(paths: Iterable[str | Path], format: str = "auto") -> list[Path]:
    """What to read among ``paths`` and in the folders among them, however deep; sorted, each once.

    A folder in which every file is a frame (OpenPose's and its like) counts as one. Raises FileNotFoundError for a path
    that is not there, PermissionError for a closed folder, ValueError for a folder without any or an unknown format.
    """
    if format not in ("auto", *KEYPOINT_FORMATS):
        raise ValueError(f"format {format!r} is not known; use auto, {', '.join(KEYPOINT_FORMATS)}")
    found: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path}: does not exist; give what a 2D detector wrote, or a folder of it")
        if not path.is_dir():
            found.add(path.parent if path.name.endswith(SUFFIX) and format in ("auto", "openpose") else path)
            continue
        by_folder: dict[Path, list[Path]] = {}
        for file in files_below(path):
            by_folder.setdefault(file.parent, []).append(file)
        below: set[Path] = set()
        for folder, files in by_folder.items():
            if frame_files(files) and format in ("auto", "openpose", "yolo", "frames"):
                below.add(folder)
            else:
                below.update(file for file in files if _may_be(file, format))
        if not below:
            raise ValueError(
                f"{path}: holds no .json, .npz, .npy, .csv or *{SUFFIX} files of format {format!r}; give another folder"
            )
        found |= below
    return sorted(found)


def _may_be(file: Path, format: str) -> bool:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES or file.name.endswith(SUFFIX):
        return False
    if suffix in _OTHER:
        return format in ("auto", _OTHER[suffix][0])
    return format in ("auto", "videopose3d", "array") if suffix == ".npz" else format in ("auto", *_JSON)


def frame_files(files: Iterable[Path]) -> list[Path]:
    """Those of a folder's files that are a frame each: OpenPose's, JSON files of one frame, or Ultralytics' labels.

    Goes by names and by the first of them; empty where there are none.
    """
    files = sorted(files)
    if named := [file for file in files if file.name.endswith(SUFFIX)]:
        return named
    numbered = [file for file in files if any(letter.isdigit() for letter in file.stem)]
    if (jsons := [file for file in numbered if file.suffix.lower() == ".json"]) and _is_frame_file(jsons[0]):
        return jsons
    labels = [file for file in numbered if file.suffix.lower() == ".txt"]
    return labels if labels and labels[0].parent.name == "labels" else []


def _is_frame_file(file: Path) -> bool:
    try:
        return is_frame(read_json(file))
    except (ValueError, OSError):
        return False


def read_keypoints_2d(
    path: str | Path, name: str | None = None, format: str = "auto", keypoint_set: str | KeypointMap = "auto"
) -> list[Detections]:
    """The people in a file, or in a folder of one file per frame, one :class:`Detections` per video.

    name: what to call the video, by default as the file; videos of one file are ``<name>/<video>``. format: one of
    ``KEYPOINT_FORMATS``, 'auto' for what the contents look like. keypoint_set: 'auto' for what the file says, else what
    so many keypoints stand for; or a map, see ``read_keypoint_map``. Keypoints are px, or shares of the image where
    ``normalised``. Raises ValueError or OSError (file, place, field, fix).
    """
    path = Path(path)
    name = path.stem if name is None else name
    suffix = path.suffix.lower()
    if format in ("openpose", "yolo") or (format in ("auto", "frames") and path.is_dir()):
        return _read_folder(path, name, format, keypoint_set)
    if format == "videopose3d":
        return read_videopose3d(path, name, keypoint_set)
    if suffix == ".npz" and format in ("auto", "array"):
        is_videopose3d = format == "auto" and {"positions_2d", "metadata"} & set(npz_fields(path))
        return (read_videopose3d if is_videopose3d else read_npz_keypoints)(path, name, keypoint_set)
    if format in ("array", "csv", "deeplabcut") or (format == "auto" and suffix in _OTHER):
        return _reader(format, suffix)(path, name, keypoint_set)
    content = read_json(path)
    return _JSON[_format_of(path, content) if format == "auto" else format](path, name, content, keypoint_set)


def _reader(format: str, suffix: str) -> Callable[..., list[Detections]]:
    return next((reader for other, (name, reader) in _OTHER.items() if format == name or other == suffix))


def _read_folder(path: Path, name: str, format: str, keypoint_set: str | KeypointMap) -> list[Detections]:
    if not path.is_dir():
        raise ValueError(f"{path}: is no folder; give the one that OpenPose's --write_json wrote, or labels")
    files = [file for file in path.iterdir() if file.is_file()]
    if format == "yolo":
        files = [file for file in files if file.suffix.lower() == ".txt"]
    else:
        files = frame_files(files) if format != "frames" else [file for file in files if file.suffix.lower() == ".json"]
    if not files:
        raise ValueError(
            f"{path}: holds no files *{SUFFIX} or <video>_<frame>.json of one frame each; give the folder that "
            "OpenPose's --write_json wrote, or the files one by one"
        )
    if files[0].suffix.lower() == ".txt":
        return read_yolo(path, files, name, keypoint_set)
    if files[0].name.endswith(SUFFIX):
        return read_openpose(path, name, keypoint_set)
    return read_frame_files(path, files, name, keypoint_set)


def _format_of(path: Path, content: Any) -> str:
    if isinstance(content, dict):
        if "instance_info" in content:
            return "mmpose"
        return "annotations" if isinstance(content.get("annotations"), list) else _frames_or_none(path, content)
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict):
        if "frame_id" in first and "instances" in first:
            return "mmpose"
        if "image_id" in first:
            return "alphapose" if "idx" in first or isinstance(first["image_id"], str) else "coco"
    return _frames_or_none(path, content)


def _frames_or_none(path: Path, content: Any) -> str:
    if isinstance(content, list | dict) and content:
        return "frames"
    raise ValueError(
        f"{path}: holds no people; a list of frames, or of people with 'image_id', is expected: "
        "docs/formats_read.md shows what is read"
    )
