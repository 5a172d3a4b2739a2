"""The file formats by name and suffix, and writing a scene in one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..pose.scene import Scene
from .arrays import write_npz
from .bvh import write_bvh
from .c3d import write_c3d
from .files import Written
from .mmpose_json import write_json
from .table import write_csv
from .trc import write_trc

#: Writers by name; a file's suffix is the name with a dot before it.
WRITERS: dict[str, Callable[[Path, Scene], Path | Written]] = {
    "json": write_json,
    "npz": write_npz,
    "csv": write_csv,
    "bvh": write_bvh,
    "trc": write_trc,
    "c3d": write_c3d,
}


def write_scene(path: str | Path, scene: Scene) -> Written:
    """Write a scene in the format that the path's suffix says: one file, or for BVH and TRC a file a person.

    Each file is there as a whole or not at all. Raises ValueError for a suffix that is not known (lists the known), and
    for a scene that the format cannot hold; OSError where nothing can be written.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower().removeprefix("."))
    if writer is None:
        known = ", ".join(f".{name}" for name in WRITERS)
        raise ValueError(f"{path}: suffix {path.suffix!r} is not known; give one of {known}")
    written = writer(path, scene)
    paths, notes = written if isinstance(written, Written) else ([written], [])
    # BVH has poses in these frames, and says how it came to them.
    return Written(paths, [*notes, *(_missing(scene) if writer is not write_bvh else ())])


def _missing(scene: Scene) -> list[str]:
    """Who has frames without 3D, for whatever reason."""
    notes = []
    for person in scene.people:
        without = int((~np.isfinite(person.keypoints_3d).all((1, 2))).sum())
        if without:
            notes.append(f"person {person.name} has no 3D in {without} of {len(person.frames)} frames")
    return notes
