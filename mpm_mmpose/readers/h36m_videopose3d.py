"""Human3.6M in VideoPose3D's layout: 32 keypoints in the world, and 2D of four cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..pose.geometry import project, world_to_camera
from ..pose.keypoints import H36M_17
from ..pose.pose_sequence import PoseSequence
from .archives import read_npz
from .h36m import FPS, H36MRecording, cameras, check_array, check_body, check_pixels

#: Where the 17 keypoints are among Human3.6M's 32; the others repeat them or never move.
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
_SYMMETRY = tuple(map(sorted, (H36M_17.left, H36M_17.right)))


class VideoPose3DFiles:
    """``data_3d_h36m.npz``, and ``data_2d_h36m_gt.npz`` or ``data_2d_h36m_cpn_ft_h36m_dbb.npz`` where given.

    Without a file of 2D, the 3D is projected with the cameras' distortion (this is what ``gt`` holds).
    Raises ValueError or OSError (file, field, fix).
    """

    def __init__(self, path_3d: str | Path, path_2d: str | Path | None = None) -> None:
        self.files = tuple(Path(path) for path in (path_3d, path_2d) if path is not None)
        self.positions_3d = _table(self.files[0], "positions_3d", read_npz(path_3d, ["positions_3d"]))
        self.positions_2d = None
        if path_2d is not None:
            fields = read_npz(path_2d, ["positions_2d", "metadata"])
            self.positions_2d = _table(self.files[1], "positions_2d", fields)
            _check_metadata(self.files[1], fields["metadata"])

    def recordings(self) -> list[H36MRecording]:
        """All recordings of the 3D file, in its order."""
        return [H36MRecording(subject, take) for subject, takes in self.positions_3d.items() for take in takes]

    def read(self, recording: H36MRecording) -> list[PoseSequence]:
        """The four cameras' sequences, called ``S9_Walking_1.54138969``; 2D beyond the end of the 3D is left out."""
        field = f"{recording.subject} {recording.take}"
        where = f"{self.files[0]}: positions_3d of {field}"
        world = check_array(where, self.positions_3d[recording.subject][recording.take], (32, 3))[:, KEPT]
        check_body(where, world)
        try:
            views, action = cameras(recording.subject), recording.action
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        detected = [None] * len(views) if self.positions_2d is None else self._detected(recording, len(world))
        sequences = []
        for camera, keypoints in zip(views, detected, strict=True):
            keypoints_3d = world_to_camera(world.astype(np.float64), camera.rotation, camera.translation)
            if keypoints_3d[..., 2].min() <= 0:
                raise ValueError(f"{where}: is partly behind camera {camera.name}; damaged, fetch the file again")
            sequences.append(
                PoseSequence(
                    name=f"{recording.name}.{camera.name}",
                    keypoints_3d=keypoints_3d,
                    keypoints=project(keypoints_3d, camera.intrinsics) if keypoints is None else keypoints,
                    intrinsics=camera.intrinsics,
                    rotation=camera.rotation,
                    translation=camera.translation,
                    width=camera.width,
                    height=camera.height,
                    fps=FPS,
                    subject=recording.subject,
                    action=action,
                    camera=camera.name,
                    source=self.files[0].name,
                )
            )
        return sequences

    def _detected(self, recording: H36MRecording, frames: int) -> list[np.ndarray]:
        """(frames, 17, 2) px per camera."""
        where = f"{self.files[1]}: positions_2d of {recording.subject} {recording.take}"
        takes = self.positions_2d.get(recording.subject, {})
        if recording.take not in takes:
            raise ValueError(f"{where}: is missing; give the file that belongs to {self.files[0].name}")
        views = takes[recording.take]
        if isinstance(views, np.ndarray) and views.ndim:
            views = list(views)
        if not isinstance(views, list | tuple) or len(views) != 4:
            number = len(views) if isinstance(views, list | tuple) else "no list of"
            raise ValueError(f"{where}: has {number} cameras, Human3.6M has 4; fetch the file again")
        result = []
        for camera, view in zip(cameras(recording.subject), views, strict=True):
            place = f"{where}, camera {camera.name}"
            view = check_array(place, view, (len(H36M_17), 2))
            if len(view) < frames:
                raise ValueError(
                    f"{place}: has {len(view)} frames, the 3D has {frames}; the files do not belong together, "
                    "or one is cut off"
                )
            check_pixels(place, view)
            result.append(view[:frames])
        return result


def _table(path: Path, field: str, fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    table = fields[field]
    if not isinstance(table, dict) or not all(isinstance(takes, dict) for takes in table.values()):
        raise ValueError(f"{path}: field {field!r} is no table of subjects and actions; give VideoPose3D's file")
    if not any(table.values()):
        raise ValueError(f"{path}: field {field!r} holds no recordings; fetch the file again")
    return table


def _check_metadata(path: Path, metadata: Any) -> None:
    # COCO detections have 17 keypoints too, in an order of their own.
    try:
        symmetry = tuple(sorted(map(int, side)) for side in metadata["keypoints_symmetry"])
    except (KeyError, IndexError, TypeError, ValueError):
        raise ValueError(f"{path}: field 'metadata' has no 'keypoints_symmetry'; give VideoPose3D's file") from None
    if symmetry != _SYMMETRY:
        raise ValueError(
            f"{path}: field 'metadata': left and right are keypoints {symmetry}, those of Human3.6M are {_SYMMETRY}; "
            "give detections in Human3.6M's keypoints (gt or cpn_ft_h36m_dbb)"
        )
