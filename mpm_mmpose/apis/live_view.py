"""A window with 2D on the image beside 3D, while the images come."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2
import numpy as np

from ..errors import UsageError
from ..lifting.people import People
from ..lifting.stream import MPMStream
from ..lifting.track_lifter import TrackLifter
from ..pose.scene import LiftedPerson
from ..visualization.side_by_side import SideBySide
from .images import Images

TITLE = "mpm_mmpose (q ends)"
#: Lowest place, metres of a cell and height of the floor, relative to the pelvis: nobody knows what will come.
LIMITS = (-1.2, 2.4, -0.95)
#: Images after which the cell of somebody who is away is given to others.
AWAY = 60


class LiveView:
    """Shows each image with its people; their 3D is of the past alone, so what is written in the end is better.

    Use it as a context. intrinsics: (9,) px, where the camera is known. Raises UsageError where there is no screen.
    """

    def __init__(
        self, images: Images, lifter: TrackLifter, keypoint_set: str, intrinsics: np.ndarray | None = None
    ) -> None:
        check_display()
        self.images, self.lifter, self.keypoint_set, self.intrinsics = images, lifter, keypoint_set, intrinsics
        self._streams: dict[int, MPMStream] = {}
        self._cells: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._number = 0

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *error: object) -> None:
        cv2.destroyAllWindows()

    def show(self, time: float, image: np.ndarray, people: People, ids: np.ndarray) -> bool:
        """Draw the people of an image; False where the user pressed q or Esc."""
        self._number += 1
        self._forget()
        drawn = [self._person(time, int(one), people, row) for row, one in enumerate(ids)]
        cells = [self._cells[int(one)] for one in ids]
        drawing = SideBySide(drawn, self.images.width, self.images.height, cells, LIMITS)
        cv2.imshow(TITLE, drawing.draw(0, image, time))
        return cv2.waitKey(1) & 0xFF not in (ord("q"), 27)

    def _person(self, time: float, identity: int, people: People, row: int) -> LiftedPerson:
        keypoints, scores = people.keypoints[row], people.scores[row].clip(0)
        if identity not in self._streams:
            camera = dict(width=self.images.width, height=self.images.height, fps=self.images.fps)
            self._streams[identity] = MPMStream(
                self.lifter, keypoint_set=self.keypoint_set, intrinsics=self.intrinsics, **camera
            )
            taken = set(self._cells.values())
            self._cells[identity] = next(cell for cell in range(len(taken) + 1) if cell not in taken)
        self._seen[identity] = self._number
        (lifted,) = self._streams[identity].push(keypoints, scores, time)
        return LiftedPerson(
            name=str(identity),
            keypoint_set=self.lifter.keypoint_set,
            frames=np.array([0]),
            keypoints_3d=lifted.keypoints_3d[None],
            keypoints_2d=keypoints[None],
            scores_2d=scores[None],
            keypoint_set_2d=self.keypoint_set,
            masked=lifted.masked[None],
        )

    def _forget(self) -> None:
        for identity in [one for one, seen in self._seen.items() if self._number - seen > AWAY]:
            for table in (self._streams, self._cells, self._seen):
                del table[identity]


def show_drawn(image: np.ndarray) -> None:
    """Show a frame of the video that is being drawn."""
    cv2.imshow(TITLE, image)
    cv2.waitKey(1)


def check_display() -> None:
    """Raise UsageError where there is no screen, or none that answers: OpenCV would end the process."""
    if not sys.platform.startswith("linux"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError("show (--show): there is no screen here (DISPLAY is not set); leave it out, and see the video")
    # Qt aborts a process that it cannot serve, so another one tries.
    tried = subprocess.run([sys.executable, "-c", "import cv2; cv2.namedWindow('a')"], capture_output=True)
    if tried.returncode:
        raise UsageError("show (--show): no window can be opened on this screen; leave it out, and see the video")
