"""Do keypoints look like a person, and does 3D look like the 2D that it came from? Pure numpy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .keypoints import H36M_17, KeypointSet, get_keypoint_set, known_sets, remap

#: Above this median over a person's frames something is wrong; docs/consistency.md says how it was measured.
LIMIT = 0.36
#: Another reading of the same keypoints is the likely one where its misfit is less than this share of theirs.
CLEARLY = 0.7
#: A frame with fewer keypoints gets no misfit (NaN).
FEWEST = 6
#: Frames that are looked at to find a cause.
FRAMES_LOOKED_AT = 200
_BODY = Path(__file__).with_name("body_views.json")
#: Of a keypoint about the bodies that six directions can make, as a share of a body's spread.
_NOISE = 0.1


@dataclass(frozen=True)
class BodyViews:
    """What people look like: mean (17, 2) and axes (A, 17, 2) of their 2D, each of variance (A,), Human3.6M keypoints.

    2D is y down, about its middle, and its mean square distance from there is 1.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray


@cache
def body_views() -> BodyViews:
    """Those that studies/real/consistency.py left in the package."""
    stored = json.loads(_BODY.read_text(encoding="utf-8"))
    return BodyViews(*(np.array(stored[name], np.float64) for name in ("mean", "axes", "variances")))


def misfit(expected: np.ndarray, keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(N,) how far 2D is from what is expected, as a share of its own spread: 0 is the same, 1 nothing in common.

    expected (N, K, 2 or more), of which x and y count: poses in camera axes of any unit, seen from far away. keypoints
    (N, K, 2) px; seen (N, K) bool. Scale (0 or more) and place are fitted, not the direction. NaN where fewer than six
    keypoints are seen or expected.
    """
    # known (N, K), weight (N, K, 1), count (N, 1, 1), wanted and found (N, K, 2), spread, scale and rest (N,).
    known = seen & np.isfinite(expected).all(-1) & np.isfinite(keypoints).all(-1)
    enough = known.sum(1) >= FEWEST
    weight = known[..., None].astype(np.float64)
    count = np.maximum(weight.sum(1, keepdims=True), 1)
    centred = []
    for points in (expected[..., :2], keypoints):
        points = np.where(weight > 0, points, 0).astype(np.float64)
        centred.append((points - points.sum(1, keepdims=True) / count) * weight)
    wanted, found = centred
    spread = (found**2).sum((1, 2))
    scale = (wanted * found).sum((1, 2)) / np.maximum((wanted**2).sum((1, 2)), 1e-12)
    rest = ((found - np.maximum(scale, 0)[:, None, None] * wanted) ** 2).sum((1, 2))
    return np.where(enough & (spread > 0), np.sqrt(rest / np.maximum(spread, 1e-12)), np.nan)


def body_misfit(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(N,) :func:`misfit` of 2D (N, 17, 2) px of Human3.6M keypoints from the nearest body of an upright person.

    seen (N, 17) bool. High for other keypoints, another order, exchanged axes, images that lie on their side, and
    people who stand on their hands; the same for left and right exchanged.
    """
    # shapes and points (N, 17, 2), weight (N, 17, 1), axes (A, 34).
    views = body_views()
    shapes = np.broadcast_to(views.mean, keypoints.shape)
    weight = (seen & np.isfinite(keypoints).all(-1))[..., None].astype(np.float64)
    points = np.where(weight > 0, keypoints, 0).astype(np.float64)
    axes = views.axes.reshape(len(views.axes), -1)
    for _ in range(3):  # scale and place of what is seen depend on the body, and the body on them
        # scale (N,), place (N, 1, 2), wanted (N, 17, 2), flat (N, 34), normal (N, A, A), parts (N, A).
        scale, place = _placed(shapes, points, weight)
        wanted = ((points - place) / scale[:, None, None] - views.mean) * weight
        # The most likely body: least squares over what is seen, and not far from the mean.
        flat = np.repeat(weight, 2, axis=2).reshape(len(weight), -1)
        normal = np.einsum("ak,nk,bk->nab", axes, flat, axes) + np.diag(_NOISE**2 / views.variances)
        parts = np.linalg.solve(normal, (wanted.reshape(len(wanted), -1) @ axes.T)[..., None])[..., 0]
        shapes = views.mean + np.tensordot(parts, views.axes, 1)
    return misfit(shapes, keypoints, seen)


def _placed(shapes: np.ndarray, points: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale (N,) and place (N, 1, 2) that take bodies (N, 17, 2) to where they are seen: same middle, same spread."""
    count = np.maximum(weight.sum(1, keepdims=True), 1)
    middle = (points * weight).sum(1, keepdims=True) / count
    own = (shapes * weight).sum(1, keepdims=True) / count
    spread, size = (((part * weight) ** 2).sum((1, 2)) for part in (points - middle, shapes - own))
    scale = np.sqrt(spread / np.maximum(size, 1e-12)).clip(1e-9)
    return scale, middle - scale[:, None, None] * own


def person_misfit(keypoints: np.ndarray, seen: np.ndarray, keypoint_set: str | KeypointSet) -> float:
    """Median of :func:`body_misfit` over frames of 2D (N, K, 2) px of another set, seen (N, K); NaN where unknown."""
    points, there = remap(keypoint_set, H36M_17)(keypoints.astype(np.float64), seen.astype(np.float64))
    found = body_misfit(points, there > 0)
    return float(np.median(found[np.isfinite(found)])) if np.isfinite(found).any() else float("nan")


def describe_keypoints(keypoints: np.ndarray, seen: np.ndarray, keypoint_set: str) -> str:
    """A sentence on one person's 2D (N, K, 2) px, seen (N, K) bool, that hardly looks like a person; '' where it does.

    It names the likely cause where there is one.
    """
    found = person_misfit(keypoints, seen, keypoint_set)
    if not found > LIMIT:  # also where it is not known
        return ""
    cause = likely_cause(keypoints, seen, keypoint_set)
    return f"its keypoints hardly look like an upright person's (misfit {found:.2f}, usual is up to {LIMIT}): " + (
        cause or "look whether they are of the set and the size of image that were given or guessed"
    )


def likely_cause(keypoints: np.ndarray, seen: np.ndarray, keypoint_set: str) -> str:
    """What makes 2D (N, K, 2) px, seen (N, K) bool, that does not look like a person look like one; '' for nothing.

    Tried are the other keypoint sets of as many keypoints, the image upside down, on its side, and x and y exchanged.
    """
    step = -(-len(keypoints) // FRAMES_LOOKED_AT)
    keypoints, seen = keypoints[::step], seen[::step]
    on_its_side = keypoints[..., ::-1] * np.array([1, -1])
    tries = [
        (f"they look like {other}: give --keypoint-set {other}", keypoints, other)
        for other in known_sets(len(get_keypoint_set(keypoint_set)))
        if other != keypoint_set
    ]
    tries += [
        ("they look like a person upside down: turn the video, or let y count downwards", -keypoints, keypoint_set),
        ("they look like a person who is turned by 90 degrees: turn the video", on_its_side, keypoint_set),
        ("they look like a person who is turned by 90 degrees: turn the video", -on_its_side, keypoint_set),
    ]
    found = [(np.nan_to_num(person_misfit(points, seen, name), nan=np.inf), said) for said, points, name in tries]
    best, said = min(found)
    return said if best < LIMIT and best < CLEARLY * person_misfit(keypoints, seen, keypoint_set) else ""
