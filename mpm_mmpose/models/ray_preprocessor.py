"""Batches of windows to inputs and targets of lifters that take rays instead of places in the image."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor

from ..augmentation.window_batch import WindowBatch
from ..pose.geometry import to_rays
from .lifting_preprocessor import LiftingPreprocessor


@MODELS.register_module()
class RayPreprocessor(LiftingPreprocessor):
    """As :class:`LiftingPreprocessor`, for :class:`PersonBackbone`.

    Out: inputs (B, T, K, 2), rays x / z and y / z of the camera that ``intrinsics`` say, its distortion left out;
    `gt_instance_labels` also has root_label (B, T, 3) m, camera space.
    """

    def _seen(self, views: WindowBatch, poses: Tensor) -> Tensor:
        return to_rays(views.keypoints, views.intrinsics)

    def _more_labels(self, views: WindowBatch) -> dict[str, Tensor]:
        return dict(root_label=views.keypoints_3d[:, :, self.keypoint_set.root])
