"""Left and right that a detector exchanges for a while are put back: limbs do not jump from side to side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lifting.tracks import Track2D
from ..pose.keypoints import KeypointSet, get_keypoint_set

#: Limbs whose sides are exchanged together.
PAIRS = (("left_arm", "right_arm"), ("left_leg", "right_leg"))
#: A second of exchanged limbs costs as much as keypoints that move so far in all, in lengths of the person.
PRICE = 1.2
#: A keypoint that moves further between two frames, in lengths of the person, was lost: how far does not matter.
FAR = 0.27


def mend_sides(track: Track2D) -> Track2D:
    """The track with arms and legs, each for themselves, on the sides on which they move least.

    Over the whole track at once (Viterbi): an exchange is believed where limbs would jump otherwise, and where both
    ways are alike the detector is right. Keypoints beyond a wrist or ankle go with it.
    """
    keypoints_of = get_keypoint_set(track.keypoint_set)
    keypoints, scores = track.keypoints.copy(), track.scores.copy()
    length = np.ptp(track.keypoints, axis=1).max(-1)  # px, of the person; bent and lying people as well
    length = np.maximum(np.median(length), length)
    for pair in PAIRS:
        left, right = (list(keypoints_of.limbs[limb]) for limb in pair)
        exchanged = find_exchanged(track.keypoints[:, left + right] / length[:, None, None], PRICE / track.fps)
        own, other = _with_ends(keypoints_of, left, right)
        rows = np.flatnonzero(exchanged)[:, None]
        keypoints[rows, own], scores[rows, own] = track.keypoints[rows, other], track.scores[rows, other]
    return replace(track, keypoints=keypoints, scores=scores)


def find_exchanged(limbs: np.ndarray, price: float) -> np.ndarray:
    """(N,) bool, frames in which limbs (N, 2 J, 2), first the left one's keypoints, are those of the other side.

    price: of such a frame, in the unit of the keypoints.
    """
    turned = np.roll(limbs, limbs.shape[1] // 2, axis=1)
    same, crossed = (_way(limbs[:-1], there[1:]) for there in (limbs, turned))
    cost, came = np.array([0.0, price]), []
    for stay, cross in zip(same, crossed, strict=True):
        ways = np.array([[cost[0] + stay, cost[1] + cross], [cost[0] + cross, cost[1] + stay]])
        came.append(ways.argmin(1))
        cost = ways.min(1) + (0, price)
    states = [int(cost.argmin())]
    for before in reversed(came):
        states.append(int(before[states[-1]]))
    return np.array(states[::-1], bool)


def _way(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(N,) how far keypoints (N, J, 2) move in all."""
    return np.minimum(np.linalg.norm(after - before, axis=-1), FAR).sum(-1)


def _with_ends(keypoints_of: KeypointSet, left: list[int], right: list[int]) -> tuple[list[int], list[int]]:
    """Indices of the keypoints of two limbs and of what hangs on their ends; and of those on the other side."""
    sides = sorted(left + right)
    ends = {left[-1], right[-1]}
    for index in range(len(keypoints_of)):
        above = keypoints_of.parents[index]
        while above >= 0 and above not in ends:
            above = keypoints_of.parents[above]
        sides += [index] if above >= 0 else []
    return sides, [keypoints_of.flip_indices[index] for index in sides]
