"""Human3.6M's published files to pose stores, one store per split, each all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from ..data.store_writer import write_store
from ..messages import of_file, shortened
from ..pose.pose_sequence import PoseSequence
from ..readers.archives import npz_fields
from ..readers.h36m import SKIP_LISTS, TEST_SUBJECTS, TRAIN_SUBJECTS, H36MRecording, Source
from ..readers.h36m_mmpose import MMPoseFiles
from ..readers.h36m_videopose3d import VideoPose3DFiles
from .stores import Conversion, read_sequences


def open_h36m(
    paths: Sequence[str | Path], keypoints_2d: Sequence[str | Path] = (), cameras: str | Path | None = None
) -> list[Source]:
    """Readers of Human3.6M's files, whichever layout they have: VideoPose3D's or MMPose's.

    keypoints_2d: a file of 2D for each of ``paths``, or none. cameras: MMPose's ``cameras.pkl``.
    Raises ValueError or OSError (file, field, fix).
    """
    if keypoints_2d and len(keypoints_2d) != len(paths):
        raise ValueError(
            f"{len(keypoints_2d)} files of 2D are given for {len(paths)} of 3D; give one for each, or none"
        )
    sources: list[Source] = []
    for path, path_2d in zip(paths, keypoints_2d or [None] * len(paths), strict=True):
        fields = npz_fields(path)
        if "positions_3d" in fields:
            sources.append(VideoPose3DFiles(path, path_2d))
        elif "imgname" in fields:
            sources.append(MMPoseFiles(path, path_2d, cameras))
        else:
            raise ValueError(
                f"{path}: has neither field 'positions_3d' (VideoPose3D's data_3d_h36m.npz) nor 'imgname' (MMPose's "
                f"h36m_train.npz) but {shortened(', '.join(fields)) or 'none'}; give one of these files"
            )
    return sources


def convert_h36m(
    sources: Sequence[Source],
    out: str | Path,
    subjects: Sequence[str],
    *,
    skip: str = "none",
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from the recordings of ``subjects``, one sequence per camera.

    skip: a list of recordings to leave out, see ``SKIP_LISTS``. Recordings of a subject that Human3.6M does not have,
    or with other faults, raise ValueError (file, field, fix); with ``skip_bad`` they are left out and listed. Raises
    ValueError also where nothing is left; see also ``write_store``.
    """
    known = {*TRAIN_SUBJECTS, *TEST_SUBJECTS}
    jobs = [
        (source, recording)
        for source in sources
        for recording in source.recordings()
        if (recording.subject in subjects or recording.subject not in known) and recording.name not in SKIP_LISTS[skip]
    ]
    report = Conversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/h36m.py",
        made_from=[str(file) for source in sources for file in source.files],
        subjects=list(subjects),
        skip=skip,
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
    )
    if not any(recording.subject in subjects for _, recording in jobs):
        raise ValueError(
            f"{', '.join(meta['made_from'])}: no recording of {', '.join(subjects)}; is it the right file?"
        )
    total = sum(recording.cameras for _, recording in jobs)
    with tqdm(total=total, unit="sequence", desc=f"Converting to {out}", disable=not progress) as bar:
        write_store(out, read_sequences(_results(jobs, report, bar), report, skip_bad), meta, overwrite)
    return report


def _results(
    jobs: Sequence[tuple[Source, H36MRecording]], report: Conversion, bar: tqdm
) -> Iterator[tuple[str, list[PoseSequence] | Exception]]:
    """The sequences of each recording, or what is wrong with it."""
    for source, recording in jobs:
        try:
            sequences = source.read(recording)
            for sequence in sequences:
                report.agreement.add(str(source.files[-1] if len(source.files) > 1 else source.files[0]), sequence)
        except ValueError as error:
            yield recording.name, of_file(error, source.files[0])
        else:
            yield recording.name, sequences
        bar.update(recording.cameras)
