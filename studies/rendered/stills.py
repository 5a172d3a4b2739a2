"""Images of rendered people with annotations in COCO's layout, which MMPose's and MMDetection's data sets read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.converters.virtual_camera import look_at, turn
from mpm_mmpose.data import PoseStore
from mpm_mmpose.pose.geometry import camera_to_world, project, world_to_camera
from mpm_mmpose.pose.keypoints import get_keypoint_set

from .scene import Frame, Scene

SIZE = 320  # px, images are square
#: How far a person's box reaches beyond the outermost keypoints, as a share of its longer side.
MARGIN = 0.08
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


def person_box(keypoints: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes (..., 4) px, x1 y1 x2 y2, around keypoints (..., K, 2) px with their flesh, inside the image."""
    low, high = keypoints.min(-2), keypoints.max(-2)
    margin = MARGIN * (high - low).max(-1, keepdims=True)
    size = np.array([width, height])
    return np.concatenate([(low - margin).clip(0, size), (high + margin).clip(0, size)], -1)


def render_still(store: PoseStore, rng: np.random.Generator) -> Frame:
    """A random frame of the store, seen by a random camera that looks at the person, 320 x 320 px.

    The camera stands 2 to 8 m away, 0.3 to 2.8 m high and up to 12 degrees askew; the person is 40 to 95 % as high or
    as wide as the image, now and then partly outside. Up to three things stand in front. The store must know cameras
    and be of Human3.6M's keypoints.
    """
    sequence = store.sequence(int(rng.integers(len(store))))
    if sequence.rotation is None or sequence.keypoints_3d is None or sequence.keypoint_set != "h36m_17":
        raise ValueError(
            f"{store.path}: {sequence.name} is without camera or 3D, or not of h36m_17 but of {sequence.keypoint_set}; "
            "give a store that tools/dataset_converters/mocap.py made"
        )
    pose = sequence.keypoints_3d[rng.integers(len(sequence))].astype(np.float64)
    pose = camera_to_world(pose, sequence.rotation.astype(np.float64), sequence.translation)
    middle = (pose.min(0) + pose.max(0)) / 2
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(2, 8)
    stand = [middle[0] + distance * np.cos(angle), middle[1] + distance * np.sin(angle), rng.uniform(0.3, 2.8)]
    rotation, translation = look_at(np.array(stand), middle + rng.normal(0, 0.1, 3))
    askew = turn(np.deg2rad(rng.uniform(-12, 12)), 0.0)
    pose = world_to_camera(pose, askew @ rotation, askew @ translation)
    return _scene(pose, rng).render(pose)


def _scene(pose: np.ndarray, rng: np.random.Generator) -> Scene:
    """A scene whose camera, at the origin, has the person where it should be in the image."""
    plain = project(pose, np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0]))
    low, high = plain.min(0), plain.max(0)
    focal = rng.uniform(0.4, 0.95) * SIZE / (high - low).max()
    free = SIZE - focal * (high - low)
    out = (0.3 if rng.random() < 0.15 else 0.0) * (SIZE - free)
    corner = rng.uniform(-out, free + out)
    intrinsics = np.array([focal, focal, *(corner - focal * low), 0, 0, 0, 0, 0])
    box = np.concatenate([corner, corner + focal * (high - low)])
    return Scene(rng, SIZE, SIZE, intrinsics, box, occluders=int(rng.choice((0, 0, 0, 1, 1, 2, 3))))


def write_stills(
    store: str | Path, out: str | Path, number: int, seed: int = 0, progress: Callable[[], object] = lambda: None
) -> Path:
    """Write ``out/images/*.jpg`` and ``out/annotations.json``, which is returned; image i depends on seed and i alone.

    Keypoints outside the image have COCO's flag 0, those behind something that stands in front 1, others 2.
    """
    store, out = PoseStore(store), Path(out)
    (out / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for index in range(number):
        frame = render_still(store, np.random.default_rng([seed, index]))
        name = f"{index:06d}.jpg"
        if not cv2.imwrite(str(out / "images" / name), frame.image, _JPEG):
            raise OSError(f"{out / 'images' / name}: cannot be written; is the disk full?")
        images.append(dict(id=index, file_name=name, width=SIZE, height=SIZE))
        annotations.append(annotate(frame, index))
        progress()
    names = get_keypoint_set("h36m_17").names
    person = dict(id=1, name="person", supercategory="person", keypoints=list(names), skeleton=[])
    made = dict(images=images, annotations=annotations, categories=[person])
    return write_atomically(out / "annotations.json", lambda path: path.write_text(json.dumps(made), encoding="utf-8"))


def draw_sheet(annotations: str | Path, path: str | Path, columns: int = 6, rows: int = 4) -> Path:
    """A picture of the first images that :func:`write_stills` wrote, with what is annotated in the lower half of them.

    Keypoints behind something are red. Raises ValueError where there are too few images.
    """
    annotations = Path(annotations)
    made = json.loads(annotations.read_text(encoding="utf-8"))
    if len(made["images"]) < columns * rows:
        raise ValueError(f"{annotations}: has {len(made['images'])} images; a sheet shows {columns * rows}, draw more")
    images = []
    for index, (image, annotation) in enumerate(zip(made["images"], made["annotations"], strict=True)):
        if index == columns * rows:
            break
        images.append(cv2.imread(str(annotations.parent / "images" / image["file_name"])))
        if index >= columns * (rows // 2):
            for x, y, flag in np.reshape(annotation["keypoints"], (-1, 3)):
                if flag:
                    cv2.circle(images[-1], (round(x), round(y)), 3, (0, 255, 0) if flag == 2 else (0, 0, 255), -1)
    sheet = np.vstack([np.hstack(images[row * columns : (row + 1) * columns]) for row in range(rows)])
    sheet = cv2.resize(sheet, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return write_atomically(path, lambda unfinished: cv2.imwrite(str(unfinished), sheet))


def annotate(frame: Frame, index: int) -> dict:
    """The annotation of the one person in image ``index``."""
    height, width = frame.image.shape[:2]
    inside = ((frame.keypoints >= 0) & (frame.keypoints < (width, height))).all(1)
    flags = np.where(inside, 1 + frame.visible, 0)
    x1, y1, x2, y2 = person_box(frame.keypoints, width, height).round(2).tolist()
    keypoints = np.column_stack([np.where(inside[:, None], frame.keypoints.round(2), 0), flags])
    return dict(
        id=index,
        image_id=index,
        category_id=1,
        iscrowd=0,
        bbox=[x1, y1, x2 - x1, y2 - y1],
        area=(x2 - x1) * (y2 - y1),
        keypoints=np.round(keypoints.astype(np.float64), 2).ravel().tolist(),
        num_keypoints=int(inside.sum()),
    )
