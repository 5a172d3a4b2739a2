"""Human3.6M in MMPose's layout: one row per image, with 2D and 3D of 17 keypoints in the image's camera."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from ..pose.pose_sequence import PoseSequence
from .archives import read_npy, read_npz, read_pickle
from .h36m import FPS, H36MCamera, H36MRecording, cameras, check_array, check_body, check_pixels
from .image_rows import NO_NUMBERS, camera_numbers, camera_size, check_names, group_rows, recordings_of

_IMAGE_NAME = re.compile(r"(?:.*/)?(S\d+)_([^./]+)\.(\d+)_(\d+)\.jpg")
_WRONG_NAME = "does not say subject, action, camera and frame as S1_Directions_1.54138969_000001.jpg does"


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
        check_names(self.files[0], names)
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
        self.rows = group_rows(self.files[0], names, _parts_of, _WRONG_NAME)

    def recordings(self) -> list[H36MRecording]:
        """All recordings, in the order of the file."""
        return recordings_of(self.rows, H36MRecording)

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

    def _camera(self, subject: str, name: str) -> H36MCamera:
        if self.cameras is None:
            known = {camera.name: camera for camera in cameras(subject)}
            if name not in known:
                raise ValueError(f"camera {name!r} is none of Human3.6M's {', '.join(known)}; leave it out")
            return known[name]
        return self._camera_of_file(subject, name)

    def _camera_of_file(self, subject: str, name: str) -> H36MCamera:
        path = self.files[-1]
        try:
            field = partial(camera_numbers, self.cameras[subject, name])
        except (KeyError, TypeError, IndexError):
            raise ValueError(f"{path} has no camera {(subject, name)}; give the cameras.pkl of these files") from None
        try:
            rotation = field("R", (3, 3)).T  # the file's is camera to world
            # MMPose's p1 and p2 are the other way round than VideoPose3D's.
            lens = (field("f", (2,)), field("c", (2,)), field("k", (3,)), field("p", (2,))[::-1])
            translation = -rotation @ field("T", (3,))
            width, height = camera_size(self.cameras[subject, name])
        except NO_NUMBERS:
            raise ValueError(f"{path}: camera {(subject, name)} needs numbers R, T, f, c, k, p, w, h") from None
        return H36MCamera(name, width, height, np.concatenate(lens), rotation, translation)


def _parts_of(name: str) -> tuple[str, ...] | None:
    match = _IMAGE_NAME.fullmatch(name)
    return None if match is None else match.groups()
