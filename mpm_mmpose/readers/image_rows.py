"""What MMPose's files of Human3.6M and MPI-INF-3DHP share: a row an image, and cameras as tables of numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..messages import brief
from .h36m import LARGEST

Take = TypeVar("Take")
#: Rows and frame numbers by (subject, take) and camera.
Rows = dict[tuple[str, str], dict[str, tuple[list[int], list[int]]]]
#: What may be wrong with a camera's table.
NO_NUMBERS = (KeyError, IndexError, TypeError, ValueError, OverflowError)


def check_names(path: Path, names: Any) -> None:
    """ValueError (file, field, fix) unless these are a list of names (N,)."""
    if not isinstance(names, np.ndarray) or names.dtype.kind != "U" or names.ndim != 1:
        raise ValueError(f"{path}: field 'imgname' is no list of names; give MMPose's file")


def group_rows(path: Path, names: np.ndarray, read: Callable[[str], tuple[str, ...] | None], wrong: str) -> Rows:
    """The rows of images with these names.

    read: subject, take, camera and frame number of a name, None where it does not say them, of which ``wrong`` speaks.
    Raises ValueError (file, field, fix) for such a name.
    """
    groups: Rows = {}
    for row, name in enumerate(names.tolist()):
        parts = read(name)
        if parts is None:
            raise ValueError(f"{path}: field 'imgname', row {row}: {brief(name)} {wrong}; give MMPose's file")
        subject, take, camera, number = parts
        rows, numbers = groups.setdefault((subject, take), {}).setdefault(camera, ([], []))
        rows.append(row)
        numbers.append(int(number))
    return groups


def recordings_of(rows: Rows, take: Callable[[str, str, int], Take]) -> list[Take]:
    """All takes, each with how many cameras saw it, in the order of the file."""
    return [take(subject, name, len(views)) for (subject, name), views in rows.items()]


def camera_numbers(camera: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A field of a camera's table in this shape; one of NO_NUMBERS where it is none."""
    value = np.asarray(camera[name], dtype=np.float64).reshape(shape)
    if not (np.abs(value) <= LARGEST).all():
        raise ValueError
    return value


def camera_size(camera: Any) -> tuple[int, int]:
    """Width and height, px, in a camera's table; one of NO_NUMBERS where there are none."""
    width, height = int(camera["w"]), int(camera["h"])
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        raise ValueError
    return width, height
