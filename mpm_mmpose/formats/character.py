"""A character of the user's own (.glb): its skeleton found by the names of its joints, and moved as a person does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..pose.geometry import quaternion_to_matrix
from ..pose.rotations import quaternions
from ..pose.scene import Scene
from ..readers.bvh_joints import find_joints
from .gltf import Glb, read_glb
from .motion import SkeletonMotion
from .rig import Rig, check_rig, retarget

#: Joints of a character; more is no body.
MOST_NODES = 20_000


class Character:
    """A file and its rig; nodes: the file's, in the rig's order."""

    def __init__(self, file: Glb, rig: Rig, nodes: list[int], path: Path) -> None:
        self.file, self.rig, self.nodes, self.path = file, rig, nodes, path


def read_character(path: str | Path) -> Character:
    """A .glb with a skinned body whose joints are called as Mixamo, Blender, Unreal and others call them.

    Raises ValueError or OSError (file, what is wrong, fix).
    """
    path = Path(path)
    file = read_glb(path)
    try:
        nodes = _nodes(file.content)
        order, parents = _in_order(nodes)
        with np.errstate(all="ignore"):  # check_rig refuses what is beyond any bound
            local = np.stack([_transform(nodes[node]) for node in order])
        joints = sorted({order.index(node) for skin in file.content.get("skins", []) for node in skin["joints"]})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"{path}: its skeleton cannot be read ({error}); export the character again") from None
    if not joints:
        raise ValueError(f"{path}: has no skeleton (skin); export the character with its armature")
    names = [str(nodes[order[joint]].get("name", "")) for joint in joints]
    # Joints may hang on nodes that are none, which find_joints need not know.
    place = {joint: number for number, joint in enumerate(joints)}
    above = []
    for joint in joints:
        parent = parents[joint]
        while parent >= 0 and parent not in place:
            parent = parents[parent]
        above.append(place.get(parent, -1))
    parts = {part: joints[index] for part, index in find_joints(path, names, above).items()}
    rig = Rig(parents, local, parts)
    try:
        check_rig(rig)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; export the character in its rest pose") from None
    return Character(file, rig, order, path)


def move_character(character: Character, motion: SkeletonMotion, scene: Scene) -> tuple[Glb, list[str]]:
    """The character's file with one animation, in place of those it had, and the notes on it."""
    content = dict(character.file.content)
    had = len(content.pop("animations", []))
    copied = {name: list(value) if isinstance(value, list) else value for name, value in content.items()}
    file = Glb(copied, character.file.data)
    turns, place = retarget(motion.fitted, motion.root, character.rig)
    nodes = character.nodes
    for joint in {*turns, character.rig.hips}:  # a node that moves says so in parts, not as a matrix
        node = dict(copied["nodes"][nodes[joint]])
        if node.pop("matrix", None) is not None:
            node |= _parts(character.rig.local[joint])
        copied["nodes"][nodes[joint]] = node
    rotations = {nodes[joint]: quaternions(turn).astype("<f4") for joint, turn in turns.items()}
    file.animate(scene.fps, {nodes[character.rig.hips]: place}, rotations)
    return file, [f"GLB: {character.path.name} had {had} animations, which are left out"] if had else []


def _nodes(content: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = content["nodes"]
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise ValueError("its nodes are no list")
    if len(nodes) > MOST_NODES:
        raise ValueError(f"it has {len(nodes):,} nodes")
    return nodes


def _in_order(nodes: list[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Nodes with parents before children, and the place in that order of each one's parent (-1: none)."""
    above = dict.fromkeys(range(len(nodes)), -1)
    for index, node in enumerate(nodes):
        for child in node.get("children", []):
            if not 0 <= child < len(nodes) or above[child] >= 0:
                raise ValueError(f"node {child!r} hangs on several or is not there")
            above[child] = index
    order = [node for node in range(len(nodes)) if above[node] < 0]
    for node in order:
        order += nodes[node].get("children", [])
    if len(order) != len(nodes):
        raise ValueError("its nodes hang on each other in a ring")
    place = {node: number for number, node in enumerate(order)}
    return order, [place.get(above[node], -1) for node in order]


def _transform(node: dict[str, Any]) -> np.ndarray:
    """(4, 4) of a node in its parent's axes."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    transform = np.eye(4)
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), float)
    if x * x + y * y + z * z + w * w <= 0:
        raise ValueError("a node is turned by nothing")
    transform[:3, :3] = quaternion_to_matrix(np.array((w, x, y, z))) * np.array(node.get("scale", (1, 1, 1)), float)
    transform[:3, 3] = node.get("translation", (0, 0, 0))
    return transform


def _parts(transform: np.ndarray) -> dict[str, list[float]]:
    """Translation, rotation and scale of (4, 4), of which columns are at right angles."""
    scale = np.linalg.norm(transform[:3, :3], axis=0)
    turn = quaternions((transform[:3, :3] / scale)[None])[0]
    return {"translation": transform[:3, 3].tolist(), "rotation": turn.tolist(), "scale": scale.tolist()}
