"""GLB: a person as a skinned stick figure, or a character of the user's own, that moves; for Blender and engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..pose.rotations import quaternions
from ..pose.scene import Scene, plain_text
from .character import move_character, read_character
from .files import Written
from .fitting import Fitted
from .gltf import INDICES, VERTICES, Glb
from .motion import SkeletonMotion, motions_of
from .skeleton import AHEAD, Skeleton

#: Widest place of a drawn bone, a share of its length, and where along it that is.
_WIDTH, _WAIST = 0.1, 0.15
#: Red, green, blue (linear) of the left, the right and the middle.
_COLOURS = {"left": (0.8, 0.25, 0.05), "right": (0.03, 0.25, 0.8), "middle": (0.3, 0.3, 0.3)}


def write_glb(path: Path, scene: Scene) -> Written:
    """One file per person, ``<path>_<person>.glb`` if there are several, of all frames from their first to their last.

    m, y up, facing z at rest, as :func:`~.placing.stand` puts people; time from 0. A stick figure whose bones are those
    of the person, or the scene's character with its own. Raises ValueError where nobody is left to write, or the
    character cannot be moved.
    """
    character = None if scene.character is None else read_character(scene.character)
    motions, notes = motions_of(path, scene, ".glb")
    paths = []
    for motion in motions:
        if character is None:
            file = stick_figure(motion, scene)
        else:
            file, said = move_character(character, motion, scene)
            notes += [one for one in said if one not in notes]
        paths.append(file.write(motion.path))
    return Written(paths, notes)


def stick_figure(motion: SkeletonMotion, scene: Scene) -> Glb:
    """The file of a motion: bones as joints, each drawn as a thin double pyramid that turns with it."""
    fitted, skeleton = motion.fitted, motion.fitted.skeleton
    offsets = skeleton.offsets(fitted.lengths)
    file = Glb({"asset": {"version": "2.0", "generator": plain_text(scene.made_by)}, "scene": 0})
    for index, joint in enumerate(skeleton.joints):
        node = {"name": joint.name, "translation": offsets[index].tolist()}
        children = [child for child, other in enumerate(skeleton.joints) if other.parent == index]
        file.add("nodes", node | ({"children": children} if children else {}))
    places = rest_places(skeleton, offsets)
    joints = list(range(len(skeleton.joints)))
    inverse = np.tile(np.eye(4, dtype="<f4"), (len(joints), 1, 1))
    inverse[:, 3, :3] = -places  # column-major
    skin = file.add("skins", {"joints": joints, "skeleton": 0, "inverseBindMatrices": file.accessor(inverse)})
    mesh = file.add("meshes", {"name": "bones", "primitives": _primitives(file, fitted, places)})
    name = plain_text(f"{scene.name} {motion.path.stem}")
    figure = file.add("nodes", {"name": name, "mesh": mesh, "skin": skin})
    file.add("scenes", {"nodes": [0, figure]})
    turns = quaternions(fitted.local_rotations).astype("<f4")
    file.animate(scene.fps, {0: motion.root}, {joint: turns[:, joint] for joint in joints})
    return file


def rest_places(skeleton: Skeleton, offsets: np.ndarray) -> np.ndarray:
    """(J, 3) m, joints at rest from the root, for offsets (J, 3) m from their parents."""
    places = np.zeros_like(offsets)
    for index, joint in enumerate(skeleton.joints[1:], 1):
        places[index] = places[joint.parent] + offsets[index]
    return places


def _primitives(file: Glb, fitted: Fitted, places: np.ndarray) -> list[dict[str, object]]:
    """A mesh's parts, a material each: of the left, the right and the middle."""
    skeleton = fitted.skeleton
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, int]]] = {side: [] for side in _COLOURS}
    parents = {joint.parent for joint in skeleton.joints}
    for index, joint in enumerate(skeleton.joints):
        if joint.aim >= 0:
            along, keypoint = fitted.lengths[joint.aim] * skeleton.rest[joint.aim], joint.aim
        elif index not in parents and not joint.hub:
            along, keypoint = skeleton.end(joint), joint.keypoint
        else:
            continue
        side = skeleton.keypoints.names[keypoint].partition("_")[0]
        corners, normals = _double_pyramid(along)
        parts[side if side in parts else "middle"].append((places[index] + corners, normals, index))
    primitives = []
    for side, bones in parts.items():
        if not bones:
            continue
        corners = np.concatenate([bone[0] for bone in bones]).astype("<f4")
        joints = np.zeros((len(corners), 4), "u1")
        joints[:, 0] = np.repeat([bone[2] for bone in bones], [len(bone[0]) for bone in bones])
        attributes = {
            "POSITION": file.accessor(corners, VERTICES, limits=True),
            "NORMAL": file.accessor(np.concatenate([bone[1] for bone in bones]).astype("<f4"), VERTICES),
            "JOINTS_0": file.accessor(joints, VERTICES),
            "WEIGHTS_0": file.accessor(np.tile(np.array((1, 0, 0, 0), "<f4"), (len(corners), 1)), VERTICES),
        }
        colour = {"baseColorFactor": [*_COLOURS[side], 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.7}
        material = file.add("materials", {"name": side, "pbrMetallicRoughness": colour})
        indices = file.accessor(np.arange(len(corners), dtype="<u4"), INDICES)
        primitives.append({"attributes": attributes, "indices": indices, "material": material})
    return primitives


def _double_pyramid(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (24, 3) m and normals (24, 3) of 8 triangles around a bone from 0 to ``along`` (3,) m."""
    length = float(np.linalg.norm(along))
    ahead = along / max(length, 1e-9)
    aside = np.cross(ahead, AHEAD if abs(ahead[2]) < 0.9 else (1.0, 0.0, 0.0))
    aside /= np.linalg.norm(aside)
    other = np.cross(ahead, aside)
    ring = _WAIST * along + _WIDTH * length * np.array([aside, other, -aside, -other])
    triangles = []
    for first, second in zip(ring, np.roll(ring, -1, 0), strict=True):
        triangles += [(np.zeros(3), second, first), (along, first, second)]
    corners = np.array(triangles)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True).clip(1e-12)
    return corners.reshape(-1, 3), np.repeat(normals, 3, axis=0)
