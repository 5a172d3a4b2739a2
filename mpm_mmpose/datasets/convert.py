"""Motion capture files to a pose store: read, film with virtual cameras, write; in parallel and reproducibly."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from .agreement import Agreement
from .pose_sequence import PoseSequence
from .readers import find_motion_files, read_motion
from .store_writer import write_store
from .virtual_camera import LIKE_HUMAN36M, CameraRanges, film


@dataclass
class Conversion:
    """What a conversion did: clips and frames read (each counted once, not once a camera), (file, reason) skipped.

    agreement: of 2D with 3D, where the files have both.
    """

    store: Path
    clips: int = 0
    frames: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)


def convert_mocap(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    format: str = "auto",
    fps: float | None = None,
    cameras: int = 4,
    seed: int = 0,
    ranges: CameraRanges = LIKE_HUMAN36M,
    workers: int | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from motion files and folders of them, each clip seen by ``cameras`` virtual cameras.

    fps: resample to this rate; None keeps each file's own. ranges: what the cameras are drawn from. workers: processes,
    by default one a core; the store is the same for any number. A clip is called by its file's stem, or by its path
    below the folder that all files have in common where stems occur twice; its sequences are ``<clip>.cam<i>``.
    Raises ValueError or OSError (file, reason) for a file that cannot be read; with ``skip_bad`` such files are left
    out and listed, and ValueError is raised only if none is left. See also ``find_motion_files``, ``write_store``.
    """
    files = find_motion_files(paths, format)
    names = clip_names(files)
    jobs = [(file, names[file]) for file in files]
    work = partial(_convert_file, format=format, fps=fps, cameras=cameras, seed=seed, ranges=ranges)
    report = Conversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/mocap.py",
        made_from=[str(path) for path in paths],
        files=len(files),
        fps=fps,
        cameras=cameras,
        seed=seed,
        camera_ranges=asdict(ranges),
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
    )
    with _results(work, jobs, workers) as results:
        results = tqdm(results, total=len(jobs), unit="clip", desc=f"Converting to {out}", disable=not progress)
        write_store(out, read_sequences(results, report, skip_bad), meta, overwrite)
    return report


def clip_names(files: Sequence[Path]) -> dict[Path, str]:
    """A name of its own for each file: its stem, or its path below the files' common folder where stems clash."""
    stems = Counter(file.stem for file in files)
    common = os.path.commonpath([file.absolute().parent for file in files])
    return {
        file: file.stem
        if stems[file.stem] == 1
        else Path(os.path.relpath(file.absolute(), common)).with_suffix("").as_posix()
        for file in files
    }


def _convert_file(
    job: tuple[Path, str], *, format: str, fps: float | None, cameras: int, seed: int, ranges: CameraRanges
) -> tuple[str, list[PoseSequence] | Exception]:
    file, name = job
    try:
        motion = replace(read_motion(file, format), name=name)
        motion = motion if fps is None else motion.resampled(fps)
        return str(file), list(film(motion, cameras, seed, ranges))
    except (ValueError, OSError) as error:
        return str(file), error


def read_sequences(
    results: Iterable[tuple[str, list[PoseSequence] | Exception]], report: Conversion, skip_bad: bool
) -> Iterator[PoseSequence]:
    """Sequences of (file, sequences or the error) pairs, counted in ``report``; raises the first error, or lists it."""
    reason = None
    for file, result in results:
        if isinstance(result, Exception):
            reason = result
            if not skip_bad:
                raise reason
            report.skipped.append((file, str(reason)))
            continue
        report.clips += 1
        report.frames += len(result[0])
        yield from result
    if not report.clips:
        raise ValueError(f"none of {len(report.skipped)} files could be read; the last one: {reason}")


@contextmanager
def _results(work: partial, jobs: list, workers: int | None) -> Iterator[Iterator]:
    """Results in the order of the jobs, from processes that leave Ctrl-C to this one."""
    number = min(workers or len(os.sched_getaffinity(0)), len(jobs))
    if number <= 1:
        yield map(work, jobs)
        return
    # fork: a fresh interpreter would import torch and mmpose again, which takes longer than the work.
    pool = ProcessPoolExecutor(number, get_context("fork"), signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield pool.map(work, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
