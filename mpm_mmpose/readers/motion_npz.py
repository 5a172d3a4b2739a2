"""``.npz`` files that hold many clips of one subject, as open motion is given away in: no names of joints to guess."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..pose.keypoints import H36M_17
from .archives import npz_fields, read_npz
from .kinematics import y_up_to_z_up
from .motion import Motion, check_size

FIELDS = ("positions", "lengths", "names", "keypoints", "fps", "up", "unit", "subject")
OPTIONAL = ("descriptions", "grade")
UNITS = {"mm": 0.001, "cm": 0.01, "m": 1.0}
UPS = ("z", "y")


def is_motion_npz(path: str | Path) -> bool:
    """Whether an archive has the fields of this layout; False for a file that is no archive."""
    try:
        return set(FIELDS) <= set(npz_fields(path))
    except ValueError:
        return False


def read_motion_npz(path: str | Path) -> list[Motion]:
    """All clips of a file, called ``<file>/<clip>``.

    positions (sum T, 17, 3) in ``unit`` (mm, cm or m) with axis ``up`` (z or y) upwards, the clips one after the other;
    lengths (clips,) frames each; names and, where there are some, descriptions (which become actions) and grade
    (clips,); keypoints (17,) names, in any order; fps; subject.
    Raises ValueError or OSError (file, field, fix).
    """
    path = Path(path)
    arrays = read_npz(path, FIELDS, OPTIONAL)

    def wrong(field: str, problem: str) -> ValueError:
        return ValueError(f"{path}: field {field!r} {problem}; correct it, or fetch the file again")

    def word(field: str, known: Sequence[str]) -> str:
        value = str(arrays[field])
        if value not in known:
            raise wrong(field, f"is {value!r}, none of {', '.join(known)}")
        return value

    scale, up = UNITS[word("unit", tuple(UNITS))], word("up", UPS)
    order = _texts(arrays["keypoints"])
    if sorted(order) != sorted(H36M_17.names):
        raise wrong("keypoints", f"is {', '.join(order[:20])}, not the names of {H36M_17.name}")
    lengths = np.atleast_1d(arrays["lengths"])
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 1).any():
        raise wrong("lengths", "is not a number of frames, above 0, for each clip")
    names = _texts(arrays["names"])
    texts = {field: _texts(arrays[field]) for field in OPTIONAL if field in arrays}
    for field, values in {"names": names, **texts}.items():
        if len(values) != len(lengths):
            raise wrong(field, f"has {len(values)} entries, 'lengths' has {len(lengths)}")
    if len(set(names)) != len(names):
        raise wrong("names", "has a name twice")
    positions = np.asarray(arrays["positions"])
    if positions.dtype.kind not in "iuf" or positions.shape != (lengths.sum(), len(order), 3):
        raise wrong(
            "positions",
            f"is {positions.dtype} of shape {positions.shape}, not numbers ({lengths.sum()}, {len(order)}, 3) as "
            "'lengths' and 'keypoints' say",
        )
    points = positions[:, [order.index(name) for name in H36M_17.names]].astype(np.float32) * np.float32(scale)
    check_size(f"{path}: field 'unit'", points, scale)
    points = y_up_to_z_up(points) if up == "y" else points
    actions, grades = texts.get("descriptions", names), texts.get("grade", [""] * len(names))
    clips = zip(names, np.split(points, np.cumsum(lengths)[:-1]), actions, grades, strict=True)
    return [
        Motion(
            name=f"{path.stem}/{name}",
            keypoints_3d=clip,
            fps=float(arrays["fps"]),
            subject=str(arrays["subject"]),
            action=action or name,
            source=str(path),
            grade=grade,
        )
        for name, clip, action, grade in clips
    ]


def _texts(values: np.ndarray) -> list[str]:
    return [str(value) for value in np.atleast_1d(values)]
