"""How long the legs of a recorded person are, by which a wrong unit is told."""

from __future__ import annotations

import numpy as np

from ..pose.keypoints import H36M_17, KeypointSet

#: Hip to ankle along the bones, m; a child's and a tall man's are well within.
SHORTEST_LEG, LONGEST_LEG = 0.3, 1.5
#: ... where all people are grown up.
SHORTEST_ADULT_LEG = 0.4


def leg_length(poses: np.ndarray, keypoints: KeypointSet = H36M_17) -> float:
    """Median over frames of thigh and shin, right hip to ankle, in the unit of poses (T, K, 3)."""
    hip, knee, ankle = (poses[:, keypoints.index(f"right_{part}")] for part in ("hip", "knee", "ankle"))
    return float(np.median(np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)))


def is_adult_leg(leg: float) -> bool:
    """Whether a length, m, is that of a grown person's leg."""
    return SHORTEST_ADULT_LEG < leg < LONGEST_LEG
