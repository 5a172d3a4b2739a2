"""The container of glTF 2.0's binary form (.glb): a JSON and one buffer, with what is in it.

The packages for it hold its structures (pygltflib) or meshes (trimesh), and none makes an animated skeleton; what is
left to do is little, and needs numpy alone.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_file import write_atomically
from ..readers.files import read_bytes

_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
#: Bytes of a character's file, and of its JSON.
LIMIT, JSON_LIMIT = 2**30, 64 * 2**20
_LISTS = ("accessors", "animations", "bufferViews", "buffers", "nodes", "scenes", "skins")
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_COMPONENTS = {np.dtype("u1"): 5121, np.dtype("<u2"): 5123, np.dtype("<u4"): 5125, np.dtype("<f4"): 5126}
#: What the animation is called.
ANIMATION = "motion"
#: glTF's targets of a buffer view.
VERTICES, INDICES = 34962, 34963


class Glb:
    """A glTF file in memory: ``content``, its JSON as a dictionary, and the bytes of its buffer."""

    def __init__(self, content: dict[str, Any] | None = None, data: bytes = b"") -> None:
        self.content = content if content is not None else {"asset": {"version": "2.0"}}
        self.data = bytearray(data)

    def add(self, what: str, one: dict[str, Any]) -> int:
        """Append to one of the lists of the JSON; returns the index."""
        self.content.setdefault(what, []).append(one)
        return len(self.content[what]) - 1

    def accessor(self, values: np.ndarray, target: int | None = None, limits: bool = False) -> int:
        """Append an array of (M, ...) numbers or vectors or column-major matrices; the index of its accessor.

        target: VERTICES or INDICES, what they are for. limits: write the smallest and the largest, which glTF asks for
        of places and times.
        """
        self.data += bytes(-len(self.data) % 4)
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        self.data += np.ascontiguousarray(values).tobytes()
        accessor: dict[str, Any] = {
            "bufferView": self.add("bufferViews", view | ({} if target is None else {"target": target})),
            "componentType": _COMPONENTS[values.dtype],
            "count": len(values),
            "type": _TYPES[values.shape[1:]],
        }
        if limits:
            flat = values.reshape(len(values), -1)
            accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        return self.add("accessors", accessor)

    def animate(self, fps: float, places: dict[int, np.ndarray], turns: dict[int, np.ndarray]) -> None:
        """Append an animation from time 0.

        places (N, 3) and turns, quaternions (N, 4) x, y, z, w: by node, in the axes of its parent.
        """
        frames = len(next(iter(places.values())))
        times = self.accessor((np.arange(frames) / fps).astype("<f4"), limits=True)
        samplers: list[dict[str, Any]] = []
        channels = []
        for what, moved in (("translation", places), ("rotation", turns)):
            for node, values in moved.items():
                output = self.accessor(np.ascontiguousarray(values, "<f4"))
                samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
                channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": what}})
        self.add("animations", {"name": ANIMATION, "samplers": samplers, "channels": channels})

    def write(self, path: Path) -> Path:
        """Write the file, whole or not at all."""
        self.data += bytes(-len(self.data) % 4)
        # Extensions may have buffers of their own behind the first.
        self.content["buffers"] = [{"byteLength": len(self.data)}, *self.content.get("buffers", [])[1:]]
        try:
            text = json.dumps(self.content, separators=(",", ":"), allow_nan=False).encode()
        except ValueError as error:
            raise ValueError(f"{path}: some number of it is beyond any bound ({error})") from None
        text += b" " * (-len(text) % 4)
        size = 12 + 8 + len(text) + 8 + len(self.data)
        parts = (struct.pack("<3I2I", _MAGIC, _VERSION, size, len(text), _JSON), text)
        parts += (struct.pack("<2I", len(self.data), _BIN), bytes(self.data))
        return write_atomically(path, lambda file: file.write_bytes(b"".join(parts)))


def read_glb(path: str | Path) -> Glb:
    """A .glb whose buffer is in it; raises ValueError or OSError (file, what is wrong, fix)."""
    content = read_bytes(path, LIMIT)
    if content[:4] != b"glTF":
        raise ValueError(f"{path}: is no .glb; export the character as glTF Binary (.glb)")
    try:
        _, version, size, length, kind = struct.unpack_from("<5I", content)
        if version != _VERSION:
            raise ValueError(f"{path}: is of version {version} of glTF; export it as glTF 2.0")
        if size != len(content) or kind != _JSON or length > min(JSON_LIMIT, size - 20):
            raise ValueError(f"{path}: is cut off or damaged; export it again")
        table = json.loads(content[20 : 20 + length], parse_constant=_refuse)
        data = b""
        if size > 20 + length:
            length_of_data, kind = struct.unpack_from("<2I", content, 20 + length)
            data = content[28 + length : 28 + length + length_of_data]
            if kind != _BIN or len(data) != length_of_data:
                raise ValueError(f"{path}: is cut off or damaged; export it again")
    except (struct.error, UnicodeDecodeError, RecursionError, json.JSONDecodeError):
        raise ValueError(f"{path}: is cut off or damaged; export it again") from None
    if not isinstance(table, dict) or not all(isinstance(table.get(name, []), list) for name in _LISTS):
        raise ValueError(f"{path}: is no glTF; export it again")
    if any(not isinstance(one, dict) or "uri" in one for one in table.get("buffers", [])[:1]):
        raise ValueError(f"{path}: its data is in another file; export it as one glTF Binary (.glb)")
    return Glb(table, data)


def _refuse(constant: str) -> None:
    """JSON has no NaN and no infinity, though Python reads them."""
    raise json.JSONDecodeError(f"{constant} is no number", constant, 0)
