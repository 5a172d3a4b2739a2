"""MPI-INF-3DHP as MMPose's converter writes it: one row per image, with 2D and 3D of 17 keypoints in its camera."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..messages import brief
from ..pose.pose_sequence import PoseSequence
from .archives import read_npz, read_pickle
from .h36m import LARGEST, check_array
from .mpi_inf_3dhp import MPIInf3DHPCamera, MPIInf3DHPRecording, make_sequence

_IMAGE_NAME = re.compile(r"(?:.*/)?(?:(S\d+)_(Seq\d+)_Cam(\d+)|(TS\d+))_(\d+)\.jpg")


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
        if not isinstance(names, np.ndarray) or names.dtype.kind != "U" or names.ndim != 1:
            raise ValueError(f"{path}: field 'imgname' is no list of names; give MMPose's file")
        for field, array, dim in (("part", part, 3), ("S", points, 4)):
            check_array(f"{path}: field {field!r}", array, (17, dim))
            if len(array) != len(names):
                raise ValueError(f"{path}: field {field!r} has {len(array)} rows for {len(names)} images; damaged")
        self.keypoints, self.keypoints_3d = part[..., :2], points[..., :3]
        self.rows = self._group(names)
        self.cameras = {}
        for name in ("cameras_train.pkl", "cameras_test.pkl"):
            if (file := self.files[0].with_name(name)).exists():
                table = read_pickle(file)
                if not isinstance(table, dict):
                    raise ValueError(f"{file}: is no table of cameras; fetch the file again, or remove it")
                self.cameras |= {key: (file, camera) for key, camera in table.items()}

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """All recordings, in the order of the file."""
        return [MPIInf3DHPRecording(subject, take, len(views)) for (subject, take), views in self.rows.items()]

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

    def _group(self, names: np.ndarray) -> dict[tuple[str, str], dict[str, tuple[list[int], list[int]]]]:
        """Rows and frame numbers by (subject, take) and camera."""
        groups: dict = {}
        for row, name in enumerate(names.tolist()):
            match = _IMAGE_NAME.fullmatch(name)
            if match is None:
                raise ValueError(
                    f"{self.files[0]}: field 'imgname', row {row}: {brief(name)} is not like S1_Seq1_Cam0_000001.jpg "
                    "or TS1_000001.jpg; give MMPose's file"
                )
            subject, take, camera, test_subject, number = match.groups()
            key = (subject or test_subject, take or "")
            rows, numbers = groups.setdefault(key, {}).setdefault(camera or "", ([], []))
            rows.append(row)
            numbers.append(int(number))
        return groups

    def _camera(self, key: str) -> MPIInf3DHPCamera | None:
        if key not in self.cameras:
            return None

        def field(name: str, shape: tuple[int, ...]) -> np.ndarray:
            value = np.asarray(entry[name], dtype=np.float64).reshape(shape)
            if not (np.abs(value) <= LARGEST).all():
                raise ValueError
            return value

        file, entry = self.cameras[key]
        try:
            (fx, fy), (cx, cy) = (field(name, (2,)) for name in "fc")
            rotation, translation = (
                field(name, shape) if name in entry else None for name, shape in (("R", (3, 3)), ("T", (3,)))
            )
            width, height = int(entry["w"]), int(entry["h"])
            if not (0 < width <= LARGEST and 0 < height <= LARGEST):
                raise ValueError
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise ValueError(f"{file}: camera {key!r} needs numbers f, c, w, h (and R, T); fetch it again") from None
        return MPIInf3DHPCamera(width, height, np.array([fx, fy, cx, cy, 0, 0, 0, 0, 0]), rotation, translation)
