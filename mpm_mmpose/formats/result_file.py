"""The plain arrays of an ``.npz`` of results or of an evaluation, each of its kind and of values that can be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..limits import FARTHEST, LARGEST_IMAGE, LARGEST_SCORE, MOST_FRAMES
from ..messages import brief
from ..readers.archives import npz_fields, read_npz

#: Bytes that a field may take.
LIMIT = 2**30
_AGAIN = "write it again"
_PIXELS, _SECONDS = 1e6, 1e9
# field: kinds of numpy's types, number of axes, largest value
_FIELDS = {
    "person": ("U", 1, None),
    "frame": ("iu", 1, MOST_FRAMES),
    "frame_times": ("f", 1, _SECONDS),
    "keypoints_3d": ("f", 3, FARTHEST),
    "masked": ("b", 2, None),
    "spread": ("f", 2, FARTHEST),
    "misfit": ("f", 1, LARGEST_SCORE),
    "trajectory": ("f", 2, 1e6),  # a guess, and a wild one where the lens is unknown
    "ground_truth": ("f", 3, FARTHEST),
    "keypoints_2d": ("f", 3, _PIXELS),
    "scores_2d": ("fb", 2, LARGEST_SCORE),
    "keypoint_set": ("U", 0, None),
    "keypoint_set_2d": ("U", 0, None),
    "notes": ("U", 1, None),
    "made_by": ("U", 0, None),
    "width": ("iu", 0, LARGEST_IMAGE),
    "height": ("iu", 0, LARGEST_IMAGE),
    "fps": ("iuf", 0, None),
    "prediction": ("f", 3, FARTHEST),
    "counted": ("b", 2, None),
    "sequence": ("iu", 1, MOST_FRAMES),
    "sequences": ("U", 1, None),
    "keypoints": ("U", 1, None),
}
# Where NaN says that something is not known.
_UNKNOWN = (
    "keypoints_3d",
    "spread",
    "misfit",
    "trajectory",
    "ground_truth",
    "keypoints_2d",
    "scores_2d",
    "prediction",
    "fps",
)


def read_arrays(path: str | Path, needed: Iterable[str], optional: Iterable[str]) -> dict[str, np.ndarray]:
    """The fields of a file, ``optional`` ones where it has them.

    Raises ValueError (file, field, fix) for what is missing, of another kind or absurd, OSError where the file cannot
    be read. Nothing in it is unpickled into anything but plain values, and sizes are checked before memory is taken.
    """
    path = Path(path)
    needed = list(needed)
    if missing := [name for name in needed if name not in npz_fields(path)]:
        raise ValueError(f"{path}: has no {', '.join(missing)}; give an .npz that this package wrote of 3D results")
    arrays = read_npz(path, needed, list(optional), LIMIT)
    return {name: _check(f"{path}: {name}", name, array) for name, array in arrays.items()}


def _check(where: str, name: str, array: np.ndarray) -> np.ndarray:
    kinds, axes, limit = _FIELDS[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds or array.ndim != axes:
        is_empty = isinstance(array, np.ndarray) and array.ndim == axes and not array.size  # numpy makes floats of []
        if not is_empty:
            raise ValueError(f"{where} is {brief(array)}, not what this package writes there; {_AGAIN}")
        return array.astype("U1" if kinds == "U" else array.dtype)
    if array.dtype.kind == "b":
        array = array.view(np.uint8) != 0  # other bytes than 0 and 1 are neither for numpy
    elif limit is not None:
        values = array if array.dtype.kind in "iu" else array.astype(np.float64)
        good = (values <= limit) & (values >= (0 if array.dtype.kind in "iu" else -limit))
        if name in _UNKNOWN:
            good |= np.isnan(values)
        if not good.all():
            raise ValueError(f"{where} has a value of {values[~good][0]:g}, and {limit:g} is the most; {_AGAIN}")
    return array
