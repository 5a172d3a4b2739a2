"""Motion capture files to a pose store: read, project with virtual cameras, write; in parallel and reproducibly."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..data.store_writer import write_store
from ..pose.pose_sequence import PoseSequence
from ..readers import find_motion_files, read_motions
from .agreement import Agreement
from .motion_choice import chosen_clips, chosen_files
from .motion_faults import cut_jumps, describe_jumps, find_jumps
from .noisy_sequence import noisy_sequence
from .virtual_camera import LIKE_HUMAN36M, CameraRanges, project_views


@dataclass
class Conversion:
    """What a conversion did: clips and frames read (each counted once, not once per camera), (file, reason) skipped.

    notes: on what is uncertain in the files that were taken. agreement: of 2D with 3D, where the files have both.
    """

    store: Path
    clips: int = 0
    frames: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)
    notes: list[str] = field(default_factory=list)


def convert_mocap(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    format: str = "auto",
    split: tuple[str | Path, str] | None = None,
    grades: Sequence[str] | None = None,
    said: Mapping[str, Any] | None = None,
    cut: bool = False,
    fps: float | None = None,
    piece: float | None = None,
    cameras: int = 4,
    seed: int = 0,
    ranges: CameraRanges = LIKE_HUMAN36M,
    detector_errors: bool = False,
    workers: int | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from motion files and folders of them, each clip seen by ``cameras`` virtual cameras.

    split: a JSON file of file names by split, and the split to take. grades: of files that grade their clips take
    these. said: what is known of the files, see ``read_motions``. cut: cut clips where a limb jumps, see ``cut_jumps``;
    notes say where, either way. fps: resample to this rate; None keeps each file's own. piece: cut clips into pieces of
    at most so many s, each with cameras of its own. ranges: what the cameras are drawn from. detector_errors: give the
    2D errors, see :func:`noisy_sequence`. workers: processes, by default one per core; the store is the same for any
    number. A clip is called by its file's stem, or by its path below the folder that all files have in common where
    stems occur twice; ``<that>/<its name>`` where a file holds several. Its sequences are ``<clip>.cam<i>``.
    Raises ValueError or OSError (file, reason) for a file that cannot be read; with ``skip_bad`` such files are left
    out and listed, and ValueError is raised only if none is left. See also ``find_motion_files``, ``write_store``.
    """
    files = find_motion_files(paths, format)
    files = files if split is None else chosen_files(files, *split)
    names = clip_names(files)
    jobs = [(file, names[file]) for file in files]
    work = partial(
        _convert_file,
        format=format,
        grades=grades,
        said=said or {},
        cut=cut,
        fps=fps,
        piece=piece,
        cameras=cameras,
        seed=seed,
        ranges=ranges,
        detector_errors=detector_errors,
    )
    report = Conversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/mocap.py",
        made_from=[str(path) for path in paths],
        files=len(files),
        split=split and [str(split[0]), split[1]],
        grades=grades and list(grades),
        said=said and dict(said),
        cut=cut,
        fps=fps,
        piece=piece,
        detector_errors=detector_errors,
        cameras=cameras,
        seed=seed,
        camera_ranges=asdict(ranges),
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
        notes=report.notes,
    )
    with _results(work, jobs, workers) as results:
        results = tqdm(results, total=len(jobs), unit="file", desc=f"Converting to {out}", disable=not progress)
        write_store(out, read_sequences(_by_clip(results, report), report, skip_bad), meta, overwrite)
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
    job: tuple[Path, str],
    *,
    format: str,
    grades: Sequence[str] | None,
    said: Mapping[str, Any],
    cut: bool,
    fps: float | None,
    piece: float | None,
    cameras: int,
    seed: int,
    ranges: CameraRanges,
    detector_errors: bool,
) -> tuple[str, list[tuple[list[PoseSequence], list[str]]] | Exception]:
    """The file, and for each of its clips what the cameras see of it and what is to be known; or the error."""
    file, name = job
    try:
        clips = []
        for motion in chosen_clips(read_motions(file, format, **said), grades):
            # readers call a clip by the file's stem, and what is after it says which of several it is
            motion = replace(motion, name=name + motion.name.removeprefix(file.stem))
            jumps = find_jumps(motion)
            notes = [f"{motion.name}: {note}" for note in (*motion.notes, *describe_jumps(jumps, motion.fps))]
            for whole in cut_jumps(motion, jumps) if cut else [motion]:
                whole = whole if fps is None else whole.resampled(fps)
                for part in [whole] if piece is None else whole.pieces(piece):
                    views = list(project_views(part, cameras, seed, ranges))
                    views = [noisy_sequence(view, seed) for view in views] if detector_errors else views
                    clips.append((views, notes))
                    notes = []
        return str(file), clips
    except (ValueError, OSError) as error:
        return str(file), error


def _by_clip(
    results: Iterable[tuple[str, list | Exception]], report: Conversion
) -> Iterator[tuple[str, list[PoseSequence] | Exception]]:
    for file, result in results:
        if isinstance(result, Exception):
            yield file, result
            continue
        for views, notes in result:
            report.notes += notes
            yield file, views


def read_sequences(
    results: Iterable[tuple[str, list[PoseSequence] | Exception]], report: Conversion, skip_bad: bool
) -> Iterator[PoseSequence]:
    """Sequences of (file or recording, its sequences or the error) pairs, counted in ``report``.

    Raises the first error, or lists it.
    """
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
    if not report.clips and not report.skipped:
        raise ValueError("the files hold none of the clips that were asked for; ask for other grades")
    if not report.clips:
        raise ValueError(f"none of {len(report.skipped)} could be read; the last one: {reason}")


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
