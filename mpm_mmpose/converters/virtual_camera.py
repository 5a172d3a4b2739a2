"""Virtual cameras around a clip, like Human3.6M's unless told otherwise: world motion to 2D and camera-space 3D."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from ..pose.geometry import project, world_to_camera
from ..pose.pose_sequence import PoseSequence
from ..pose.rotations import axis_rotation
from ..readers.motion import Motion

# width, height px of Human3.6M's four cameras
SIZES = ((1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002))
# fx, fy, cx, cy px, k1, k2, k3, p1, p2: mean of Human3.6M's four cameras, and how far they are from it
INTRINSICS = np.array([1147.3, 1146.2, 514.0, 506.7, -0.202, 0.240, -0.0019, -0.0005, -0.0017])
SPREAD = np.array([2.3, 2.3, 5.5, 7.0, 0.007, 0.016, 0.007, 0.0013, 0.0009])
HEIGHTS = (1.4, 1.65)  # m
MARGIN = 0.04  # share of the image's width kept free at each side
# What `project` still distinguishes: wider lenses would see beyond 45 degrees, where it clamps.
MIN_FOCAL = 0.5
MIN_DISTANCE = 1.0  # m
STEEPEST = 85.0  # degrees; straight from above, no side of the image is up
# How far from the image's middle to its edge, in tangents, the clip's middle may be: beyond, the camera would have to
# stand so far away to see all of the clip that nothing could be made out.
MAX_SHIFT = 0.75


@dataclass(frozen=True)
class CameraRanges:
    """From where to where each property of a virtual camera is drawn, evenly; the defaults are Human3.6M's cameras.

    roll: degrees that the camera is turned clockwise, seen from behind it. pitch: degrees that it looks above the
    middle of the clip, below where negative. distance: m from the middle of the clip, along the floor; a camera that
    does not see the whole clip from there moves back. focal: factor on Human3.6M's focal length. elevation: degrees
    above the horizontal from which a camera looks at the middle of the clip, ``distance`` being that to it; None:
    cameras stand 1.4 m to 1.65 m high.
    Raises ValueError for ranges with which a camera would not see the clip.
    """

    roll: tuple[float, float] = (0.0, 0.0)
    pitch: tuple[float, float] = (0.0, 0.0)
    distance: tuple[float, float] = (4.0, 5.5)
    focal: tuple[float, float] = (1.0, 1.0)
    elevation: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if (limits := getattr(self, field.name)) is None:
                continue
            low, high = limits
            if not (np.isfinite([low, high]).all() and low <= high):
                raise ValueError(f"{field.name} is {low:g} to {high:g}; give two numbers, the lower one first")
        if max(map(abs, self.roll)) > 180:
            raise ValueError(f"roll is {_text(self.roll)}; give degrees, -180 to 180")
        if self.distance[0] < MIN_DISTANCE:
            raise ValueError(f"distance is {_text(self.distance)}; give metres, {MIN_DISTANCE:g} or more")
        if self.elevation is not None and max(map(abs, self.elevation)) > STEEPEST:
            raise ValueError(f"elevation is {_text(self.elevation)}; give degrees, -{STEEPEST:g} to {STEEPEST:g}")
        if self.focal[0] < MIN_FOCAL:
            raise ValueError(f"focal is {_text(self.focal)}; give factors of {MIN_FOCAL:g} or more")
        widest = widest_pitch(self.focal[1])
        if max(map(abs, self.pitch)) > widest:
            raise ValueError(
                f"pitch is {_text(self.pitch)}; with a focal length of up to {self.focal[1]:g} times Human3.6M's give "
                f"degrees, -{widest:.1f} to {widest:.1f}, so that the clip stays in view"
            )


def _text(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} to {pair[1]:g}"


def widest_pitch(focal: float) -> float:
    """Degrees that a camera of ``focal`` times Human3.6M's focal length may look above or below a clip's middle."""
    centre = np.abs(INTRINSICS[2:4] - 500).max() + SPREAD[2:4].max()
    edge = (500 - MARGIN * 1000 - centre) / (focal * (INTRINSICS[:2] + SPREAD[:2]).max())
    # Floor, so that the limit that messages print is within it.
    return float(np.floor(10 * np.rad2deg(np.arctan(MAX_SHIFT * edge))) / 10)


LIKE_HUMAN36M = CameraRanges()


def project_views(
    motion: Motion, cameras: int = 4, seed: int = 0, ranges: CameraRanges = LIKE_HUMAN36M
) -> Iterator[PoseSequence]:
    """The motion as ``cameras`` cameras see it, spread evenly around it from a random direction.

    Each stands 1.4 m to 1.65 m high, or at ``ranges.elevation``, tilted towards the middle of the clip and turned from
    there as ``ranges`` say. It is as far away (``ranges.distance``, more for a clip that needs it) as keeps every
    keypoint of every frame in its image. Intrinsics are random, as far apart as those of Human3.6M; 2D has their
    distortion. Everything is drawn from ``seed`` and the motion's name, so that a clip looks the same whatever else is
    converted with it; yaw, height and principal point are the same whatever the ranges.
    Yields sequences called ``<motion>.cam<i>``, with the motion's file as their source.
    """
    if cameras < 1:
        raise ValueError(f"cameras is {cameras}; give 1 or more")
    name = zlib.crc32(motion.name.encode())
    random = np.random.default_rng([seed, name])
    # A stream of their own: stores of before these could be chosen stay reproducible.
    random_view = np.random.default_rng([seed, name, 1])
    world = motion.keypoints_3d.astype(np.float64)
    points = world.reshape(-1, 3)
    middle = (points.min(0) + points.max(0)) / 2
    first = random.uniform(0, 2 * np.pi)
    for camera in range(cameras):
        width, height = SIZES[camera % len(SIZES)]
        yaw = first + 2 * np.pi * camera / cameras + random.uniform(-0.2, 0.2)
        intrinsics = INTRINSICS + SPREAD * random.uniform(-1, 1, size=9)
        stand = random.uniform(*HEIGHTS)
        distance = random.uniform(*ranges.distance)
        roll, pitch = (np.deg2rad(random_view.uniform(*limits)) for limits in (ranges.roll, ranges.pitch))
        intrinsics[:2] *= random_view.uniform(*ranges.focal)
        direction = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        if ranges.elevation is not None:
            raised = np.deg2rad(random_view.uniform(*ranges.elevation))
            direction, stand = np.cos(raised) * direction + np.sin(raised) * np.array([0.0, 0.0, 1.0]), None
        rotation, translation = _place(
            points, middle, direction, stand, distance, roll, pitch, intrinsics, width, height
        )
        keypoints_3d = world_to_camera(world, rotation, translation)
        yield PoseSequence(
            name=f"{motion.name}.cam{camera}",
            keypoints_3d=keypoints_3d,
            keypoints=project(keypoints_3d, intrinsics),
            intrinsics=intrinsics,
            rotation=rotation,
            translation=translation,
            width=width,
            height=height,
            fps=motion.fps,
            subject=motion.subject,
            action=motion.action,
            camera=f"cam{camera}",
            keypoint_set=motion.keypoint_set,
            source=motion.source,
        )


def look_at(position: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World-to-camera rotation (3, 3) and translation (3,) m of an upright camera at ``position`` facing ``target``."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    rotation = np.stack((right, np.cross(forward, right), forward))
    return rotation, -rotation @ position


def turn(roll: float, pitch: float) -> np.ndarray:
    """Rotation (3, 3) of camera space when the camera is turned up by ``pitch``, then clockwise by ``roll``, rad."""
    return axis_rotation("z", -roll) @ axis_rotation("x", -pitch)


def _place(
    points: np.ndarray,
    middle: np.ndarray,
    direction: np.ndarray,
    stand: float | None,
    distance: float,
    roll: float,
    pitch: float,
    intrinsics: np.ndarray,
    width: int,
    height: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics of the camera in a ``direction`` (3,) from the middle, moved back until it sees all points.

    stand: m above the floor; None: as the direction says.
    """
    free = MARGIN * width
    # Tangents of the view, distortion left out; the loop ends by the true projection.
    low = (intrinsics[2:4] - free) / intrinsics[:2]
    high = (np.array([width, height]) - free - intrinsics[2:4]) / intrinsics[:2]
    for _ in range(100):
        position = middle + distance * direction
        if stand is not None:
            position[2] = stand
        rotation, translation = look_at(position, middle)
        if roll or pitch:  # else a zero could change its sign, and stores of before these would not come out the same
            turned = turn(roll, pitch)
            rotation, translation = turned @ rotation, turned @ translation
        seen = world_to_camera(points, rotation, translation)
        if seen[:, 2].min() > 0.5:
            image = project(seen, intrinsics)
            if (image >= free).all() and (image <= np.array([width, height]) - free).all():
                return rotation, translation
        short = np.maximum(seen[:, :2] / high, -seen[:, :2] / low).max(1) - seen[:, 2]
        distance += max(float(short.max()), 0.01 * distance)
    raise AssertionError("no place was found from where the camera sees the whole clip")  # points are finite: it exists
