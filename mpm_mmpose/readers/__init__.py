"""Readers of motion files: a path in, :class:`~mpm_mmpose.readers.motion.Motion` out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .asf_amc import read_asf_amc
from .bvh import read_bvh
from .files import files_below
from .motion import Motion
from .motion_npz import is_motion_npz, read_motion_npz

__all__ = ["Motion", "find_motion_files", "read_asf_amc", "read_bvh", "read_motion", "read_motion_npz", "read_motions"]

# format: (suffix of its files, reader of one clip or of a list of clips)
MOTION_FORMATS = {
    "bvh": (".bvh", read_bvh),
    "asf_amc": (".amc", read_asf_amc),
    "motion_npz": (".npz", read_motion_npz),
}

# format: what people may say of its files
SAID = {"bvh": ("unit", "up", "fps", "joint_map"), "asf_amc": ("fps",), "motion_npz": ()}


def find_motion_files(paths: Iterable[str | Path], format: str = "auto") -> list[Path]:
    """Motion files among ``paths`` and in the folders among them, however deep; sorted, each once.

    format: 'bvh', 'asf_amc' (the .amc trials; their skeletons lie beside them), 'motion_npz' (many clips a file), or
    'auto' for all. A file that is named itself is taken whatever its suffix, unless the format is 'auto'; of a folder's
    .npz files only those with the fields of motion are. Raises FileNotFoundError for a path that is not there,
    PermissionError for a closed folder, ValueError for one without motion files or a file of unknown format.
    """
    suffixes = [suffix for name, (suffix, _) in MOTION_FORMATS.items() if format in ("auto", name)]
    if not suffixes:
        raise ValueError(f"format {format!r} is not known; use auto, {', '.join(MOTION_FORMATS)}")
    files: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            found = [file for file in files_below(path) if file.suffix.lower() in suffixes]
            found = [file for file in found if file.suffix.lower() != ".npz" or is_motion_npz(file)]
            if not found:
                raise ValueError(
                    f"{path}: holds no {' or '.join(suffixes)} files of motion; give a folder or file of motion capture"
                )
            files.update(found)
        elif not path.exists():
            raise FileNotFoundError(f"{path}: does not exist; give a folder or file of motion capture")
        elif format == "auto" and path.suffix.lower() not in suffixes:
            raise ValueError(
                f"{path}: suffix {path.suffix!r} is none of {', '.join(suffixes)}; say which format it has"
            )
        else:
            files.add(path)
    return sorted(files)


def read_motions(path: str | Path, format: str = "auto", **said: Any) -> list[Motion]:
    """All clips of one motion file; 'auto' goes by its suffix.

    said: what is known and the file does not say, or says wrongly: arguments of :func:`read_bvh`. Of these
    :func:`read_asf_amc` has but ``fps``, and files of clips say all.
    Raises ValueError or OSError naming the file and what to do.
    """
    path = Path(path)
    for name, (suffix, reader) in MOTION_FORMATS.items():
        if format == name or (format == "auto" and path.suffix.lower() == suffix):
            clips = reader(path, **{key: said[key] for key in SAID[name] if said.get(key) is not None})
            return clips if isinstance(clips, list) else [clips]
    raise ValueError(
        f"{path}: no reader for format {format!r} and suffix {path.suffix!r}; use {', '.join(MOTION_FORMATS)}"
    )


def read_motion(path: str | Path, format: str = "auto") -> Motion:
    """The clip of a motion file that holds one; raises as :func:`read_motions`, and ValueError where there are more."""
    clips = read_motions(path, format)
    if len(clips) != 1:
        raise ValueError(f"{path}: holds {len(clips)} clips; give a file of one, or take them with read_motions")
    return clips[0]
