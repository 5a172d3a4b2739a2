"""MotionBERT's windows with targets in metres, so that all models learn, and are tested on, the same.

MMPose's own learns image coordinates, and its decoding multiplies by the true distance of the root.
"""

from __future__ import annotations

import numpy as np
from mmpose.codecs import VideoPoseLifting
from mmpose.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class MetreWindowLifting(VideoPoseLifting):
    """As `VideoPoseLifting` for windows: keypoints (T, K, 3) with their visibility, labels root-relative metres.

    ``target``: whether decoding gives the centre frame (1, K, 3) alone, else the window (T, K, 3).
    """

    def __init__(self, target: bool = False) -> None:
        super().__init__(num_keypoints=17, concat_vis=True, reshape_keypoints=False)
        self.target = target

    def decode(
        self, encoded: np.ndarray, w: object = None, h: object = None, factor: object = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Root-relative poses as they are, metres, and scores of 1; what else MMPose's head hands on is not used."""
        del w, h, factor
        centre = encoded.shape[-3] // 2
        poses = encoded[..., centre : centre + 1, :, :] if self.target else encoded
        return poses, np.ones(poses.shape[:-1], dtype=np.float32)
