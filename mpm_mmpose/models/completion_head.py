"""Completion under mmpose's PoseLifter: partial 2D or 3D in, whole 3D out (paper section 3.3)."""

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from .losses import mean_distance
from .predictions import mean_over_flips, packed_field, packed_poses
from .pretrain import MaskedPoseHead


@MODELS.register_module()
class CompletionHead(MaskedPoseHead):
    """The masked-pose head with the losses and predictions of 3D completion and of lifting occluded 2D.

    With two decoder layers, as released; with one it takes the decoders of a pre-trained model, and needs no training.
    Batches are one PoseDataSample with B windows, see :class:`LiftingPreprocessor`; predictions are as those of
    :class:`LiftingHead`, and what was given of a 3D input stays as it is.

    Args:
        num_frames: window length T.
        depth: transformer layers per decoder.
        outputs: which decoders to build: '3d', and '2d' to complete the 2D as well.
        loss_3d_weight: weight of the 3D loss (paper Eq. 6 and 9; released code: 2 where 2D is completed as well).
        loss_2d_weight: weight of the 2D loss (released code: 1), used where the decoder is built.
        root: the keypoint that predictions have at 0.
        **kwargs: as :class:`MaskedPoseHead`.
    """

    def __init__(
        self,
        num_frames: int,
        depth: int = 2,
        outputs: Sequence[str] = ("3d",),
        loss_3d_weight: float = 1.0,
        loss_2d_weight: float = 1.0,
        root: int = 0,
        **kwargs: int | float | dict | None,
    ) -> None:
        super().__init__(num_frames, depth=depth, outputs=outputs, **kwargs)
        self.loss_3d_weight, self.loss_2d_weight, self.root = loss_3d_weight, loss_2d_weight, root

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """As :meth:`MaskedPoseHead.start_at_means`; see TrainingStatisticsHook."""
        self.start_at_means(poses_2d, poses_3d)

    def loss(
        self, feats: Tensor, batch_data_samples: list[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Return loss_3d and, where that decoder is built, loss_2d, weighted, of all known keypoints; and mpjpe_mm."""
        labels = batch_data_samples[0].gt_instance_labels
        weights = labels.get("lifting_target_weight")
        error = mean_distance(self.forward(feats, "3d"), labels.lifting_target_label, weights)
        losses = dict(loss_3d=self.loss_3d_weight * error, mpjpe_mm=error.detach() * 1000)
        if "2d" in self.outputs:
            completed = self.forward(feats, "2d")
            known = labels.get("keypoints_weight")
            losses["loss_2d"] = self.loss_2d_weight * mean_distance(completed, labels.keypoints_label, known)
        return losses

    def predict(
        self,
        feats: Tensor | list[Tensor],
        batch_data_samples: list[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData]:
        """Predict poses of the target frame or, with test_cfg's output='sequence', of all frames; root at 0.

        With flip_test, the mean of the plain and of the mirrored input's. One InstanceData of B windows: keypoints
        (B, K, 3) or (B, T, K, 3) metres and keypoint_scores.
        """
        poses = mean_over_flips(self.forward, feats, batch_data_samples, test_cfg or {})
        given = packed_field(batch_data_samples, "given")
        if (test_cfg or {}).get("output", "target") == "target":
            poses = poses[:, poses.shape[1] // 2]
        instances = packed_poses(poses, self.root)
        if given is not None:
            if given.shape != instances.keypoints.shape:
                raise ValueError(
                    f"predictions are {tuple(instances.keypoints.shape)}, what was given is {tuple(given.shape)}: "
                    "test_cfg's output='sequence' goes with PoseChunkDataset, 'target' with PoseWindowDataset"
                )
            instances.keypoints = self.blend(instances.keypoints, given, given.isnan().any(-1))
        return [instances]

    @staticmethod
    def blend(completed: Tensor, given: Tensor, keypoint_mask: Tensor) -> Tensor:
        """Keep given keypoints where they are visible and take the completed ones where the mask is True.

        completed, given: (..., K, D) of one space and unit; keypoint_mask: (..., K) bool.
        """
        return torch.where(keypoint_mask[..., None], completed, given)
