"""MPI-INF-3DHP as MMPose's converter writes it: one row per image, with 2D and 3D of 17 keypoints in its camera."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..pose.pose_sequence import PoseSequence
from .archives import read_npz, read_pickle
from .h36m import check_array
from .image_rows import NO_NUMBERS, camera_numbers, camera_size, check_names, group_rows, recordings_of
from .mpi_inf_3dhp import MPIInf3DHPCamera, MPIInf3DHPRecording, make_sequence

_IMAGE_NAME = re.compile(r"(?:.*/)?(?:(S\d+)_(Seq\d+)_Cam(\d+)|(TS\d+))_(\d+)\.jpg")
_WRONG_NAME = "is not like S1_Seq1_Cam0_000001.jpg or TS1_000001.jpg"


class MMPoseFiles:
    """``mpi_inf_3dhp_{train,test_valid,test_all}.npz``: imgname, part (N, 17, 3) px, S (N, 17, 4) camera space m.

    This 3D is ``annot3``. Cameras come from ``cameras_train.pkl`` and ``cameras_test.pkl`` where these lie beside the
    file. Where images are missing (``test_valid`` leaves out frames that do not count) a sequence ends and another
    begins. Raises ValueError or OSError (file, field, fix), also where other than ``annot3`` is wanted.
    """

    def __init__(self, path: str | Path, annotation: str) -> None:
        self.files = (Path(path),)
        if annotation != "annot3":
            raise ValueError(
                f"{path}: MMPose's files hold annot3, not {annotation}; ask for that, or give the original files"
            )
        names, part, points = read_npz(path, ["imgname", "part", "S"]).values()
        check_names(self.files[0], names)
        for field, array, dim in (("part", part, 3), ("S", points, 4)):
            check_array(f"{path}: field {field!r}", array, (17, dim))
            if len(array) != len(names):
                raise ValueError(f"{path}: field {field!r} has {len(array)} rows for {len(names)} images; damaged")
        self.keypoints, self.keypoints_3d = part[..., :2], points[..., :3]
        self.rows = group_rows(self.files[0], names, _parts_of, _WRONG_NAME)
        self.cameras = {}
        for name in ("cameras_train.pkl", "cameras_test.pkl"):
            if (file := self.files[0].with_name(name)).exists():
                table = read_pickle(file)
                if not isinstance(table, dict):
                    raise ValueError(f"{file}: is no table of cameras; fetch the file again, or remove it")
                self.cameras |= {key: (file, camera) for key, camera in table.items()}

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """All recordings, in the order of the file."""
        return recordings_of(self.rows, MPIInf3DHPRecording)

    def read(self, recording: MPIInf3DHPRecording) -> list[PoseSequence]:
        """Sequences called ``S1_Seq1.0`` and ``TS1``, or where images are missing ``TS1.000123`` by their first."""
        sequences = []
        for camera, (rows, numbers) in self.rows[recording.subject, recording.take].items():
            where = f"{self.files[0]}: {recording.name}" + (f", camera {camera}" if camera else "")
            steps = np.diff(numbers)
            if (steps < 1).any():
                raise ValueError(f"{where}: its images are not in order; make the file again")
            parts = np.split(np.arange(len(rows)), np.flatnonzero(steps != 1) + 1)
            key = f"{recording.name}_Cam{camera}" if camera else recording.name
            lens = self._camera(key)
            for part in parts:
                chosen = np.array(rows)[part]
                sequence = make_sequence(
                    recording,
                    where,
                    self.keypoints[chosen],
                    self.keypoints_3d[chosen],
                    camera=camera,
                    calibration=lens,
                    unit=1.0,
                    source=self.files[0].name,
                )
                if len(parts) > 1:
                    sequence.name += f".{numbers[part[0]]:06d}"
                sequences.append(sequence)
        return sequences

    def activities(self, recording: MPIInf3DHPRecording) -> list[tuple[int, int]]:
        """None: the files do not say."""
        return []

    def _camera(self, key: str) -> MPIInf3DHPCamera | None:
        if key not in self.cameras:
            return None
        file, entry = self.cameras[key]
        try:
            (fx, fy), (cx, cy) = (camera_numbers(entry, name, (2,)) for name in "fc")
            rotation, translation = (
                camera_numbers(entry, name, shape) if name in entry else None
                for name, shape in (("R", (3, 3)), ("T", (3,)))
            )
            width, height = camera_size(entry)
        except NO_NUMBERS:
            raise ValueError(f"{file}: camera {key!r} needs numbers f, c, w, h (and R, T); fetch it again") from None
        return MPIInf3DHPCamera(width, height, np.array([fx, fy, cx, cy, 0, 0, 0, 0, 0]), rotation, translation)


def _parts_of(name: str) -> tuple[str, ...] | None:
    match = _IMAGE_NAME.fullmatch(name)
    if match is None:
        return None
    subject, take, camera, test_subject, number = match.groups()
    return subject or test_subject, take or "", camera or "", number
