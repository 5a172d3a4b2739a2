"""The file formats by name and suffix, and writing a scene in one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..format_names import suffix_of
from ..pose.scene import Scene
from .arrays import write_npz
from .bvh import write_bvh
from .c3d import write_c3d
from .files import Written
from .glb import write_glb
from .mmpose_json import write_json
from .smpl import write_smpl
from .table import write_csv
from .trc import write_trc

#: Writers by name; see :func:`~mpm_mmpose.format_names.suffix_of`.
WRITERS: dict[str, Callable[[Path, Scene], Path | Written]] = {
    "json": write_json,
    "npz": write_npz,
    "csv": write_csv,
    "bvh": write_bvh,
    "trc": write_trc,
    "c3d": write_c3d,
    "glb": write_glb,
    "smpl": write_smpl,
}
#: Formats of poses in every frame, which say themselves how they came to them.
_OF_MOTIONS = ("bvh", "glb", "smpl")


def write_scene(path: str | Path, scene: Scene) -> Written:
    """Write a scene in the format that the path's suffix says: one file, or for BVH, TRC, GLB and SMPL a file a
    person.

    Each file is there as a whole or not at all. Raises ValueError for a suffix that is not known (lists the known), and
    for a scene that the format cannot hold; OSError where nothing can be written.
    """
    path = Path(path)
    name = path.name.lower()
    fitting = [known for known in WRITERS if name.endswith(suffix_of(known)) and name != suffix_of(known)]
    if not fitting:
        known = ", ".join(map(suffix_of, WRITERS))
        raise ValueError(f"{path}: suffix {path.suffix!r} is not known; give one of {known}")
    name = max(fitting, key=lambda name: len(suffix_of(name)))
    written = WRITERS[name](path, scene)
    paths, notes = written if isinstance(written, Written) else ([written], [])
    return Written(paths, [*notes, *(() if name in _OF_MOTIONS else _missing(scene))])


def _missing(scene: Scene) -> list[str]:
    """People who have frames without 3D, for whatever reason."""
    notes = []
    for person in scene.people:
        without = int((~np.isfinite(person.keypoints_3d).all((1, 2))).sum())
        if without:
            notes.append(f"person {person.name} has no 3D in {without} of {len(person.frames)} frames")
    return notes
