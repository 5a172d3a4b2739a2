"""A video of 2D on the images beside 3D on a canvas that stays, each person in a colour of their own.

People are in a cell of their own each; where it is known where they are, all are in one room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..atomic_file import write_atomically
from ..pose.floor import CAMERA_UP
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson
from .frame_times import frame_numbers
from .room_view import find_room
from .strokes import colour_of, draw_bones, draw_keypoints, pixel, write_text
from .upright import camera_to_upright, flatten

HEIGHT = 540  # px of the video; images of any size become as high
WIDEST = 1280  # px of the left side
PAPER, GRID, GHOST, INK = (250, 250, 250), (214, 214, 214), (170, 170, 170), (60, 60, 60)
#: Of a keypoint: a circle as wide as it is drawn, m, where it is wider.
LEAST_SPREAD = 0.03
#: Frames of the way that somebody came, on the floor.
TRAIL = 60
#: Metres that a cell shows at least, so that a person who crouches all the time does not look like a giant.
LEAST = 2.1


class SideBySide:
    """Draws one frame after the other; places and scale are those of the whole video.

    people: with 2D and ``masked``, which is drawn thin; ground truth is drawn grey, ``spread`` as a circle.

    width, height: px of the images. cells: of the canvas, one a person; by default theirs from their first frame
    to their last. limits: lowest place and metres that a cell shows, and height of the floor, m from the pelvis; by
    default what the people need. up: (3,) unit vector in camera axes, of the room of people whose place is known.
    """

    def __init__(
        self,
        people: Sequence[LiftedPerson],
        width: int,
        height: int,
        cells: Sequence[int] | None = None,
        limits: tuple[float, float, float] | None = None,
        up: np.ndarray = CAMERA_UP,
    ) -> None:
        self.people = people
        self._rows = [{int(frame): row for row, frame in enumerate(person.frames)} for person in people]
        self.scale = min(HEIGHT / height, WIDEST / width)
        self.left = (max(2, round(width * self.scale)), max(2, round(height * self.scale)))
        roots = [person.trajectory for person in people]
        known = bool(people) and all(root is not None for root in roots)
        self.room = find_room([person.keypoints_3d for person in people], roots, up) if known else None
        if self.room is not None:
            self.cells = [0] * len(people)
        else:
            self.cells = give_cells(people) if cells is None else cells
        self.number = max([1, *(cell + 1 for cell in self.cells)])
        self.columns = math.ceil(math.sqrt(self.number))
        self.cell = HEIGHT // math.ceil(self.number / self.columns)
        self._upright = [self._stand(person, person.keypoints_3d, slice(None)) for person in people]
        self._flat = [flatten(poses) for poses in self._upright]
        self._low, self._metres, self._floor = limits or self._limits()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame of the video, px, both even as codecs want them."""
        width = self.left[0] + self.columns * self.cell
        return width + width % 2, HEIGHT

    def draw(self, frame: int, image: np.ndarray | None, time: float) -> np.ndarray:
        """(H, W, 3) uint8 BGR of a frame; ``image`` is None where there is none to draw on. time: s."""
        canvas = np.full((self.size[1], self.size[0], 3), PAPER, np.uint8)
        width, height = self.left
        top = (HEIGHT - height) // 2
        overlay = np.full((height, width, 3), 235, np.uint8)
        if image is not None:
            overlay = cv2.resize(image, self.left, interpolation=cv2.INTER_AREA)
        for index in range(self.number):
            self._draw_floor(canvas, self._corner(index))
        for index, person in enumerate(self.people):
            row = self._rows[index].get(frame)
            if row is not None:
                keypoints = self.scale * person.keypoints_2d[row]
                draw_keypoints(overlay, keypoints, person.scores_2d[row], person.name, person.keypoint_set_2d)
                self._draw_3d(canvas, index, row)
        canvas[top : top + height, :width] = overlay
        write_text(canvas, f"{time:.2f} s", (8, 22), INK)
        return canvas

    def _draw_3d(self, canvas: np.ndarray, index: int, row: int) -> None:
        person, flat = self.people[index], self._flat[index][row]
        if not np.isfinite(flat).all():
            return
        corner, keypoints = self._corner(self.cells[index]), get_keypoint_set(person.keypoint_set)
        label, colour = person.name, colour_of(person.name)
        if self.room is not None:
            way = self._upright[index][max(row - TRAIL, 0) : row + 1, keypoints.root] * [1, 1, 0]
            line = [pixel(point) for point in self._place(flatten(way[np.isfinite(way).all(1)]), corner)]
            cv2.polylines(canvas, [np.array(line)], False, colour, 1, cv2.LINE_AA)
        everything = np.ones(len(keypoints), bool)
        if person.ground_truth is not None:
            ground_truth = flatten(self._stand(person, person.ground_truth, slice(row, row + 1))[0])
            draw_bones(canvas, self._place(ground_truth, corner), keypoints, GHOST, everything, 6, shaded=False)
            from ..evaluation.pose_error import mpjpe

            (error,) = 1000 * mpjpe(person.keypoints_3d[row][None], person.ground_truth[row][None])
            label += f": {error:.0f} mm (ground truth: grey)"
        points = self._place(flat, corner)
        if person.spread is not None:
            for point, spread in zip(points, np.nan_to_num(person.spread[row]), strict=True):
                if spread > LEAST_SPREAD:
                    cv2.circle(canvas, pixel(point), round(self.cell / self._metres * spread), GHOST, 1, cv2.LINE_AA)
        draw_bones(canvas, points, keypoints, colour, everything, 3, thin=person.masked[row])
        line = 22 * index if self.room is not None else 0  # the labels of a room are above each other
        write_text(canvas, label, (corner[0] + 8, corner[1] + self.cell - 10 - line), colour)

    def _stand(self, person: LiftedPerson, poses: np.ndarray, rows: slice) -> np.ndarray:
        """Rows of poses (N, K', 3) m, relative to the root, as (x right, y away, z up): about it, or in the room."""
        if self.room is None:
            return camera_to_upright(poses[rows])
        return self.room.place(poses[rows], person.trajectory[rows])

    def _draw_floor(self, canvas: np.ndarray, corner: tuple[int, int]) -> None:
        # Half-metre squares, under all people who walk in a room.
        x, y = 0.75 + (0.5 * np.ceil(2 * self.room.half) if self.room is not None else np.zeros(2))
        rows = [((-x, tick), (x, tick)) for tick in np.arange(-y, y + 0.01, 0.5)]
        columns = [((tick, -y), (tick, y)) for tick in np.arange(-x, x + 0.01, 0.5)]
        for ends in rows + columns:
            start, end = self._place(flatten(np.array([(*end, self._floor) for end in ends])), corner)
            cv2.line(canvas, pixel(start), pixel(end), GRID, 1, cv2.LINE_AA)

    def _corner(self, cell: int) -> tuple[int, int]:
        """Left and top of a cell, px."""
        return self.left[0] + cell % self.columns * self.cell, cell // self.columns * self.cell

    def _place(self, flat: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
        """Drawing metres (..., 2), y up, to px of a cell."""
        metre = self.cell / self._metres
        return np.stack(
            [
                corner[0] + self.cell / 2 + metre * flat[..., 0],
                corner[1] + self.cell - metre * (flat[..., 1] - self._low),
            ],
            axis=-1,
        )

    def _limits(self) -> tuple[float, float, float]:
        """Lowest place and metres that every cell shows, and where the floor is: at the lowest foot of most frames."""
        finite = [flat[np.isfinite(flat).all((1, 2))] for flat in self._flat]
        finite = np.concatenate([flat for flat in finite if len(flat)]) if any(map(len, finite)) else None
        if finite is None:
            return -LEAST / 2, LEAST, -LEAST / 2.2
        heights = np.concatenate([poses[..., 2] for poses in self._upright])
        floor = float(np.median(np.nanmin(heights[np.isfinite(heights).all(1)], axis=1)))
        floor = floor if self.room is None else 0.0
        # A single wild frame must not make everybody tiny.
        low, high = np.quantile(finite[..., 1].min(1), 0.01), np.quantile(finite[..., 1].max(1), 0.99)
        wide = 2 * np.quantile(np.abs(finite[..., 0]).max(1), 0.99)
        metres = 1.15 * max(high - low, wide, LEAST)
        return float((low + high - metres) / 2), float(metres), floor


def write_side_by_side(
    path: str | Path,
    people: Sequence[LiftedPerson],
    times: Sequence[float],
    images: Iterable[np.ndarray] | None,
    *,
    fps: float,
    width: int,
    height: int,
    up: np.ndarray = CAMERA_UP,
    progress: Callable[[int, int], None] | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> Path:
    """Write a video of the frames at ``times`` (F,) s, on ``images`` (H, W, 3) uint8 BGR where there are any.

    fps: frames a second of the video; where the times are less regular, frames are repeated and left out, so that each
    is seen at its time. width, height: px of the images. up: as of :class:`SideBySide`. progress: called with the
    frames done and those there are; show: with each frame (H, W, 3) uint8 BGR. Raises OSError where OpenCV cannot write
    the video, or not all.
    """
    drawing = SideBySide(people, width, height, up=up)
    numbers = frame_numbers(times, fps)
    repeats = np.diff(np.append(numbers, numbers[-1:] + 1))

    def write(file: Path) -> None:
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), fps, drawing.size)
        if not writer.isOpened():
            raise OSError(f"{path}: OpenCV cannot write a video there; is the place writable, and the suffix .mp4?")
        try:
            following = iter(images if images is not None else ())
            for frame, time in enumerate(times):
                image = next(following, None)
                if repeats[frame]:
                    drawn = drawing.draw(frame, image, time)
                    for _ in range(repeats[frame]):
                        writer.write(drawn)
                    if show is not None:
                        show(drawn)
                if progress is not None:
                    progress(frame + 1, len(times))
        finally:
            writer.release()
        _check_whole(file, path, repeats.sum())

    return write_atomically(path, write)


def _check_whole(file: Path, path: str | Path, frames: int) -> None:
    """OSError for a video that breaks off, of which OpenCV's writer says nothing."""
    written = cv2.VideoCapture(str(file))
    there = int(written.get(cv2.CAP_PROP_FRAME_COUNT))
    written.release()
    if there < frames:
        raise OSError(f"{path}: only {there} of {frames} frames could be written; is the disk full?")


def give_cells(people: Sequence[LiftedPerson]) -> list[int]:
    """The cell of each person: the first that is free from their first frame to their last."""
    until: list[int] = []  # last frame for which each cell is taken
    cells = [0] * len(people)
    for index in sorted(range(len(people)), key=lambda index: int(people[index].frames[0])):
        first, last = int(people[index].frames[0]), int(people[index].frames[-1])
        free = next((cell for cell, end in enumerate(until) if end < first), len(until))
        until[free : free + 1] = [last]
        cells[index] = free
    return cells
