"""MPI-INF-3DHP in P-STMO's layout: ``data_train_3dhp.npz`` and ``data_test_3dhp.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..pose.pose_sequence import PoseSequence
from .archives import read_npz
from .mpi_inf_3dhp import VIDEOS, MPIInf3DHPRecording, make_sequence


class PSTMOFiles:
    """One file, a table by recording: 17 keypoints, 2D px and 3D camera space mm, which is ``univ_annot3``.

    For training 'S1 Seq1' -> [camera '0' -> {data_2d, data_3d}, frames a second]; for the test 'TS1' -> {data_2d,
    data_3d, valid}. Raises ValueError or OSError (file, field, fix), also where other than ``univ_annot3`` is wanted.
    """

    def __init__(self, path: str | Path, annotation: str) -> None:
        self.files = (Path(path),)
        if annotation != "univ_annot3":
            raise ValueError(
                f"{path}: P-STMO's files hold univ_annot3, not {annotation}; ask for that, or give the original files"
            )
        self.table: Any = read_npz(path, ["data"])["data"]
        if not isinstance(self.table, dict) or not self.table or not all(isinstance(key, str) for key in self.table):
            raise ValueError(f"{path}: field 'data' is no table of recordings; give P-STMO's file")

    def recordings(self) -> list[MPIInf3DHPRecording]:
        """All recordings of the file, in its order."""
        return [self._recording(key) for key in self.table]

    def read(self, recording: MPIInf3DHPRecording) -> list[PoseSequence]:
        """One sequence per camera, called ``S1_Seq1.0``; or the one of the test set, ``TS1``."""
        key = f"{recording.subject} {recording.take}".strip()
        where = f"{self.files[0]}: data of {key!r}"
        recording.check(where)
        if not recording.take:
            return [self._sequence(recording, where, self.table[key])]
        views, said = self._views(key)
        if views is None or not isinstance(said, int | float | np.number):
            raise ValueError(f"{where}: is no pair of cameras and rate; give P-STMO's file")
        if not views:
            raise ValueError(f"{where}: has no cameras; leave it out")
        rate = VIDEOS[recording.name][1]
        if said != rate:
            raise ValueError(f"{where}: says {said} frames a second, the video has {rate}; make the file again")
        return [
            self._sequence(recording, f"{where}, camera {camera}", view, str(camera)) for camera, view in views.items()
        ]

    def activities(self, recording: MPIInf3DHPRecording) -> list[tuple[int, int]]:
        """None: the files do not say."""
        return []

    def _recording(self, key: str) -> MPIInf3DHPRecording:
        subject, _, take = key.partition(" ")
        return MPIInf3DHPRecording(subject, take, len(self._views(key)[0] or [None]))

    def _views(self, key: str) -> tuple[dict | None, Any]:
        """The table of cameras and the rate of a training recording; None and None where it is no such pair."""
        entry = self.table[key]
        if isinstance(entry, np.ndarray) and entry.dtype == object:
            entry = entry.tolist()
        pair = isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], dict)
        return tuple(entry) if pair else (None, None)

    def _sequence(self, recording: MPIInf3DHPRecording, where: str, view: Any, camera: str = "") -> PoseSequence:
        fields = ["data_2d", "data_3d"] + ([] if recording.take else ["valid"])
        for field in fields:
            if not isinstance(view, dict) or not isinstance(view.get(field), np.ndarray) or not view[field].ndim:
                raise ValueError(f"{where}: has no array {field!r}; give P-STMO's file")
        valid = None if recording.take else check_valid(f"{where}, 'valid'", view["valid"])
        return make_sequence(
            recording,
            where,
            view["data_2d"],
            view["data_3d"],
            camera=camera,
            valid=valid,
            source=self.files[0].name,
        )


def check_valid(where: str, valid: np.ndarray) -> np.ndarray:
    """The flags (T,) as bool; ValueError unless all are 0 or 1."""
    if valid.ndim != 1 or valid.dtype.kind not in "biuf" or not np.isin(valid, (0, 1)).all():
        raise ValueError(
            f"{where}: is {valid.dtype} of shape {valid.shape}, not (frames,) of 0 and 1; is this the file?"
        )
    return valid.astype(bool)
