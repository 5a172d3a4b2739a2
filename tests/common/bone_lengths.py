"""How constant the bones of poses are."""

import numpy as np


def bone_variation(keypoints, poses):
    """How much bones change over poses (N, K, 3) m: the mean of their lengths' deviation over their mean, a share."""
    known = np.isfinite(poses).all((1, 2))
    children = [index for index, parent in enumerate(keypoints.parents) if parent >= 0]
    parents = [keypoints.parents[index] for index in children]
    lengths = np.linalg.norm(poses[known][:, children] - poses[known][:, parents], axis=-1)
    return float((lengths.std(0) / lengths.mean(0)).mean())
