"""Which joint of a skeleton is which part of the body, whatever program named it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .files import read_text

# Names without side, prefix and punctuation, the first that a skeleton has: Bandai Namco, Mixamo and LAFAN1, Rokoko,
# Xsens, Biovision, 3ds Max's biped, Character Creator, Unreal, Daz, SMPL. A joint is called by the bone that it turns,
# or by itself; where both occur ("foot" and "ankle", "arm" and "shoulder"), the order here says which is meant.
_SIDED = {
    "hip": ("upleg", "upperleg", "thigh", "thighbend", "femur", "hip", "leg"),
    "knee": ("lowerleg", "lowleg", "shin", "calf", "tibia", "knee", "leg"),
    "ankle": ("ankle", "foot"),
    "shoulder": ("arm", "upperarm", "uparm", "shldrbend", "shldr", "humerus", "shoulder"),
    "elbow": ("forearm", "forearmbend", "lowerarm", "lowarm", "elbow", "radius"),
    "wrist": ("wrist", "hand"),
}
_MIDDLE = {
    "spine": ("spine", "spine1", "abdomen", "abdomenlower", "waist", "chest", "torso"),
    "neck": ("neck", "neck1", "necklower", "necktwist1"),
    "head": ("head",),
}
_SIDES = {"left": "left", "l": "left", "lft": "left", "right": "right", "r": "right", "rgt": "right"}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Each part, and the one that it must hang on.
_INNER = {"knee": "hip", "ankle": "knee", "elbow": "shoulder", "wrist": "elbow"}

#: What can be named in a map of joints.
PARTS = (*(f"{side}_{part}" for part in _SIDED for side in ("left", "right")), *_MIDDLE)


def read_joint_map(path: str | Path) -> dict[str, str]:
    """The map of a JSON file ``{"left_hip": "Bone_12", ...}``, parts to joints; raises ValueError or OSError."""
    try:
        table = json.loads(read_text(path).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: is no JSON ({error}); give {{"left_hip": "name of the joint", ...}}') from None
    if not isinstance(table, dict) or not table or not all(isinstance(name, str) for name in table.values()):
        raise ValueError(f'{path}: is no table of names; give {{"left_hip": "name of the joint", ...}}')
    if unknown := [part for part in table if part not in PARTS]:
        raise ValueError(f"{path}: {unknown[0]!r} is no part of the body that is known; there are {', '.join(PARTS)}")
    return table


def find_joints(
    path: Path, names: Sequence[str], parents: Sequence[int], joint_map: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Index of the joint of each part (``PARTS``), of a skeleton's joints in order with their parents' indices.

    joint_map: parts to names, before what is found; a skeleton without a joint in the spine has no 'spine'.
    Raises ValueError (file, what is missing, fix) for a part without a joint, or a limb whose joints do not hang on
    each other.
    """
    found = _mapped(path, names, joint_map or {})
    called = _plain(names)
    for part in PARTS:
        side, _, rest = part.partition("_")
        known = [(side, name) for name in _SIDED[rest]] if rest else [("", name) for name in _MIDDLE[part]]
        there = [called.index(name) for name in known if name in called and called.index(name) not in found.values()]
        if part not in found and there:
            found[part] = there[0]
    for side in ("left", "right"):  # a "leg" that a shin hangs on is the thigh
        for part in ("hip", "knee"):
            if f"{side}_{part}" not in found:
                found.pop(f"{side}_hip", None)
    if missing := [part for part in PARTS if part not in found and part != "spine"]:
        rest = missing[0].partition("_")[2]
        raise ValueError(
            f"{path}: no joint for {missing[0]} (looked for {', '.join(_SIDED.get(rest) or _MIDDLE[missing[0]])}); "
            f"say which it is with a map (--joint-map) of {', '.join(names[:60])}"
        )
    for part, inner in _INNER.items():
        for side in ("left", "right"):
            joint = found[f"{side}_{part}"]
            while joint >= 0 and joint != found[f"{side}_{inner}"]:
                joint = parents[joint]
            if joint < 0:
                raise ValueError(
                    f"{path}: {names[found[f'{side}_{part}']]!r} does not hang on "
                    f"{names[found[f'{side}_{inner}']]!r}, which were taken for {side} {part} and {inner}; say which "
                    "joints they are with a map (--joint-map)"
                )
    return found


def _mapped(path: Path, names: Sequence[str], joint_map: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for part, name in joint_map.items():
        if name not in names:
            raise ValueError(f"{path}: has no joint {name!r} (for {part}); it has {', '.join(names[:60])}")
        found[part] = list(names).index(name)
    return found


def _plain(names: Sequence[str]) -> list[tuple[str, str]]:
    """Side and name of each joint, in small letters, without what all of them begin with ("mixamorig:", "Bip01 ")."""
    words = [[word.lower() for word in _WORDS.findall(name.split(":")[-1])] for name in names]
    common = 0
    while len(words) > 2 and len({tuple(some[: common + 1]) for some in words if len(some) > common}) == 1:
        common += 1
    plain = []
    for some in words:
        some = some[common:] if len(some) > common else some
        side = next((_SIDES[word] for word in some if word in _SIDES), "")
        rest = [str(int(word)) if word.isdigit() else word for word in some if word not in _SIDES]
        plain.append((side, "".join(rest)))
    return plain
