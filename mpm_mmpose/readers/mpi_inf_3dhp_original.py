"""MPI-INF-3DHP's own files: ``S1/Seq1/annot.mat`` of the training set, ``TS1/annot_data.mat`` of the test set."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..messages import brief, shortened
from ..pose.keypoints import MPI_INF_3DHP_17, MPI_INF_3DHP_28
from ..pose.pose_sequence import PoseSequence
from .files import files_below, read_text
from .matlab import read_mat5, read_mat73
from .mpi_inf_3dhp import CAMERAS, KEPT, VIDEOS, MPIInf3DHPCamera, MPIInf3DHPRecording, make_sequence, projects_to
from .mpi_inf_3dhp_pstmo import check_valid

_FOLDERS = re.compile(r"(?:S\d+/Seq\d+/annot|TS\d+/annot_data)\.mat")


def find_original(folder: str | Path) -> list[Path]:
    """``S*/Seq*/annot.mat`` and ``TS*/annot_data.mat`` below ``folder``, however deep; ValueError for none."""
    files = sorted(
        file
        for file in files_below(folder)
        if file.name in ("annot.mat", "annot_data.mat")
        and _FOLDERS.fullmatch("/".join(file.absolute().parts[-3 if file.name == "annot.mat" else -2 :]))
    )
    if not files:
        raise ValueError(
            f"{folder}: holds neither S1/Seq1/annot.mat nor TS1/annot_data.mat; give MPI-INF-3DHP's folder, or files"
        )
    return files


class TrainingFile:
    """An ``annot.mat``: cells a camera of annot2 (T, 56) px, annot3 and univ_annot3 (T, 84) camera space mm.

    The eight cameras of ``CAMERAS`` are read, and ``camera.calibration`` where it lies beside the file.
    Raises ValueError or OSError (file, field, fix).
    """

    def __init__(self, path: str | Path, annotation: str) -> None:
        self.files, self.annotation = (Path(path),), annotation
        take, subject = (folder.name for folder in list(self.files[0].absolute().parents)[:2])
        self.recording = MPIInf3DHPRecording(subject, take, len(CAMERAS))

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """The one recording of the file, by the names of its folders."""
        return [self.recording]

    def read(self, recording: MPIInf3DHPRecording) -> list[PoseSequence]:
        """The cameras' sequences, called ``S1_Seq1.0``; frames beyond the end of the video are left out."""
        path = self.files[0]
        recording.check(f"{path}: by its folders")
        fields = read_mat5(path, ["cameras", "annot2", self.annotation])
        numbers = fields.pop("cameras").ravel().tolist()
        calibration = path.with_name("camera.calibration")
        lenses = read_calibration(calibration) if calibration.exists() else {}
        sequences = []
        for camera in CAMERAS:
            if camera not in numbers:
                raise ValueError(f"{path}: field 'cameras' has no camera {camera}; fetch the file again")
            image, points = (
                _cell(path, field, cells, numbers.index(camera), dim)[: VIDEOS[recording.name][0]]
                for (field, cells), dim in zip(fields.items(), (2, 3), strict=True)
            )
            if calibration.exists() and camera not in lenses:
                raise ValueError(f"{calibration}: has no camera {camera}; fetch the file again, or remove it")
            lens = self._lens(calibration, camera, lenses.get(camera), image, points)
            where = f"{path}: camera {camera} of annot2 and {self.annotation}"
            name = f"{recording.subject}/{recording.take}/{path.name}"
            sequences.append(
                make_sequence(recording, where, image, points, camera=str(camera), calibration=lens, source=name)
            )
        return sequences

    def activities(self, recording: MPIInf3DHPRecording) -> list[tuple[int, int]]:
        """None: there are none in the training set."""
        return []

    def _lens(
        self, path: Path, camera: int, lens: MPIInf3DHPCamera | None, image: np.ndarray, points: np.ndarray
    ) -> MPIInf3DHPCamera | None:
        """The lens as the annotation has it: the person of univ_annot3 is another, whose place in the world is none."""
        if lens is None or self.annotation != "annot3":
            return None
        if len(image) == len(points) and len(image) and not projects_to(image, points / 1000, lens.intrinsics):
            raise ValueError(
                f"{path}: camera {camera} does not take annot3 to annot2 of {self.files[0]}; the files do not belong "
                "together: fetch them again"
            )
        return lens


class TestFile:
    """An ``annot_data.mat``: annot2 px, annot3 and univ_annot3 camera space mm, valid_frame, activity_annotation.

    Raises ValueError or OSError (file, field, fix), MissingPackageError without h5py.
    """

    __test__ = False  # no class of tests

    def __init__(self, path: str | Path, annotation: str) -> None:
        self.files, self.annotation = (Path(path),), annotation
        self.recording = MPIInf3DHPRecording(self.files[0].absolute().parent.name)

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """The one recording of the file, by the name of its folder."""
        return [self.recording]

    def read(self, recording: MPIInf3DHPRecording) -> list[PoseSequence]:
        """The one sequence, called ``TS1``; scores are 1 where a frame is valid, 0 elsewhere."""
        path, number = self.files[0], len(MPI_INF_3DHP_17)
        recording.check(f"{path}: by its folder")
        shapes = {"annot2": (None, 1, number, 2), self.annotation: (None, 1, number, 3), "valid_frame": (None, 1)}
        image, points, valid = (array[:, 0] for array in read_mat73(path, shapes).values())
        valid = check_valid(f"{path}: field 'valid_frame'", valid)
        where = f"{path}: annot2 and {self.annotation}"
        return [make_sequence(recording, where, image, points, valid=valid, source=f"{recording.subject}/{path.name}")]

    def activities(self, recording: MPIInf3DHPRecording) -> list[tuple[int, int]]:
        """(first frame, activity 1 to 7) of each stretch of one activity."""
        path = self.files[0]
        activity = read_mat73(path, {"activity_annotation": (None, 1)})["activity_annotation"][:, 0]
        if not np.isin(activity, range(8)).all():
            raise ValueError(f"{path}: field 'activity_annotation' is not of numbers 0 to 7; fetch the file again")
        starts = np.flatnonzero(np.diff(activity.astype(int), prepend=-1))
        return [(int(start), int(activity[start])) for start in starts]


def read_calibration(path: str | Path) -> dict[int, MPIInf3DHPCamera]:
    """Cameras of a Skeletool ``camera.calibration`` by number; ValueError or OSError (file, field, fix)."""
    path = Path(path)
    cameras = {}
    for text in re.split(r"^name\s+", read_text(path), flags=re.MULTILINE)[1:]:
        name, _, rest = text.partition("\n")
        block = dict(line.strip().partition(" ")[::2] for line in rest.splitlines())
        try:
            width, height = map(int, _numbers(block, "size", 2))
            lens, place = (_numbers(block, field, 16).reshape(4, 4) for field in ("intrinsic", "extrinsic"))
            intrinsics = np.array([lens[0, 0], lens[1, 1], lens[0, 2], lens[1, 2], 0, 0, 0, 0, 0])
            cameras[int(name)] = MPIInf3DHPCamera(width, height, intrinsics, place[:3, :3], place[:3, 3] / 1000)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{path}: camera {brief(name.strip())}: {shortened(str(error))}; fetch the file again, or remove it"
            ) from None
    if not cameras:
        raise ValueError(f"{path}: holds no cameras; fetch the file again, or remove it")
    return cameras


def _numbers(block: dict[str, str], field: str, count: int) -> np.ndarray:
    values = np.array(block[field].split(), dtype=np.float64)
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"{field} is not {count} numbers")
    return values


def _cell(path: Path, field: str, cells: np.ndarray, index: int, dim: int) -> np.ndarray:
    """(T, 17, dim) of one camera."""
    where = f"{path}: field {field!r}, cell {index}"
    if cells.dtype != object or cells.size <= index:
        raise ValueError(f"{where}: is missing; fetch the file again")
    cell, number = cells.ravel()[index], len(MPI_INF_3DHP_28)
    if cell.ndim != 2 or cell.shape[1] != number * dim:
        raise ValueError(f"{where}: is of shape {cell.shape}, not (frames, {number * dim}); is this the file?")
    return cell.reshape(-1, number, dim)[:, KEPT]
