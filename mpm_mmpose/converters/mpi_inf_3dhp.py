"""MPI-INF-3DHP's published files to pose stores, one store per split, each all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from ..data.store_writer import write_store
from ..messages import of_file, shortened
from ..pose.pose_sequence import PoseSequence
from ..readers.archives import npz_fields
from ..readers.matlab import MissingPackageError
from ..readers.mpi_inf_3dhp import ANNOTATIONS, TEST_SUBJECTS, TRAIN_SUBJECTS, MPIInf3DHPRecording, Source
from ..readers.mpi_inf_3dhp_mmpose import MMPoseFiles
from ..readers.mpi_inf_3dhp_original import TestFile, TrainingFile, find_original
from ..readers.mpi_inf_3dhp_pstmo import PSTMOFiles
from .agreement import Agreement
from .stores import Conversion, read_sequences


def open_3dhp(paths: Sequence[str | Path], annotation: str) -> list[Source]:
    """Readers of MPI-INF-3DHP's files, whichever layout they have: the original, P-STMO's or MMPose's.

    paths: files, and folders of original ones. annotation: one of ``ANNOTATIONS``, the ground truth that is wanted.
    Raises ValueError or OSError (file, field, fix).
    """
    if annotation not in ANNOTATIONS:
        raise ValueError(f"annotation {annotation!r} is not known; say which is wanted, {' or '.join(ANNOTATIONS)}")
    sources: list[Source] = []
    for path in map(Path, paths):
        for file in find_original(path) if path.is_dir() else [path]:
            sources.append(_reader(file)(file, annotation))
    return sources


def convert_3dhp(
    sources: Sequence[Source],
    out: str | Path,
    subjects: Sequence[str],
    annotation: str,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from the recordings of ``subjects``, one sequence per camera, in ``mpi_inf_3dhp_17``.

    annotation: as the sources were opened; the store's ``meta`` names it. ``meta['activities']`` holds, by recording of
    the test, (first frame, activity 1 to 7) of each stretch of one activity where the files say so. Recordings with
    faults, and of subjects that there are not, raise ValueError (file, field, fix); with ``skip_bad`` they are left out
    and listed. Raises ValueError also where nothing is left, and where h5py is missing; see also ``write_store``.
    """
    known = {*TRAIN_SUBJECTS, *TEST_SUBJECTS}
    jobs = [
        (source, recording)
        for source in sources
        for recording in source.recordings()
        if recording.subject in subjects or recording.subject not in known
    ]
    report, activities = Conversion(Path(out)), {}
    meta = dict(
        made_by="tools/dataset_converters/mpi_inf_3dhp.py",
        made_from=[str(file) for source in sources for file in source.files],
        subjects=list(subjects),
        annotation=annotation,
        scores="validity",  # of 2D and 3D alike, not a detector's confidence
        activities=activities,  # these two are filled while the sequences stream into the store, before meta is written
        skipped=report.skipped,
    )
    if not any(recording.subject in subjects for _, recording in jobs):
        raise ValueError(
            f"{', '.join(meta['made_from'])}: no recording of {', '.join(subjects)}; is it the right file or folder?"
        )
    results = tqdm(
        _results(jobs, activities, report.agreement),
        total=len(jobs),
        unit="recording",
        desc=f"Converting to {out}",
        disable=not progress,
    )
    write_store(out, _counted(read_sequences(results, report, skip_bad), report), meta, overwrite)
    return report


def _counted(sequences: Iterator[PoseSequence], report: Conversion) -> Iterator[PoseSequence]:
    """The sequences, with the frames of each recording's first camera counted even where there are gaps in them."""
    frames: dict[tuple[str, str], dict[str, int]] = {}
    for sequence in sequences:
        cameras = frames.setdefault((sequence.subject, sequence.action), {})
        cameras[sequence.camera] = cameras.get(sequence.camera, 0) + len(sequence)
        yield sequence
    report.frames = sum(next(iter(cameras.values())) for cameras in frames.values())


def _results(
    jobs: Sequence[tuple[Source, MPIInf3DHPRecording]],
    activities: dict[str, list[tuple[int, int]]],
    agreement: Agreement,
) -> Iterator[tuple[str, list[PoseSequence] | Exception]]:
    for source, recording in jobs:
        try:
            sequences, stretches = source.read(recording), source.activities(recording)
            for sequence in sequences:
                agreement.add(str(source.files[0]), sequence)
        except MissingPackageError:
            raise
        except (ValueError, OSError) as error:
            yield recording.name, of_file(error, source.files[0])
            continue
        if stretches:
            activities[recording.name] = stretches
        yield recording.name, sequences


def _reader(path: Path) -> type[Source]:
    if path.suffix == ".mat":
        # The test set's files are HDF5; both are known by name, whatever their contents.
        return TestFile if path.name == "annot_data.mat" else TrainingFile
    fields = npz_fields(path)
    for field, reader in (("data", PSTMOFiles), ("imgname", MMPoseFiles)):
        if field in fields:
            return reader
    raise ValueError(
        f"{path}: has neither field 'data' (P-STMO's data_train_3dhp.npz) nor 'imgname' (MMPose's) but "
        f"{shortened(', '.join(fields)) or 'none'}; give one of these files, or annot.mat and annot_data.mat"
    )
