"""The AMASS archive of MPM's released code to a pose store: its 2D and 3D as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from ..data.store_writer import write_store
from ..pose.pose_sequence import PoseSequence
from ..readers.amass_released import ReleasedAmass
from .stores import Conversion, read_sequences


def convert_released_amass(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    size: tuple[int, int] = (1000, 1000),
    fps: float = 50.0,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from files of the released code's layout, one sequence per clip; nothing is resampled.

    size, fps: see ``ReleasedAmass``. Raises ValueError or OSError (file, clip, reason) for a file or clip that cannot
    be read; with ``skip_bad`` such are left out and listed, and ValueError is raised only if none is left.
    """
    report = Conversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/amass.py",
        made_from=[str(path) for path in paths],
        format="released",
        files=len(paths),
        size=list(size),
        fps=fps,
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
    )
    results = tqdm(_read(paths, size, fps), unit="clip", desc=f"Converting to {out}", disable=not progress)
    write_store(out, read_sequences(results, report, skip_bad), meta, overwrite)
    return report


def _read(
    paths: Sequence[str | Path], size: tuple[int, int], fps: float
) -> Iterator[tuple[str, list[PoseSequence] | Exception]]:
    for path in paths:
        try:
            file = ReleasedAmass(path, size, fps)
        except (ValueError, OSError) as error:
            yield str(path), error
            continue
        for name in file.names():
            try:
                result = [file.read(name)]
            except ValueError as error:
                result = error
            yield f"{path}: {name}", result
