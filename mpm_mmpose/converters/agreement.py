"""Whether 2D is the image of the 3D beside it: files of one recording each that do not belong together are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..pose.geometry import project
from ..pose.pose_sequence import PoseSequence

#: Parts of the image's width. Detectors are off by 1 % in the median and now and then take one limb for another; a
#: whole person is never off by as much as the image is wide.
MOST_MEDIAN, MOST_FRAME = 0.03, 1.0


@dataclass
class Agreement:
    """Distance (px) of 2D from the projected 3D in the sequences looked at so far; unknown cameras are left out."""

    medians: list[float] = field(default_factory=list)
    worst: float = 0.0
    worst_frame: str = ""

    def add(self, where: str, sequence: PoseSequence) -> None:
        """Take a sequence in; ValueError (``where``, sequence, figures, fix) where its 2D is of something else.

        Frames count in which all scores are above 0, and all of them where nothing has.
        """
        if sequence.keypoints is None or sequence.keypoints_3d is None or sequence.intrinsics is None:
            return
        poses, intrinsics = sequence.keypoints_3d.astype(np.float64), sequence.intrinsics.astype(np.float64)
        where = f"{where}: {sequence.name}"
        counted = np.ones(len(sequence), bool)
        if sequence.keypoint_scores is not None and (sequence.keypoint_scores > 0).all(1).any():
            counted = (sequence.keypoint_scores > 0).all(1)
        frames = np.flatnonzero(counted)
        behind = (poses[frames, :, 2] <= 0).any(1)
        if behind.any():
            raise ValueError(
                f"{where}: is partly behind the camera in frame {frames[behind][0]}; camera space is expected, or the "
                "file is damaged"
            )
        distances = np.linalg.norm(project(poses[frames], intrinsics) - sequence.keypoints[frames], axis=-1)
        median, means = float(np.median(distances)), distances.mean(1)
        worst = int(means.argmax())
        if median > MOST_MEDIAN * sequence.width or means[worst] > MOST_FRAME * sequence.width:
            raise ValueError(
                f"{where}: its 2D is {median:.0f} px from its projected 3D in the median and {means[worst]:.0f} px in "
                f"frame {frames[worst]}, the worst; at most {MOST_MEDIAN * sequence.width:.0f} and "
                f"{MOST_FRAME * sequence.width:.0f} are those of a detector: give the files that belong together, "
                "undamaged"
            )
        self.medians.append(median)
        if means[worst] >= self.worst:
            self.worst, self.worst_frame = float(means[worst]), f"{sequence.name}, frame {frames[worst]}"

    def __str__(self) -> str:
        if not self.medians:
            return "2D and 3D not compared, no camera is known"
        median = float(np.median(self.medians))
        return f"2D {median:.1f} px from the projected 3D, {self.worst:.0f} px in the worst frame ({self.worst_frame})"
