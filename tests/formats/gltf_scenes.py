"""What a viewer of glTF does: nodes' places and turns at a frame, read from the bytes of a file."""

import numpy as np

from mpm_mmpose.formats.gltf import read_glb
from mpm_mmpose.pose.geometry import quaternion_to_matrix

SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


class Played:
    """A file and its animation."""

    def __init__(self, path):
        file = read_glb(path)
        self.content, self.data = file.content, bytes(file.data)
        self.nodes = self.content["nodes"]
        (animation,) = self.content["animations"]
        self.moved = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            self.times = self.array(sampler["input"])[:, 0]
            self.moved[channel["target"]["node"], channel["target"]["path"]] = self.array(sampler["output"])

    def array(self, index):
        accessor = self.content["accessors"][index]
        start = self.content["bufferViews"][accessor["bufferView"]]["byteOffset"]
        size = SIZES[accessor["type"]]
        kind = np.dtype(TYPES[accessor["componentType"]])
        return np.frombuffer(self.data, kind, accessor["count"] * size, start).reshape(-1, size)

    def transform(self, node, frame=None):
        said = self.nodes[node]
        if "matrix" in said:
            return np.array(said["matrix"], float).reshape(4, 4).T
        place, turn = said.get("translation", (0, 0, 0)), said.get("rotation", (0, 0, 0, 1))
        if frame is not None:
            place = self.moved.get((node, "translation"), {frame: place})[frame]
            turn = self.moved.get((node, "rotation"), {frame: turn})[frame]
        transform = np.eye(4)
        x, y, z, w = np.array(turn, float)
        transform[:3, :3] = quaternion_to_matrix(np.array((w, x, y, z))) * np.array(said.get("scale", (1, 1, 1)))
        transform[:3, 3] = place
        return transform

    def world(self, frame=None):
        """(4, 4) of each node by name, at rest or at a frame."""
        found = {}

        def visit(node, above):
            here = above @ self.transform(node, frame)
            found[self.nodes[node]["name"]] = here
            for child in self.nodes[node].get("children", []):
                visit(child, here)

        children = {child for node in self.nodes for child in node.get("children", [])}
        for root in set(range(len(self.nodes))) - children:
            visit(root, np.eye(4))
        return found

    def places(self, frame=None):
        return {name: transform[:3, 3] for name, transform in self.world(frame).items()}
