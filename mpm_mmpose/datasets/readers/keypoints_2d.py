"""Files of 2D detectors: which there are in folders, which format each has, and the people in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .detections import Detections
from .files import files_below
from .json_file import read_json
from .keypoints_coco import read_alphapose, read_coco
from .keypoints_mmpose import read_mmpose
from .keypoints_openpose import SUFFIX, read_openpose
from .keypoints_videopose3d import read_videopose3d

_JSON = {"mmpose": read_mmpose, "coco": read_coco, "alphapose": read_alphapose}
FORMATS = (*_JSON, "openpose", "videopose3d")


def find_keypoint_files(paths: Iterable[str | Path], format: str = "auto") -> list[Path]:
    """What to read among ``paths`` and in the folders among them, however deep; sorted, each once.

    OpenPose's folders count as one, not their files; of other formats these are ``.json`` and ``.npz`` files. Raises
    FileNotFoundError for a path that is not there, PermissionError for a closed folder, ValueError for a folder without
    any or an unknown format.
    """
    if format not in ("auto", *FORMATS):
        raise ValueError(f"format {format!r} is not known; use auto, {', '.join(FORMATS)}")
    found: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path}: does not exist; give what a 2D detector wrote, or a folder of it")
        if not path.is_dir():
            found.add(path.parent if path.name.endswith(SUFFIX) and format in ("auto", "openpose") else path)
            continue
        below = {
            file.parent if file.name.endswith(SUFFIX) else file
            for file in files_below(path)
            if file.suffix in (".json", ".npz") and _may_be(file, format)
        }
        if not below:
            raise ValueError(
                f"{path}: holds no .json, .npz or *{SUFFIX} files of format {format!r}; give another folder"
            )
        found |= below
    return sorted(found)


def _may_be(file: Path, format: str) -> bool:
    if file.name.endswith(SUFFIX):
        return format in ("auto", "openpose")
    return format in ("auto", "videopose3d") if file.suffix == ".npz" else format in ("auto", *_JSON)


def read_keypoints_2d(
    path: str | Path, name: str | None = None, format: str = "auto", keypoint_set: str = "auto"
) -> list[Detections]:
    """The people in a file, or in a folder of OpenPose's, a :class:`Detections` a video.

    name: what to call the video, by default as the file; videos of one file are ``<name>/<video>``. format: one of
    ``FORMATS``, 'auto' for what the contents look like. keypoint_set: 'auto' for what the file says, else what so many
    keypoints stand for. Raises ValueError or OSError (file, place, field, fix).
    """
    path = Path(path)
    name = path.stem if name is None else name
    if format == "openpose" or (format == "auto" and path.is_dir()):
        if not path.is_dir():
            raise ValueError(f"{path}: is no folder; give the one that OpenPose's --write_json wrote")
        return read_openpose(path, name, keypoint_set)
    if format == "videopose3d" or (format == "auto" and path.suffix == ".npz"):
        return read_videopose3d(path, name, keypoint_set)
    content = read_json(path)
    return _JSON[_format_of(path, content) if format == "auto" else format](path, name, content, keypoint_set)


def _format_of(path: Path, content: Any) -> str:
    if isinstance(content, dict) and "instance_info" in content:
        return "mmpose"
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict):
        if "frame_id" in first:
            return "mmpose"
        if "image_id" in first:
            return "alphapose" if "idx" in first or isinstance(first["image_id"], str) else "coco"
    raise ValueError(
        f"{path}: looks like none of {', '.join(FORMATS)}: a list with 'image_id' or 'frame_id', or 'instance_info', "
        "is expected; say which format it has, or leave it out"
    )
