"""Drawing of shaded, tapered capsules with a depth buffer; pure, numpy alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Capsules(NamedTuple):
    """P rounded, tapered rods.

    ends (P, 2, 3) m, camera space; radii (P, 2) m at either end; colours (P, 3) BGR, 0 to 1; bands (P,) how many times
    the colour turns darker from end to end, 0 for plain ones.
    """

    ends: np.ndarray
    radii: np.ndarray
    colours: np.ndarray
    bands: np.ndarray


class Light(NamedTuple):
    """Towards the light: (3,) unit vector, camera space; ambient, diffuse: brightness from everywhere and from it."""

    direction: np.ndarray
    ambient: float
    diffuse: float


#: How much darker the darker bands are.
BAND_SHADE = 0.6


def draw_capsules(
    image: np.ndarray, depth: np.ndarray, capsules: Capsules, ends: np.ndarray, scale: float, light: Light
) -> None:
    """Draw into ``image`` (H, W, 3) float32, 0 to 1, and ``depth`` (H, W) float32 m, both in place.

    ends: (P, 2, 2) px, the capsules' ends in the image; scale: px of 1 m at a depth of 1 m. A pixel belongs to the
    capsule whose skin is nearest there; its depth and normal are those of a sphere that slides along the rod. All of it
    must be in front of the camera.
    """
    depths = capsules.ends[..., 2].astype(np.float32)
    radii = (capsules.radii * scale / depths).astype(np.float32)
    axes = capsules.ends[:, 1] - capsules.ends[:, 0]
    axes = (axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    reach = radii.max(1)[:, None] + 1
    height, width = depth.shape
    low = np.floor(ends.min(1) - reach).astype(int).clip(0, (width, height))
    high = np.ceil(ends.max(1) + reach + 1).astype(int).clip(0, (width, height))
    # From far to near, so that smooth edges blend with what is behind them.
    for part in np.argsort(-depths.mean(1)):
        (left, top), (right, bottom) = low[part], high[part]
        if left >= right or top >= bottom:
            continue
        box = np.s_[top:bottom, left:right]
        _draw(
            image[box],
            depth[box],
            (ends[part] - low[part]).astype(np.float32),
            depths[part],
            radii[part],
            capsules.radii[part],
            axes[part],
            capsules.colours[part],
            capsules.bands[part],
            light,
        )


def _draw(
    image: np.ndarray,
    depth: np.ndarray,
    ends: np.ndarray,
    depths: np.ndarray,
    radii: np.ndarray,
    radii_3d: np.ndarray,
    axis: np.ndarray,
    colour: np.ndarray,
    bands: int,
    light: Light,
) -> None:
    """One capsule, in the part of image and depth that it may touch."""
    x = np.arange(depth.shape[1], dtype=np.float32) - ends[0, 0]
    y = np.arange(depth.shape[0], dtype=np.float32)[:, None] - ends[0, 1]
    along = ends[1] - ends[0]
    share = ((x * along[0] + y * along[1]) / max(float(along @ along), 1e-3)).clip(0, 1)
    off_x, off_y = x - share * along[0], y - share * along[1]
    radius = radii[0] + share * (radii[1] - radii[0])
    distance = np.sqrt(off_x * off_x + off_y * off_y)
    cover = (radius - distance + 0.5).clip(0, 1)
    ratio = (distance / radius).clip(0, 1)
    out = np.sqrt(1 - ratio * ratio)  # of the skin towards the camera, in radii
    skin = depths[0] + share * (depths[1] - depths[0]) - out * (radii_3d[0] + share * (radii_3d[1] - radii_3d[0]))
    cover *= skin < depth
    # The sphere's normal without its part along the rod, which the rod's skin does not have.
    normal_x, normal_y = off_x / radius, off_y / radius
    slope = normal_x * axis[0] + normal_y * axis[1] - out * axis[2]
    slope *= (share > 0) & (share < 1)
    towards = normal_x * light.direction[0] + normal_y * light.direction[1] - out * light.direction[2]
    towards -= slope * np.float32(axis @ light.direction)
    towards /= np.sqrt((1 - slope * slope).clip(1e-2))
    shade = light.ambient + light.diffuse * towards.clip(0, 1)
    if bands:
        shade = np.where(np.floor(2 * bands * share).astype(int) % 2, BAND_SHADE * shade, shade)
    cover, shade = cover[..., None], shade[..., None]
    image += cover * (shade * colour - image)
    np.copyto(depth, skin, where=cover[..., 0] > 0.5)
