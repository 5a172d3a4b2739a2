"""Human3.6M in MMPose's layout: one row per image, with 2D and 3D of 17 keypoints in the image's camera."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ..messages import brief
from ..pose.pose_sequence import PoseSequence
from .archives import read_npy, read_npz, read_pickle
from .h36m import FPS, LARGEST, H36MCamera, H36MRecording, cameras, check_array, check_body, check_pixels

_IMAGE_NAME = re.compile(r"(?:.*/)?(S\d+)_([^./]+)\.(\d+)_(\d+)\.jpg")


class MMPoseFiles:
    """``annotation_body3d/fps50/h36m_{train,test}.npz``: imgname, part (N, 17, 3) px, S (N, 17, 4) camera space m.

    detections: the ``.npy`` of CPN that goes with it, (N, 17, 3) x, y px, score. cameras_file: ``cameras.pkl``; by
    default the same figures, which come with this package. Raises ValueError or OSError (file, field, fix).
    """

    def __init__(
        self, path: str | Path, detections: str | Path | None = None, cameras_file: str | Path | None = None
    ) -> None:
        self.files = tuple(Path(file) for file in (path, detections, cameras_file) if file is not None)
        fields = read_npz(path, ["imgname", "S", "part"])
        names, self.keypoints_3d, self.keypoints = fields.values()
        if not isinstance(names, np.ndarray) or names.dtype.kind != "U" or names.ndim != 1:
            raise ValueError(f"{path}: field 'imgname' is no list of names; give MMPose's file")
        if detections is not None:
            self.keypoints = read_npy(detections)
        check_array(f"{path}: field 'S'", self.keypoints_3d, (17, 4))
        self._where_2d = f"{path}: field 'part'" if detections is None else str(detections)
        check_array(self._where_2d, self.keypoints, (17, 3))
        for where, array in ((f"{path}: field 'S'", self.keypoints_3d), (self._where_2d, self.keypoints)):
            if len(array) != len(names):
                raise ValueError(
                    f"{where}: has {len(array)} rows for {len(names)} images; these do not belong together"
                )
        self.has_scores = detections is not None
        self.cameras = None if cameras_file is None else read_pickle(cameras_file)
        self.rows = self._group(names)

    def recordings(self) -> list[H36MRecording]:
        """All recordings, in the order of the file."""
        return [H36MRecording(subject, take, len(views)) for (subject, take), views in self.rows.items()]

    def read(self, recording: H36MRecording) -> list[PoseSequence]:
        """One sequence per camera that saw the recording, called ``S9_Walking_1.54138969``."""
        sequences = []
        for name, (rows, numbers) in self.rows[recording.subject, recording.take].items():
            where = f"{self.files[0]}: {recording.name}.{name}"
            steps = set(np.diff(numbers).tolist())
            if len(steps) > 1 or min(steps, default=1) < 1:
                raise ValueError(
                    f"{where}: its images are not evenly spaced; make the file again, all images at one rate"
                )
            keypoints_3d, keypoints = self.keypoints_3d[rows, :, :3], self.keypoints[rows]
            check_body(where, keypoints_3d)
            check_pixels(where, keypoints[..., :2])
            try:
                camera, action = self._camera(recording.subject, name), recording.action
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
            sequences.append(
                PoseSequence(
                    name=f"{recording.name}.{name}",
                    keypoints_3d=keypoints_3d,
                    keypoints=keypoints[..., :2],
                    keypoint_scores=keypoints[..., 2] if self.has_scores else None,
                    intrinsics=camera.intrinsics,
                    rotation=camera.rotation,
                    translation=camera.translation,
                    width=camera.width,
                    height=camera.height,
                    fps=FPS / min(steps, default=1),
                    subject=recording.subject,
                    action=action,
                    camera=name,
                    source=self.files[0].name,
                )
            )
        return sequences

    def _group(self, names: np.ndarray) -> dict[tuple[str, str], dict[str, tuple[list[int], list[int]]]]:
        """Rows and frame numbers by (subject, take) and camera."""
        groups: dict = {}
        for row, name in enumerate(names.tolist()):
            match = _IMAGE_NAME.fullmatch(name)
            if match is None:
                raise ValueError(
                    f"{self.files[0]}: field 'imgname', row {row}: {brief(name)} does not say subject, action, camera "
                    "and frame as S1_Directions_1.54138969_000001.jpg does; give MMPose's file"
                )
            subject, take, camera, number = match.groups()
            rows, numbers = groups.setdefault((subject, take), {}).setdefault(camera, ([], []))
            rows.append(row)
            numbers.append(int(number))
        return groups

    def _camera(self, subject: str, name: str) -> H36MCamera:
        if self.cameras is None:
            known = {camera.name: camera for camera in cameras(subject)}
            if name not in known:
                raise ValueError(f"camera {name!r} is none of Human3.6M's {', '.join(known)}; leave it out")
            return known[name]
        return self._camera_of_file(subject, name)

    def _camera_of_file(self, subject: str, name: str) -> H36MCamera:
        def field(key: str, shape: tuple[int, ...]) -> np.ndarray:
            value: Any = entry[key]
            value = np.asarray(value, dtype=np.float64).reshape(shape)
            if not (np.abs(value) <= LARGEST).all():
                raise ValueError
            return value

        path = self.files[-1]
        try:
            entry = self.cameras[subject, name]
        except (KeyError, TypeError, IndexError):
            raise ValueError(f"{path} has no camera {(subject, name)}; give the cameras.pkl of these files") from None
        try:
            rotation = field("R", (3, 3)).T  # the file's is camera to world
            # MMPose's p1 and p2 are the other way round than VideoPose3D's.
            lens = (field("f", (2,)), field("c", (2,)), field("k", (3,)), field("p", (2,))[::-1])
            translation = -rotation @ field("T", (3,))
            width, height = int(entry["w"]), int(entry["h"])
            if not (0 < width <= LARGEST and 0 < height <= LARGEST):
                raise ValueError
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise ValueError(f"{path}: camera {(subject, name)} needs numbers R, T, f, c, k, p, w, h") from None
        return H36MCamera(name, width, height, np.concatenate(lens), rotation, translation)
