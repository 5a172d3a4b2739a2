"""A video of 2D on the images beside 3D on a canvas that stays, each person in a colour of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ..atomic_file import write_atomically
from ..evaluation.pose_error import mpjpe
from ..keypoints import KeypointSet, get_keypoint_set, remap
from .skeleton import bones, camera_to_upright, flatten

#: BGR of Okabe and Ito, told apart by colour-blind readers too.
PALETTE = tuple(
    tuple(int(code[i : i + 2], 16) for i in (4, 2, 0))
    for code in ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "8B6F00")
)
HEIGHT = 540  # px of the video; images of any size become as high
WIDEST = 1280  # px of the left side
PAPER, GRID, GHOST, INK = (250, 250, 250), (214, 214, 214), (170, 170, 170), (60, 60, 60)
#: Below, a 2D keypoint is not drawn.
MIN_SCORE = 0.3
#: Metres that a cell shows at least, so that a person who crouches all the time does not look like a giant.
LEAST = 2.1


@dataclass(frozen=True)
class DrawnPerson:
    """One person in N frames of a video.

    frames (N,) int, increasing; keypoints (N, K, 2) px and scores (N, K) of ``keypoint_set``; poses (N, K', 3)
    root-relative m, camera axes, of ``pose_set``, NaN where there is none; hidden (N, K') bool, what the model was not
    shown, drawn thin; truth (N, K', 3) as ``poses``, drawn grey, or None.
    """

    identity: str
    frames: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    keypoint_set: str
    poses: np.ndarray
    pose_set: str
    hidden: np.ndarray
    truth: np.ndarray | None = None
    rows: dict[int, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.rows.update({int(frame): row for row, frame in enumerate(self.frames)})


class SideBySide:
    """Draws one frame after the other; places and scale are those of the whole video.

    width, height: px of the images. cells: of the canvas, one a person; by default theirs from their first frame
    to their last. limits: lowest place and metres that a cell shows, and height of the floor, m from the pelvis; by
    default what the people need.
    """

    def __init__(
        self,
        people: Sequence[DrawnPerson],
        width: int,
        height: int,
        cells: Sequence[int] | None = None,
        limits: tuple[float, float, float] | None = None,
    ) -> None:
        self.people = people
        self.scale = min(HEIGHT / height, WIDEST / width)
        self.left = (max(2, round(width * self.scale)), max(2, round(height * self.scale)))
        self.cells = give_cells(people) if cells is None else cells
        self.number = max([1, *(cell + 1 for cell in self.cells)])
        self.columns = math.ceil(math.sqrt(self.number))
        self.cell = HEIGHT // math.ceil(self.number / self.columns)
        self._flat = [flatten(camera_to_upright(person.poses)) for person in people]
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
            row = person.rows.get(frame)
            if row is not None:
                keypoints = self.scale * person.keypoints[row]
                _draw_2d(overlay, keypoints, person.scores[row], person.identity, person.keypoint_set)
                self._draw_3d(canvas, index, row)
        canvas[top : top + height, :width] = overlay
        _write(canvas, f"{time:.2f} s", (8, 22), INK)
        return canvas

    def _draw_3d(self, canvas: np.ndarray, index: int, row: int) -> None:
        person, flat = self.people[index], self._flat[index][row]
        if not np.isfinite(flat).all():
            return
        corner, keypoints = self._corner(self.cells[index]), get_keypoint_set(person.pose_set)
        label = person.identity
        everything = np.ones(len(keypoints), bool)
        if person.truth is not None:
            truth = flatten(camera_to_upright(person.truth[row]))
            _draw_bones(canvas, self._place(truth, corner), keypoints, GHOST, everything, 6, shaded=False)
            (error,) = 1000 * mpjpe(person.poses[row][None], person.truth[row][None])
            label += f": {error:.0f} mm (truth: grey)"
        colour = colour_of(person.identity)
        _draw_bones(canvas, self._place(flat, corner), keypoints, colour, everything, 3, thin=person.hidden[row])
        _write(canvas, label, (corner[0] + 8, corner[1] + self.cell - 10), colour)

    def _draw_floor(self, canvas: np.ndarray, corner: tuple[int, int]) -> None:
        ticks = np.arange(-0.75, 0.76, 0.5)
        for tick in ticks:
            for ends in (((-0.75, tick), (0.75, tick)), ((tick, -0.75), (tick, 0.75))):
                flat = flatten(np.array([(*end, self._floor) for end in ends]))
                start, end = self._place(flat, corner)
                cv2.line(canvas, _pixel(start), _pixel(end), GRID, 1, cv2.LINE_AA)

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
        heights = np.concatenate([camera_to_upright(person.poses)[..., 2] for person in self.people])
        floor = float(np.median(np.nanmin(heights[np.isfinite(heights).all(1)], axis=1)))
        # A single wild frame must not make everybody tiny.
        low, high = np.quantile(finite[..., 1].min(1), 0.01), np.quantile(finite[..., 1].max(1), 0.99)
        wide = 2 * np.quantile(np.abs(finite[..., 0]).max(1), 0.99)
        metres = 1.15 * max(high - low, wide, LEAST)
        return float((low + high - metres) / 2), float(metres), floor


def write_side_by_side(
    path: str | Path,
    people: Sequence[DrawnPerson],
    times: Sequence[float],
    images: Iterable[np.ndarray] | None,
    *,
    fps: float,
    width: int,
    height: int,
    progress: Callable[[int, int], None] | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> Path:
    """Write a video of the frames at ``times`` (F,) s, on ``images`` (H, W, 3) uint8 BGR where there are any.

    fps: frames a second of the video; width, height: px of the images. progress: called with the frames done and those
    there are; show: with each frame (H, W, 3) uint8 BGR. Raises OSError where OpenCV cannot write the video.
    """
    drawing = SideBySide(people, width, height)

    def write(file: Path) -> None:
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"mp4v"), fps, drawing.size)
        if not writer.isOpened():
            raise OSError(f"{path}: OpenCV cannot write a video there; is the place writable, and the suffix .mp4?")
        try:
            following = iter(images if images is not None else ())
            for frame, time in enumerate(times):
                drawn = drawing.draw(frame, next(following, None), time)
                writer.write(drawn)
                if show is not None:
                    show(drawn)
                if progress is not None:
                    progress(frame + 1, len(times))
        finally:
            writer.release()

    return write_atomically(path, write)


def give_cells(people: Sequence[DrawnPerson]) -> list[int]:
    """The cell of each person: the first that is free from their first frame to their last."""
    until: list[int] = []  # last frame for which each cell is taken
    cells = [0] * len(people)
    for index in sorted(range(len(people)), key=lambda index: int(people[index].frames[0])):
        first, last = int(people[index].frames[0]), int(people[index].frames[-1])
        free = next((cell for cell, end in enumerate(until) if end < first), len(until))
        until[free : free + 1] = [last]
        cells[index] = free
    return cells


def colour_of(identity: str) -> tuple[int, int, int]:
    """The colour (BGR) of an id, the same in every video."""
    number = int(identity) if identity.isdecimal() else sum(identity.encode())
    return PALETTE[number % len(PALETTE)]


def pose_truth(truth: np.ndarray, truth_set: str, pose_set: str) -> np.ndarray | None:
    """Truth (N, K, 3) in the keypoints of the poses; None where some of them are not known exactly."""
    mapping = remap(truth_set, pose_set, approximate=False)
    return None if mapping.missing else mapping(truth)[0]


def _draw_2d(canvas: np.ndarray, keypoints: np.ndarray, scores: np.ndarray, identity: str, keypoint_set: str) -> None:
    """One person, keypoints (K, 2) px of the canvas and scores (K,)."""
    seen = np.isfinite(keypoints).all(-1) & (scores >= MIN_SCORE)
    if not seen.any():
        return
    points, colour = np.where(seen[:, None], keypoints, 0), colour_of(identity)
    _draw_bones(canvas, points, get_keypoint_set(keypoint_set), colour, seen, 3)
    for point in points[seen]:
        cv2.circle(canvas, _pixel(point), 3, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(canvas, _pixel(point), 3, colour, 1, cv2.LINE_AA)
    x, y = points[seen].min(0)
    _write(canvas, identity, _pixel((x, max(y - 8, 14))), colour)


def _draw_bones(
    canvas: np.ndarray,
    points: np.ndarray,
    keypoints: KeypointSet,
    colour: tuple[int, int, int],
    seen: np.ndarray,
    width: int,
    thin: np.ndarray | None = None,
    shaded: bool = True,
) -> None:
    """Bones between points (K, 2) px that are seen (K,): the person's right darker, and thin where an end is."""
    for parent, child, side in bones(keypoints):
        if not (seen[parent] and seen[child]):
            continue
        shade = tuple(int(0.6 * part) for part in colour) if shaded and side == "right" else colour
        narrow = thin is not None and (thin[parent] or thin[child])
        cv2.line(canvas, _pixel(points[parent]), _pixel(points[child]), shade, 1 if narrow else width, cv2.LINE_AA)


def _pixel(point: Sequence[float]) -> tuple[int, int]:
    # What is far outside of the picture need not be exact, but must fit OpenCV's integers.
    x, y = np.clip(point, -(2**14), 2**14)
    return round(float(x)), round(float(y))


def _write(canvas: np.ndarray, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    for width, shade in ((4, (255, 255, 255)), (1, colour)):
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, shade, width, cv2.LINE_AA)
