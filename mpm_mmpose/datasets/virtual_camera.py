"""Virtual cameras like Human3.6M's around a clip: world motion to 2D in the image and 3D in camera space."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from ..geometry import project, world_to_camera
from .pose_sequence import PoseSequence
from .readers.motion import Motion

# width, height px of Human3.6M's four cameras
SIZES = ((1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002))
# fx, fy, cx, cy px, k1, k2, k3, p1, p2: mean of Human3.6M's four cameras, and how far they are from it
INTRINSICS = np.array([1147.3, 1146.2, 514.0, 506.7, -0.202, 0.240, -0.0019, -0.0005, -0.0017])
SPREAD = np.array([2.3, 2.3, 5.5, 7.0, 0.007, 0.016, 0.007, 0.0013, 0.0009])
HEIGHTS = (1.4, 1.65)  # m
DISTANCES = (4.0, 5.5)  # m, where the clip fits into the image from there
MARGIN = 0.04  # share of the image's width kept free at each side


def film(motion: Motion, cameras: int = 4, seed: int = 0) -> Iterator[PoseSequence]:
    """The motion as ``cameras`` cameras see it, spread evenly around it from a random direction.

    Each stands 1.4 m to 1.65 m high, level but for the tilt towards the middle of the clip, and as far away (4 m to
    5.5 m, more for a clip that needs it) as keeps every keypoint of every frame in its image. Intrinsics are random, as
    far apart as those of Human3.6M; 2D has their distortion. Everything is drawn from ``seed`` and the motion's name,
    so that a clip looks the same whatever else is converted with it.
    Yields sequences called ``<motion>.cam<i>``, with the motion's file as their source.
    """
    if cameras < 1:
        raise ValueError(f"cameras is {cameras}; give 1 or more")
    random = np.random.default_rng([seed, zlib.crc32(motion.name.encode())])
    world = motion.keypoints_3d.astype(np.float64)
    points = world.reshape(-1, 3)
    middle = (points.min(0) + points.max(0)) / 2
    first = random.uniform(0, 2 * np.pi)
    for camera in range(cameras):
        width, height = SIZES[camera % len(SIZES)]
        yaw = first + 2 * np.pi * camera / cameras + random.uniform(-0.2, 0.2)
        intrinsics = INTRINSICS + SPREAD * random.uniform(-1, 1, size=9)
        stand = random.uniform(*HEIGHTS)
        rotation, translation = _place(
            points, middle, yaw, stand, random.uniform(*DISTANCES), intrinsics, width, height
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


def _place(
    points: np.ndarray,
    middle: np.ndarray,
    yaw: float,
    stand: float,
    distance: float,
    intrinsics: np.ndarray,
    width: int,
    height: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics of the camera at ``yaw``, ``stand`` m high, moved back from ``distance`` until it sees all points."""
    free = MARGIN * width
    side = np.array([np.cos(yaw), np.sin(yaw)])
    # Tangents of the view, distortion left out; the loop ends by the true projection.
    low = (intrinsics[2:4] - free) / intrinsics[:2]
    high = (np.array([width, height]) - free - intrinsics[2:4]) / intrinsics[:2]
    for _ in range(100):
        position = np.array([*(middle[:2] + distance * side), stand])
        rotation, translation = look_at(position, middle)
        seen = world_to_camera(points, rotation, translation)
        if seen[:, 2].min() > 0.5:
            image = project(seen, intrinsics)
            if (image >= free).all() and (image <= np.array([width, height]) - free).all():
                return rotation, translation
        short = np.maximum(seen[:, :2] / high, -seen[:, :2] / low).max(1) - seen[:, 2]
        distance += max(float(short.max()), 0.01 * distance)
    raise AssertionError("no place was found from where the camera sees the whole clip")  # points are finite: it exists
