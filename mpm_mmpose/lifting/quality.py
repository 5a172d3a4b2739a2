"""How far the 3D of a person is to be believed: compared with the 2D that it came from, and what was never seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..pose.consistency import LIMIT, describe_keypoints
from ..pose.keypoints import BY_DEFINITION, get_keypoint_set, remap
from .tracks import Track3D, pose_misfit

#: From this share of a person's frames on, the note says that a keypoint was masked.
SAID_MASKED = 0.05


def check_quality(lifted: Track3D, threshold: float, notes: list[str]) -> Track3D:
    """The same 3D with its misfit from the 2D; notes get what is wrong with it, and which keypoints were masked.

    threshold: of the scores, as for lifting.
    """
    track = lifted.track
    found = pose_misfit(lifted, threshold).astype(np.float32)
    said = f"person {track.person}: "
    seen = (track.scores > 0) & (track.scores >= threshold)
    if sentence := describe_keypoints(track.keypoints, seen, track.keypoint_set):
        notes.append(said + sentence)
    elif np.isfinite(found).any() and (middle := float(np.nanmedian(found))) > LIMIT:
        notes.append(
            f"{said}the 3D hardly fits the 2D that it came from (misfit {middle:.2f}, usual is up to {LIMIT}): "
            "this model does not know such poses, or width and height of the image are wrong"
        )
    if masked := describe_masked(lifted):
        notes.append(said + masked)
    return replace(lifted, misfit=found)


def describe_masked(lifted: Track3D) -> str:
    """Which keypoints the model was not shown, and how often, whole limbs as such; '' where it hardly happened.

    Those that the detector does not have, or the model never looks at, are not spoken of: nobody can change that.
    """
    keypoint_set = get_keypoint_set(lifted.keypoint_set)
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    times = lifted.masked[known].sum(0)
    total = int(known.sum())
    left = {name: int(count) for name, count in zip(keypoint_set.names, times, strict=True) if count}
    for name in (keypoint_set.names[index] for index in lifted.ignored):
        left.pop(name, None)
    for name in remap(lifted.track.keypoint_set, keypoint_set, BY_DEFINITION).missing:
        left.pop(name, None)
    said = []
    for limb, indices in keypoint_set.limbs.items():
        names = [keypoint_set.names[index] for index in indices]
        if total and all(left.get(name) == total for name in names):
            said.append(f"{limb.replace('_', ' ')} never seen")
            for name in names:
                del left[name]
    never = [name for name, count in left.items() if count == total]
    said += [f"{', '.join(name.replace('_', ' ') for name in never)} never seen"] if never else []
    often = {name: count for name, count in left.items() if SAID_MASKED * total <= count < total}
    said += [f"{name.replace('_', ' ')} masked in {count}" for name, count in often.items()]
    return f"{'; '.join(said)} (of {total} frames; the 3D there is the model's guess)" if said else ""
