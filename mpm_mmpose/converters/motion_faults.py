"""Faults of recorded motion: first frames in another pose, limbs that jump from a frame to the next; found and cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..pose.keypoints import get_keypoint_set
from ..readers.motion import Motion

# A keypoint jumps where it moves so far in a frame, relative to the pelvis (m) ...
_FAR = 0.15
# ... and so many times as far as in the frames around it (at least so far: m). Of 659 clips of CMU, Bandai Namco and
# Quaternius's drawn ones no movement had more than 5.3 times, no fault less than 6.2.
_TIMES, _STILL = 6.0, 0.002
#: Frames around.
_AROUND = 4
#: Frames before which a jump is the end of a pose that does not belong to the movement.
_FIRST = 3
#: Pieces that are left between jumps are kept from so many seconds on.
SHORTEST = 1.0


@dataclass(frozen=True)
class Jump:
    """A keypoint moves by ``metres`` relative to the pelvis between ``frame`` and the next one."""

    frame: int
    keypoint: str
    metres: float


def find_jumps(motion: Motion) -> list[Jump]:
    """The frames in which a keypoint jumps, the farthest one of each; a pose can stay or jump back."""
    keypoints = get_keypoint_set(motion.keypoint_set)
    if len(motion) < 2 * _AROUND + 2:
        return []
    poses = motion.keypoints_3d - motion.keypoints_3d[:, keypoints.root, None]
    steps = np.linalg.norm(np.diff(poses, axis=0), axis=-1)
    padded = np.pad(steps, ((_AROUND, _AROUND), (0, 0)), mode="reflect")
    around = [padded[shift : shift + len(steps)] for shift in range(2 * _AROUND + 1) if shift != _AROUND]
    usual = np.maximum(np.median(around, axis=0), _STILL)
    jumps = (steps > _FAR) & (steps > _TIMES * usual)
    frames = np.flatnonzero(jumps.any(1))
    farthest = np.where(jumps, steps, 0).argmax(1)
    return [Jump(int(t), keypoints.names[farthest[t]], float(steps[t, farthest[t]])) for t in frames]


def describe_jumps(jumps: list[Jump], fps: float) -> list[str]:
    """What to say of the jumps of a clip."""
    notes = []
    if first := [jump for jump in jumps if jump.frame < _FIRST]:
        notes.append(
            f"the first {first[-1].frame + 1} frame(s) are in another pose, {first[-1].metres:.2f} m from the next at "
            f"the {first[-1].keypoint}: a rest pose (--cut-jumps leaves it out)"
        )
    if later := [jump for jump in jumps if jump.frame >= _FIRST]:
        worst = max(later, key=lambda jump: jump.metres)
        more = f", and in {len(later) - 1} more" if len(later) > 1 else ""
        notes.append(
            f"the {worst.keypoint} jumps by {worst.metres:.2f} m in 1/{fps:.0f} s, after frame {worst.frame}{more} "
            "(--cut-jumps cuts there)"
        )
    return notes


def cut_jumps(motion: Motion, jumps: list[Jump]) -> list[Motion]:
    """The pieces between the jumps that are ``SHORTEST`` s or more, or the longest piece where none is.

    One piece keeps the clip's name; several are called ``<name>.from<frame>``.
    """
    if not jumps:
        return [motion]
    starts = [0, *(jump.frame + 1 for jump in jumps)]
    ends = [*starts[1:], len(motion)]
    pieces = [(start, end) for start, end in zip(starts, ends, strict=True) if end - start >= SHORTEST * motion.fps]
    pieces = pieces or [max(zip(starts, ends, strict=True), key=lambda piece: piece[1] - piece[0])]
    return [
        replace(
            motion,
            name=motion.name if len(pieces) == 1 else f"{motion.name}.from{start}",
            keypoints_3d=motion.keypoints_3d[start:end],
        )
        for start, end in pieces
    ]
