"""What other programs call keypoints, in our names; pure."""

from __future__ import annotations

import re

from .keypoints import BLAZEPOSE_33, BODY_25B, H36M_17, HALPE_26, MPI_INF_3DHP_28

#: Every name of ours.
NAMES = frozenset(
    name for known in (H36M_17, MPI_INF_3DHP_28, HALPE_26, BODY_25B, BLAZEPOSE_33) for name in known.names
)
_SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# What is written together, and what has another name; the sides are taken off before.
_PARTS = {
    "bigtoe": "big_toe",
    "smalltoe": "small_toe",
    "headtop": "head_top",
    "top_head": "head_top",
    "top_of_head": "head_top",
    "upperneck": "upper_neck",
    "head_bottom": "upper_neck",
    "footindex": "foot_index",
    "mid_hip": "pelvis",
    "midhip": "pelvis",
    "hips": "pelvis",
    "hip_center": "pelvis",
    "center_hip": "pelvis",
    "root": "pelvis",
    "mid_shoulder": "neck",
    "pinky_1": "pinky",
    "index_1": "index",
    "thumb_2": "thumb",
}


def our_name(text: str) -> str | None:
    """The name here for a keypoint that some program calls ``text`` (LShoulder, "Left Shoulder", ...); else None."""
    if text in NAMES:
        return text
    words = [word.lower() for word in _WORDS.findall(text)]
    side = next((_SIDES[word] for word in words if word in _SIDES), None)
    part = "_".join(word for word in words if word not in _SIDES)
    if side is None and part[:1] in ("l", "r") and _named(_PARTS.get(part[1:], part[1:]), _SIDES[part[:1]]):
        side, part = _SIDES[part[0]], part[1:]  # lshoulder, rknee
    return _named(_PARTS.get(part, part), side)


def _named(part: str, side: str | None) -> str | None:
    if side is None:
        return {"hip": "pelvis"}.get(part, part if part in NAMES else None)
    return next((name for name in (f"{side}_{part}", f"{part}_{side}") if name in NAMES), None)
