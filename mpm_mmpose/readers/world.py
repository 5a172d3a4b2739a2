"""Which unit and which axis up a motion file has, by the size and the stance of its person."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..pose.keypoints import H36M_17
from .legs import LONGEST_LEG, SHORTEST_LEG, leg_length

#: Metres a unit. CMU's is that of its ASF files.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "foot": 0.3048, "cmu": 0.0254 / 0.45}
#: Axes of the file that may point up.
UPS = ("y", "z", "x", "-y", "-z", "-x")
# Legs where the unit is not given, m. No leg is two units' so long.
_SHORTEST, _LONGEST = 0.55, 1.15
# Length of the mean of all frames' directions from the feet to the thorax: people who stand have 0.9 and more.
_CLEARLY = 0.7
# Length of that line over leg and trunk in a rest pose that is one: all bones along one axis have less.
_STRAIGHT = 0.8


def find_unit(where: str, keypoints: np.ndarray, unit: str | None = None) -> str:
    """Name of the unit in which the legs of keypoints (T, 17, 3), as h36m_17 orders them, are a person's.

    unit: as the user gives it. Raises ValueError (``where``, fix) where there is none, or the given one is wrong.
    """
    leg = leg_length(keypoints)
    fitting = [name for name, size in UNITS.items() if _SHORTEST <= leg * size <= _LONGEST]
    if unit is not None:
        if not SHORTEST_LEG < leg * UNITS[unit] < LONGEST_LEG and np.isfinite(leg):
            guess = f"; in {fitting[0]} it is {leg * UNITS[fitting[0]]:.2g} m" if fitting else ""
            raise ValueError(
                f"{where}: a leg of {leg:.4g} {unit} is {leg * UNITS[unit]:.2g} m, a person's is about 0.9 m{guess}: "
                "say another unit (--unit), or leave the file out"
            )
        return unit
    if not fitting and np.isfinite(leg):  # what is not finite, Motion says more about
        raise ValueError(
            f"{where}: a leg is {leg:.4g} long, which is 0.55 to 1.15 m in none of {', '.join(UNITS)}; say the unit "
            "(--unit), scale the file, or leave it out"
        )
    return fitting[0] if fitting else "cm"


def find_axis_up(path: Path, keypoints: np.ndarray, rest: np.ndarray) -> str:
    """The axis that points up for keypoints (T, 17, 3) of a clip, and (17, 3) of its rest pose, in the file's axes.

    Both must agree where both say something: a person who lies along an axis all the time looks as if it pointed up.
    Raises ValueError (file, fix) where that is not so.
    """
    if not np.isfinite(keypoints).all():
        return "y"  # Motion says more about it
    moving, length = _stance(keypoints)
    resting, straight = _stance(rest[None])
    moving = moving if length > _CLEARLY else None
    resting = resting if straight > 0 and _straightness(rest) > _STRAIGHT else None
    if moving is None and resting is None:
        raise ValueError(f"{path}: people do not stand, so that it is not clear which axis is up; say it (--up)")
    if resting is None:
        if moving.startswith("-"):
            raise ValueError(f"{path}: people stand along {moving}; if that is up, say it (--up={moving})")
        return moving
    if moving is not None and moving[-1] != resting[-1]:
        raise ValueError(
            f"{path}: the rest pose stands along {resting}, the people move along {moving}; say which axis is up "
            f"(--up {resting.strip('-')} if they lie, --up {moving.strip('-')} if they stand)"
        )
    return resting


def to_z_up(points: np.ndarray, up: str) -> np.ndarray:
    """Points (..., 3) of the file's axes in a right-handed world with Z up, by turning alone."""
    points = points[..., {"x": [1, 2, 0], "y": [2, 0, 1], "z": [0, 1, 2]}[up[-1]]]
    return points * [1, -1, -1] if up.startswith("-") else points


def _stance(keypoints: np.ndarray) -> tuple[str, float]:
    """Axis nearest to the mean direction from the ankles to the thorax, and how far all frames agree on it, 0 to 1."""
    ankles = keypoints[:, [H36M_17.index(f"{side}_ankle") for side in ("left", "right")]].mean(1)
    lines = keypoints[:, H36M_17.index("thorax")] - ankles
    lengths = np.linalg.norm(lines, axis=-1, keepdims=True)
    mean = (lines / np.maximum(lengths, 1e-9)).mean(0)
    axis = int(np.abs(mean).argmax())
    return ("-" if mean[axis] < 0 else "") + "xyz"[axis], float(abs(mean[axis]))


def _straightness(rest: np.ndarray) -> float:
    thorax, pelvis = rest[H36M_17.index("thorax")], rest[H36M_17.index("pelvis")]
    ankles = rest[[H36M_17.index(f"{side}_ankle") for side in ("left", "right")]].mean(0)
    whole = leg_length(rest[None]) + np.linalg.norm(thorax - pelvis)
    return float(np.linalg.norm(thorax - ankles) / max(whole, 1e-9))
