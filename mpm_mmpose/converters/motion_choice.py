"""Which motion files and clips become a store: splits that a file lists, grades that clips have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..messages import shortened
from ..readers.json_file import read_json
from ..readers.motion import Motion


def chosen_files(files: Sequence[Path], split_file: str | Path, split: str) -> list[Path]:
    """Those of ``files`` whose names without suffix stand in a split of a JSON file ``{split: [name, ...]}``.

    Raises ValueError or OSError (file, field, fix), also where a name of the split is not among the files.
    """
    splits = read_json(split_file)
    if not isinstance(splits, dict) or split not in splits:
        known = shortened(", ".join(splits)) if isinstance(splits, dict) else "none"
        raise ValueError(f"{split_file}: has no split {split!r}; it has {known}")
    names = splits[split]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{split_file}: split {split!r} is not a list of file names; correct the file")
    if missing := sorted(set(names) - {file.stem for file in files}):
        raise ValueError(
            f"{split_file}: split {split!r} names {shortened(', '.join(missing[:5]))}{', ...' if missing[5:] else ''}, "
            "which is not among the files; give the folder that holds all of them"
        )
    return [file for file in files if file.stem in names]


def chosen_clips(clips: Sequence[Motion], grades: Sequence[str] | None) -> list[Motion]:
    """The clips of one of the ``grades``, and those that have none; all where ``grades`` is None."""
    return [clip for clip in clips if grades is None or not clip.grade or clip.grade in grades]
