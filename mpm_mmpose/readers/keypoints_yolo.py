"""Ultralytics' labels (``save_txt=True``): one text file per frame, one line per person, all as shares of the image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .detections import DetectionRows, Detections
from .files import read_text
from .frame_names import frames_of_names
from .keypoint_choice import KeypointMap

# class, x, y, width, height; 17 keypoints; perhaps confidence and track id
_BOX, _KEYPOINTS = 5, 17


def read_yolo(
    folder: Path, files: Iterable[Path], name: str, keypoint_set: str | KeypointMap = "auto"
) -> list[Detections]:
    """The people of a folder ``labels``, a :class:`Detections` a video; files are called ``<video>_<frame>.txt``.

    A line is class, box (x y of its middle, width, height), 17 keypoints (x, y, confidence) or (x, y), and perhaps the
    box's confidence and the track's id. Frames without anybody have no file. Raises ValueError or OSError (file, line).
    """
    rows: dict[str, DetectionRows] = {}
    files = sorted(files)
    places = frames_of_names([file.stem for file in files])
    if places is None:
        raise ValueError(f"{folder}: some name of a file does not say the frame; <video>_<frame>.txt is expected")
    for file, (video, frame) in zip(files, places, strict=True):
        table = rows.setdefault(video, DetectionRows(name, folder))
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if line.strip():
                _add(table, f"{file.name}, line {number}", frame, line)
    for video, table in rows.items():
        table.name = f"{name}/{video}" if len(rows) > 1 else name
    return [table.finish(keypoint_set) for table in rows.values()]


def _add(table: DetectionRows, where: str, frame: int, line: str) -> None:
    try:
        values = np.array(line.split(), dtype=np.float64)
    except ValueError:
        raise ValueError(f"{table.path}: {where}: holds words; the labels of a pose model are numbers") from None
    parts = next((parts for parts in (3, 2) if 0 <= len(values) - _BOX - parts * _KEYPOINTS <= 2), None)
    if parts is None:
        raise ValueError(
            f"{table.path}: {where}: has {len(values)} numbers, not {_BOX + 3 * _KEYPOINTS} (box and {_KEYPOINTS} "
            "keypoints, perhaps confidence and id); give the labels of a pose model"
        )
    keypoints = values[_BOX : _BOX + parts * _KEYPOINTS].reshape(-1, parts)
    rest = values[_BOX + parts * _KEYPOINTS :]
    track = rest[-1] if len(rest) and rest[-1] >= 1 and rest[-1] % 1 == 0 else None
    scores = keypoints[:, 2] if parts == 3 else (keypoints > 0).any(-1).astype(float)  # (0, 0) is not found
    middle, size = values[1:3], values[3:5]
    table.add(where, frame, keypoints[:, :2], scores, [*(middle - size / 2), *(middle + size / 2)], track)
