"""The skeleton of an ASF file (Acclaim); no Python package reads the format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..messages import shortened
from ..pose.rotations import axis_rotation
from .files import read_text

ROOT_CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")


@dataclass
class Bone:
    """One bone, in file units and axes.

    offset (3,) from its start to its end in the rest pose; axes (3, 3) from the axes that its angles are about to the
    file's; order of these angles, such as 'xyz' (x is applied first); channels as the motion file lists them.
    """

    name: str
    offset: np.ndarray
    axes: np.ndarray
    order: str
    channels: tuple[str, ...]
    parent: str | None = None


@dataclass
class AsfSkeleton:
    """Bones by name, each after its parent, the root first; metres per file unit; radians per unit of angle."""

    bones: dict[str, Bone]
    metres_per_unit: float
    radians_per_unit: float


class _Lines:
    """Words of the lines of one section, with the place for error messages."""

    def __init__(self, path: Path, section: str, lines: list[tuple[int, list[str]]]) -> None:
        self.path, self.section, self.lines = path, section, lines

    def error(self, number: int, problem: str) -> ValueError:
        section = shortened(self.section, 60)
        return ValueError(
            f"{self.path}: line {number}, section :{section}: {shortened(problem)}; repair the file or leave it out"
        )


def ordered_rotation(order: str, angles: dict[str, np.ndarray]) -> np.ndarray:
    """Rotations (..., 3, 3) by angles (...) rad about fixed axes, those of ``order`` one after the other."""
    turn = np.eye(3)
    for axis in order:
        if axis in angles:
            turn = axis_rotation(axis, angles[axis]) @ turn
    return turn


def read_asf(path: str | Path) -> AsfSkeleton:
    """Parse an ASF file; ValueError names file, line or section, and what to do."""
    path = Path(path)
    sections = _sections(path)
    for name in ("root", "bonedata", "hierarchy"):
        if name not in sections:
            raise ValueError(
                f"{path}: has no section :{name}; it is cut off or no ASF file, fetch it again or leave it out"
            )
    length, angle = _units(sections.get("units", _Lines(path, "units", [])))
    bones = {bone.name: bone for bone in [_root(sections["root"], angle), *_bones(sections["bonedata"], angle)]}
    return AsfSkeleton(_attach(bones, sections["hierarchy"]), metres_per_unit=0.0254 / length, radians_per_unit=angle)


def _sections(path: Path) -> dict[str, _Lines]:
    sections: dict[str, _Lines] = {}
    lines: list[tuple[int, list[str]]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            lines = []
            sections[words[0][1:].lower()] = _Lines(path, words[0][1:].lower(), lines)
        elif words:
            lines.append((number, words))
    return sections


def _units(section: _Lines) -> tuple[float, float]:
    """The 'length' entry (inches per file unit are 1 / length) and radians per unit of angle."""
    length, angle = 0.0, np.pi / 180
    for number, words in section.lines:
        if words[0] == "length":
            (length,) = _numbers(section, number, words[1:], 1)
            if not length > 0:
                raise section.error(number, f"'length' is {length}, not above 0")
        elif words[0] == "angle":
            if words[1:] not in (["deg"], ["rad"]):
                raise section.error(number, f"'angle' is {' '.join(words[1:])!r}, neither deg nor rad")
            angle = np.pi / 180 if words[1] == "deg" else 1.0
    if not length:
        raise ValueError(
            f"{section.path}: section :units has no 'length', which says how long a unit is; repair the file or leave "
            "it out"
        )
    return length, angle


def _root(section: _Lines, angle: float) -> Bone:
    entries = {words[0].lower(): (number, words[1:]) for number, words in section.lines}
    for name in ("order", "axis", "orientation"):
        if name not in entries:
            raise ValueError(f"{section.path}: section :root has no '{name}'; repair the file or leave it out")
    channels = tuple(word.lower() for word in entries["order"][1])
    if sorted(channels) != sorted(ROOT_CHANNELS):
        raise section.error(
            entries["order"][0], f"'order' is {' '.join(channels)}, not {' '.join(ROOT_CHANNELS)} in some order"
        )
    order = _order(section, entries["axis"][0], entries["axis"][1])
    orientation = _numbers(section, *entries["orientation"], 3)
    return Bone("root", np.zeros(3), _axes(order, orientation, angle), order, channels)


def _bones(section: _Lines, angle: float) -> list[Bone]:
    bones, entries = [], {}
    for number, words in section.lines:
        if words == ["begin"]:
            entries = {}
        elif words == ["end"]:
            for name in ("name", "direction", "length", "axis"):
                if name not in entries:
                    raise section.error(number, f"the bone that ends here has no '{name}'")
            bones.append(_bone(section, entries, angle))
            entries = {}
        else:
            entries[words[0].lower()] = (number, words[1:])
    if entries:
        raise section.error(number, "the last bone has no 'end', the file is cut off")
    return bones


def _bone(section: _Lines, entries: dict[str, tuple[int, list[str]]], angle: float) -> Bone:
    direction = np.array(_numbers(section, *entries["direction"], 3))
    if not np.any(direction):
        raise section.error(entries["direction"][0], "'direction' is 0 0 0")
    (length,) = _numbers(section, *entries["length"], 1)
    number, words = entries["axis"]
    order = _order(section, number, words[3:])
    channels = tuple(word.lower() for word in entries.get("dof", (0, []))[1])
    if set(channels) - {"rx", "ry", "rz"} or len(set(channels)) != len(channels):
        raise section.error(entries["dof"][0], f"'dof' is {' '.join(channels)}; only rotations rx, ry, rz can be read")
    name = " ".join(entries["name"][1])
    axes = _axes(order, _numbers(section, number, words[:3], 3), angle)
    return Bone(name, direction / np.linalg.norm(direction) * length, axes, order, channels)


def _axes(order: str, angles: list[float], angle: float) -> np.ndarray:
    return ordered_rotation(order, {axis: np.float64(value * angle) for axis, value in zip("xyz", angles, strict=True)})


def _order(section: _Lines, number: int, words: list[str]) -> str:
    order = "".join(words).lower()
    if sorted(order) != ["x", "y", "z"]:
        raise section.error(number, f"'axis' order is {order!r}, not x, y, z in some order")
    return order


def _numbers(section: _Lines, number: int, words: list[str], count: int) -> list[float]:
    try:
        values = [float(word) for word in words[:count]]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise section.error(number, f"{' '.join(words)!r} does not start with {count} numbers")
    return values


def _attach(bones: dict[str, Bone], section: _Lines) -> dict[str, Bone]:
    """Set the parents; bones in the order of the hierarchy, each after its parent."""
    ordered = {"root": bones["root"]}
    for number, (parent, *children) in section.lines:
        if parent in ("begin", "end") and not children:
            continue
        if parent not in ordered:
            raise section.error(number, f"{parent!r} has no parent of its own before this line")
        for child in children:
            if child not in bones or child in ordered:
                raise section.error(number, f"{child!r} is not in :bonedata, or has two parents")
            bones[child].parent = parent
            ordered[child] = bones[child]
    return ordered
