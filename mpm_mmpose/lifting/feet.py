"""Feet that stand: found where the 2D of an ankle stands still, and locked where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..pose.keypoints import KeypointSet, get_keypoint_set
from ..pose.rotations import unit
from .steadying import local_lines
from .tracks import Track3D, visible_keypoints

#: m/s, an ankle that is slower as the image shows it stands; docs/inference.md says how it was chosen.
STILL = 0.35
#: s: what smooths the 2D before its speed is taken, how long a foot stands at least, and how fast it is let go.
SMOOTH, SHORTEST, RELEASE = 0.06, 0.1, 0.15
#: s, over which the root settles from one foot to the other, of which the trajectory may know 0.3 m less or more.
SETTLE = 0.1
#: m, a foot that is so far above the other one does not stand: stairs are lower.
RAISED = 0.3
SIDES = ("left", "right")
FEWEST_SEEN = 6  # keypoints, to say how large somebody is in the image


@dataclass(frozen=True)
class _Leg:
    """Indices of a leg's keypoints; foot: those that hang on the ankle."""

    hip: int
    knee: int
    ankle: int
    foot: tuple[int, ...]


def find_contacts(lifted: Track3D) -> np.ndarray:
    """(N, 2) bool, where the left and the right foot stand, of a camera that stands still as well.

    Where the 2D of the ankle moves slower than STILL, measured by the size that the person has in the image, for
    SHORTEST at least, and is not RAISED above the other ankle, along the person's own up. Raises ValueError for a
    keypoint set without hips, knees and ankles.
    """
    legs = _legs(get_keypoint_set(lifted.keypoint_set))
    keypoints, seen = visible_keypoints(lifted.track, lifted.keypoint_set, 0.0)
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    seen &= ~lifted.masked & known[:, None]
    size = _pixels_per_metre(lifted.keypoints_3d, keypoints, seen)
    times = lifted.track.times
    contacts = np.zeros((len(lifted), 2), bool)
    for side, leg in enumerate(legs):
        there = seen[:, leg.ankle] & np.isfinite(size)
        if there.sum() < 3:
            continue
        places = np.where(there[:, None], keypoints[:, leg.ankle], np.nan).astype(np.float64)
        places = np.stack([local_lines(times, axis, SMOOTH) for axis in places.T], 1)
        speed = np.linalg.norm(np.gradient(places, times, axis=0), axis=-1) / size
        with np.errstate(invalid="ignore"):
            contacts[:, side] = _long_enough((speed < STILL) & ~_raised(lifted, legs[side], legs[1 - side]), times)
    return contacts


def _raised(lifted: Track3D, leg: _Leg, other: _Leg) -> np.ndarray:
    """(N,) bool, where an ankle is RAISED above the other, along the way from ankles to hips in most frames."""
    poses = lifted.keypoints_3d.astype(np.float64)
    upwards = poses[:, [leg.hip, other.hip]].mean(1) - poses[:, [leg.ankle, other.ankle]].mean(1)
    up = unit(np.nanmedian(upwards, axis=0))
    return (poses[:, leg.ankle] - poses[:, other.ankle]) @ up > RAISED


def lock_feet(lifted: Track3D, notes: list[str]) -> Track3D:
    """The track whose feet stay where they stand: the root goes with them, knees bend for what is left.

    The place of a standing foot is the median of where it was. Where both stand, the root follows their mean, and each
    leg makes up for the rest with bones of the same length, and lets go within RELEASE. notes get how often feet stand,
    or why nothing was locked. Needs a trajectory; raises ValueError without, and as :func:`find_contacts`.
    """
    if lifted.trajectory is None:
        raise ValueError(f"person {lifted.track.person}: feet are locked to places, which need a trajectory")
    contacts = find_contacts(lifted)
    contacts &= np.isfinite(lifted.trajectory).all(1)[:, None]
    said = f"person {lifted.track.person}: "
    if not contacts.any():
        notes.append(f"{said}no foot stands still; nothing was locked")
        return lifted
    legs = _legs(get_keypoint_set(lifted.keypoint_set))
    times = lifted.track.times
    poses, root = lifted.keypoints_3d.astype(np.float64), lifted.trajectory.astype(np.float64)
    away = np.zeros((len(lifted), 2, 3))  # from where each foot is to where it stands
    weight = np.zeros((len(lifted), 2))
    for side, leg in enumerate(legs):
        ankle = poses[:, leg.ankle] + root
        for first, end in _runs(contacts[:, side]):
            rows = slice(first, end)
            away[rows, side] = np.median(ankle[rows], axis=0) - ankle[rows]
            edge = np.minimum(times[rows] - times[first], times[end - 1] - times[rows])
            weight[rows, side] = np.clip(edge / RELEASE, 0.05, 1)
    standing = contacts.any(1)
    moved = (weight[..., None] * away).sum(1) / weight.sum(1).clip(1e-9)[:, None]
    moved = np.stack([np.interp(times, times[standing], axis[standing]) for axis in moved.T], 1)
    moved = np.stack([local_lines(times, axis, SETTLE) for axis in moved.T], 1)
    for side, leg in enumerate(legs):
        left = np.where(contacts[:, side, None], away[:, side] - moved, 0)
        _bend(poses, leg, _released(left, contacts[:, side], times))
    notes.append(
        f"{said}feet are locked where they stand: the left in {contacts[:, 0].sum()}, the right in "
        f"{contacts[:, 1].sum()} of {len(lifted)} frames"
    )
    return replace(
        lifted, keypoints_3d=poses.astype(np.float32), trajectory=(root + moved).astype(lifted.trajectory.dtype)
    )


def _legs(keypoint_set: KeypointSet) -> list[_Leg]:
    names = keypoint_set.names
    needed = [f"{side}_{part}" for side in SIDES for part in ("hip", "knee", "ankle")]
    if missing := [name for name in needed if name not in names]:
        raise ValueError(f"keypoint set {keypoint_set.name} has no {', '.join(missing)}; its feet cannot be locked")
    legs = []
    for side in SIDES:
        hip, knee, ankle = (names.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        foot: list[int] = [ankle]
        for keypoint in keypoint_set.outwards:
            foot += [keypoint] if keypoint_set.parents[keypoint] in foot else []
        legs.append(_Leg(hip, knee, ankle, tuple(foot[1:])))
    return legs


def _pixels_per_metre(poses: np.ndarray, keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(N,) how large a metre of the person is in the image, px; NaN where too little is seen."""
    enough = seen.sum(1) >= FEWEST_SEEN
    number = seen.sum(1).clip(1)[:, None]

    def spread(points: np.ndarray) -> np.ndarray:
        shown = np.where(seen[..., None], points, 0).astype(np.float64)
        away = np.where(seen[..., None], shown - (shown.sum(1) / number)[:, None], 0)
        return np.sqrt((away**2).sum((1, 2)) / number[:, 0])

    metres = spread(poses[..., :2])
    known = enough & (metres > 0)
    return np.where(known, spread(keypoints) / np.where(known, metres, 1), np.nan)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and end of each run of True in (N,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _long_enough(mask: np.ndarray, times: np.ndarray) -> np.ndarray:
    kept = np.zeros_like(mask)
    for first, end in _runs(mask):
        kept[first:end] = times[end - 1] - times[first] >= SHORTEST
    return kept


def _released(left: np.ndarray, standing: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(N, 3) m, what a leg makes up for: all of ``left`` while it stands, then less, after RELEASE nothing."""
    where = times[standing]
    after = np.clip(np.searchsorted(where, times), 0, len(where) - 1)
    before = np.clip(np.searchsorted(where, times, side="right") - 1, 0, len(where) - 1)
    rows = np.flatnonzero(standing)

    def faded(nearest: np.ndarray) -> np.ndarray:
        share = np.clip(1 - np.abs(times - where[nearest]) / RELEASE, 0, 1)
        return share[:, None] * left[rows[nearest]]

    return np.where(standing[:, None], left, faded(before) + faded(after)) if len(rows) else left


def _bend(poses: np.ndarray, leg: _Leg, shift: np.ndarray) -> None:
    """Move an ankle by (N, 3) m, and the knee so that both bones keep their lengths, as far as they reach; in place."""
    hip, knee, ankle = poses[:, leg.hip], poses[:, leg.knee].copy(), poses[:, leg.ankle].copy()
    thigh, shin = (np.linalg.norm(one, axis=-1) for one in (knee - hip, ankle - knee))
    line = ankle + shift - hip
    span = np.linalg.norm(line, axis=-1).clip(1e-9)
    reach = np.clip(span, np.abs(thigh - shin) + 1e-6, thigh + shin - 1e-6)
    line /= span[:, None]
    along = (reach**2 + thigh**2 - shin**2) / (2 * reach)
    aside = np.sqrt(np.clip(thigh**2 - along**2, 0, None))
    # The knee stays on its own side of the line from hip to ankle.
    outward = (knee - hip) - ((knee - hip) * line).sum(-1, keepdims=True) * line
    length = np.linalg.norm(outward, axis=-1, keepdims=True)
    outward = np.where(length > 1e-6, outward / length.clip(1e-9), 0)
    there = np.linalg.norm(shift, axis=-1) > 0
    new_knee = hip + along[:, None] * line + aside[:, None] * outward
    new_ankle = hip + reach[:, None] * line
    poses[there, leg.knee] = new_knee[there]
    poses[there, leg.ankle] = new_ankle[there]
    for keypoint in leg.foot:
        poses[there, keypoint] += (new_ankle - ankle)[there]
