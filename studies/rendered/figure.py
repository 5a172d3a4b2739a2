"""A clothed figure around the keypoints of a person: which capsules it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpm_mmpose.pose.keypoints import get_keypoint_set

from .backdrop import random_colour
from .capsules import Capsules

_NAMES = get_keypoint_set("h36m_17").names
SKINS = np.array([[0.68, 0.78, 0.92], [0.55, 0.68, 0.85], [0.40, 0.55, 0.75], [0.25, 0.36, 0.52], [0.15, 0.22, 0.33]])
SHADE = 0.4  # how much of white or black the colours of a side are made of
HAIR = np.array([[0.08, 0.09, 0.10], [0.12, 0.20, 0.32], [0.35, 0.60, 0.75], [0.65, 0.65, 0.65], [0.10, 0.25, 0.50]])


@dataclass(frozen=True)
class Clothes:
    """What a person looks like: colours BGR, 0 to 1, and sizes as factors.

    long_sleeves, long_trousers: down to wrists and ankles. bands: stripes of the shirt along a limb, 0 for none. build:
    how stout the body is; looseness: how far clothes stand off it.
    """

    skin: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray
    front: np.ndarray
    trousers: np.ndarray
    shoes: np.ndarray
    long_sleeves: bool
    long_trousers: bool
    bands: int
    build: float
    looseness: float


def random_clothes(rng: np.random.Generator) -> Clothes:
    """Anything between a swimmer and a pedestrian in winter."""
    shirt = random_colour(rng)
    return Clothes(
        skin=(SKINS[rng.integers(len(SKINS))] + rng.uniform(-0.05, 0.05)).clip(0.05, 1),
        hair=(HAIR[rng.integers(len(HAIR))] + rng.uniform(-0.05, 0.05)).clip(0.02, 1),
        shirt=shirt,
        # What is open or printed in front: the shirt's own colour, lighter or darker.
        front=(shirt + rng.choice([-1, 1]) * rng.uniform(0.15, 0.5)).clip(0, 1),
        trousers=random_colour(rng) if rng.random() < 0.9 else shirt,
        shoes=random_colour(rng),
        long_sleeves=rng.random() < 0.5,
        long_trousers=rng.random() < 0.7,
        bands=int(rng.integers(2, 6)) if rng.random() < 0.2 else 0,
        build=rng.uniform(0.85, 1.25),
        looseness=rng.uniform(1.0, 1.3),
    )


def dress(pose: np.ndarray, clothes: Clothes) -> Capsules:
    """The figure of a pose (17, 3) m, camera space, in Human3.6M's keypoints; made of 30 capsules.

    All that is left is lighter than it would be, all that is right darker, so that a 2D model learns which is which in
    minutes: from face and feet alone it takes far longer. The head looks where the trunk does, as the keypoints do not
    say where it looks.
    """
    at = dict(zip(_NAMES, pose, strict=True))
    parts: list[tuple] = []

    def add(start: np.ndarray, end: np.ndarray, radii: tuple[float, float], colour: np.ndarray, bands: int = 0) -> None:
        parts.append((start, end, np.multiply(radii, clothes.build), colour, bands))

    loose = clothes.looseness
    across = _unit(at["left_shoulder"] - at["right_shoulder"] + at["left_hip"] - at["right_hip"])
    up = _unit(at["thorax"] - at["pelvis"])
    front = _unit(np.cross(across, up))
    for side, white in (("left", 1.0), ("right", 0.0)):
        hip, knee, ankle = (at[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        shoulder, elbow, wrist = (at[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        skin, shirt, trousers, shoes = (
            SHADE * white + (1 - SHADE) * colour
            for colour in (clothes.skin, clothes.shirt, clothes.trousers, clothes.shoes)
        )
        sleeve = (shirt, clothes.bands) if clothes.long_sleeves else (skin, 0)
        shin = trousers if clothes.long_trousers else skin
        add(shoulder, elbow, (0.055 * loose, 0.045 * loose), shirt, clothes.bands)
        add(elbow, wrist, (0.042 * (loose if clothes.long_sleeves else 1), 0.03), *sleeve)
        fingers = wrist + 0.12 * _unit(wrist - elbow)
        add(wrist, fingers, (0.03, 0.028), skin)
        add(hip, knee, (0.09 * loose, 0.062 * loose), trousers)
        add(knee, ankle, (0.058 * (loose if clothes.long_trousers else 1), 0.042), shin)
        toes, heel = _foot(knee, ankle, front)
        add(heel, toes, (0.042, 0.036), shoes)
        # From hip to shoulder, one beside the other: a trunk is broader than it is deep.
        inner = shoulder + 0.35 * (at["thorax"] - shoulder)
        add(0.8 * hip + 0.2 * at["spine"], at["spine"] + 0.5 * (hip - at["pelvis"]), (0.10, 0.10 * loose), trousers)
        add(at["spine"] + 0.5 * (hip - at["pelvis"]), inner, (0.105 * loose, 0.085), shirt, clothes.bands)
        add(inner, shoulder, (0.075, 0.058 * loose), shirt)
        add(at["spine"] + 0.4 * (hip - at["pelvis"]) + 0.05 * front, inner + 0.05 * front, (0.085, 0.07), shirt)
    add(at["pelvis"], at["spine"], (0.115, 0.11 * loose), clothes.trousers)
    add(at["spine"], at["thorax"] - 0.06 * up, (0.115 * loose, 0.10), clothes.shirt, clothes.bands)
    below, above = at["spine"] + 0.085 * loose * front, at["thorax"] - 0.11 * up + 0.075 * front
    add(below, above, (0.05, 0.05), clothes.front)
    parts += _head(at["thorax"], at["nose"], at["head_top"], across, front, clothes)
    starts, ends, radii, colours, bands = zip(*parts, strict=True)
    return Capsules(np.stack([starts, ends], 1), np.array(radii), np.array(colours), np.array(bands))


def _foot(knee: np.ndarray, ankle: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Toes and heel (3,) m: at a right angle to the shin, towards where the trunk looks."""
    down = _unit(ankle - knee)
    ahead = _unit(front - (front @ down) * down + 0.05 * front)
    return ankle + 0.15 * ahead + 0.055 * down, ankle - 0.045 * ahead + 0.04 * down


def _head(
    thorax: np.ndarray, nose: np.ndarray, top: np.ndarray, across: np.ndarray, front: np.ndarray, clothes: Clothes
) -> list[tuple]:
    up = _unit(top - nose)
    face = _unit(front - (front @ up) * up)
    size = float(np.clip(np.linalg.norm(top - nose) / 0.19, 0.8, 1.3))
    crown, chin = top - 0.085 * size * up, nose + 0.045 * size * up + 0.015 * face
    eyes = 0.45 * crown + 0.55 * chin + 0.075 * size * face + 0.02 * up
    tip = 0.3 * crown + 0.7 * chin + 0.1 * size * face
    mouth = chin + 0.075 * size * face - 0.02 * up
    red, dark = np.array([0.35, 0.35, 0.7]) * clothes.skin / 0.6, np.full(3, 0.05)
    aside = 0.03 * size * across
    return [
        (thorax, chin, np.array([0.06, 0.052]), clothes.skin, 0),
        (chin, crown, np.array([0.072, 0.082]) * size, clothes.skin, 0),
        (
            crown - 0.025 * face + 0.008 * up,
            0.5 * (crown + chin) - 0.04 * face,
            np.array([0.088, 0.07]) * size,
            clothes.hair,
            0,
        ),
        (eyes - aside, eyes - aside, np.full(2, 0.014) * size, dark, 0),
        (eyes + aside, eyes + aside, np.full(2, 0.014) * size, dark, 0),
        (tip + 0.02 * up, tip, np.array([0.012, 0.018]) * size, clothes.skin, 0),
        (mouth - 0.7 * aside, mouth + 0.7 * aside, np.full(2, 0.01) * size, red.clip(0, 1), 0),
    ]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-6)
