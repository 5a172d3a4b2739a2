"""Heads that give the poses of all frames of a window at once, for real work: one pass, overlapping windows blended."""

import math

import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..pose.geometry import rotated
from ..pose.keypoints import get_keypoint_set
from .labels import centre_frame, gather_labels, read_labels
from .layers import pose_projection, start_at_mean
from .losses import mean_distance
from .person_backbone import PersonTokens
from .person_view import NEAREST, PERSON_SIZE, placed_on_rays
from .predictions import mean_over_flips, predicted_instances

#: How much of a model's output in [-1, 1] changes a distance (log) and a place (in the person's size).
OUTPUT_SCALE = 0.3


@MODELS.register_module()
class SequenceHead(BaseHead):
    """BatchNorm and a linear layer from a frame's token to its pose, for every frame of the window.

    Batches and predictions are those of :class:`LiftingHead`.

    Args:
        num_frames: window length T.
        channels: width of the backbone's tokens.
        keypoint_set: of the poses, by name; their number is K.
        velocity_weight: weight of the error of the change from frame to frame, which keeps motion smooth.
        bone_weight: weight of the error of the bones' lengths.
        init_cfg: mmengine's.
    """

    def __init__(
        self,
        num_frames: int,
        channels: int = 256,
        keypoint_set: str = "h36m_17",
        velocity_weight: float = 1.5,
        bone_weight: float = 0.0,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        keypoints = get_keypoint_set(keypoint_set)
        self.num_frames, self.num_keypoints, self.root = num_frames, len(keypoints), keypoints.root
        self.velocity_weight, self.bone_weight = velocity_weight, bone_weight
        self.bones = [(child, parent) for child, parent in enumerate(keypoints.parents) if parent >= 0]
        self.norm = nn.BatchNorm1d(channels)
        self.out = pose_projection(channels, self.outputs_per_frame())

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Start at the mean of poses (N, T, K, 3) root-relative m; see :class:`TrainingStatisticsHook`."""
        if poses_3d is not None:
            start_at_mean(self.out, poses_3d)

    def outputs_per_frame(self) -> int:
        """Numbers that the linear layer gives a frame."""
        return 3 * self.num_keypoints

    def decode(self, feats: Tensor) -> Tensor:
        """The linear layer's numbers (B, T, outputs) of tokens (B, T, C)."""
        if feats.shape[1] != self.num_frames:
            raise ValueError(f"feats: expected tokens of num_frames={self.num_frames} frames, got {feats.shape[1]}")
        # In half precision a metre would be known to 4 mm.
        with torch.autocast(feats.device.type, enabled=False):
            return self.out(self.norm(feats.float().flatten(0, 1))).view(*feats.shape[:2], -1)

    def forward(self, feats: Tensor) -> Tensor:
        """Map tokens (B, T, C) to root-relative poses of all frames (B, T, K, 3), metres, camera axes."""
        return self.decode(feats).unflatten(-1, (self.num_keypoints, 3))

    def forward_sequence(self, feats: Tensor) -> Tensor:
        """As :meth:`forward`; what exported models of whole windows give."""
        return self.forward(feats)

    def forward_target(self, feats: Tensor) -> Tensor:
        """The pose (B, K, 3) of the centre frame."""
        return self.forward(feats)[:, self.num_frames // 2]

    def loss(
        self, feats: Tensor, batch_data_samples: list[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Return loss_sequence and, where they weigh something, loss_velocity and loss_bones; and mpjpe_mm.

        Raises:
            ValueError: if labels are missing or of another shape than the class says.
        """
        poses = self.forward(feats)
        labels, weights = read_labels(batch_data_samples, len(poses), self.num_frames, self.num_keypoints)
        return self.pose_losses(poses, labels, weights)

    def pose_losses(self, poses: Tensor, labels: Tensor, weights: Tensor | None) -> dict[str, Tensor]:
        """Losses of poses (B, T, K, 3) m for what :func:`read_labels` gives."""
        centre = self.num_frames // 2
        target = mean_distance(poses[:, centre], *centre_frame(labels, weights))
        if labels.shape[1] == 1:
            poses = poses[:, centre : centre + 1]
        losses = dict(loss_sequence=mean_distance(poses, labels, weights), mpjpe_mm=target.detach() * 1000)
        if self.velocity_weight and labels.shape[1] > 1:
            both = None if weights is None else weights[:, 1:] * weights[:, :-1]
            losses["loss_velocity"] = self.velocity_weight * mean_distance(
                poses[:, 1:] - poses[:, :-1], labels[:, 1:] - labels[:, :-1], both
            )
        if self.bone_weight:
            losses["loss_bones"] = self.bone_weight * self._bone_error(poses, labels, weights)
        return losses

    def _bone_error(self, poses: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
        """Mean absolute error of the bones' lengths, m."""
        children, parents = (list(ends) for ends in zip(*self.bones, strict=True))
        error = torch.abs(
            torch.linalg.vector_norm(poses[:, :, children] - poses[:, :, parents], dim=-1)
            - torch.linalg.vector_norm(labels[:, :, children] - labels[:, :, parents], dim=-1)
        )
        if weights is None:
            return error.mean()
        weights = weights[:, :, children] * weights[:, :, parents]
        return (error * weights).sum() / weights.sum().clamp(min=1)

    def predict(
        self,
        feats: Tensor | list[Tensor],
        batch_data_samples: list[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData]:
        """Predict as :meth:`LiftingHead.predict` does: test_cfg's output='target', the centre frame, or 'sequence'."""
        test_cfg = test_cfg or {}
        decode = dict(target=self.forward_target, sequence=self.forward_sequence)
        return predicted_instances(
            lambda output: mean_over_flips(decode[output], feats, batch_data_samples, test_cfg),
            batch_data_samples,
            test_cfg,
            self.root,
        )


@MODELS.register_module()
class PersonSequenceHead(SequenceHead):
    """SequenceHead for the tokens of :class:`PersonBackbone`: any camera, and a learned say in the noisy 2D.

    Per frame it gives the pose in the axes of the camera that is turned to the person, the person's distance and place,
    and for each keypoint how far it is moved across the line of sight to where its 2D is; masked keypoints stay where
    the pose has them. Also trained where the person stands, where labels have root_label (B, T, 3) m, camera space.

    Args:
        *args: as :class:`SequenceHead`.
        place_weight: weight of the error of the place, as a share of the distance.
        **kwargs: as :class:`SequenceHead`.
    """

    def __init__(self, *args: object, place_weight: float = 0.1, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.place_weight = place_weight

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Nothing: seen from anywhere, the mean pose is a point."""

    def outputs_per_frame(self) -> int:
        """Pose, trust in the 2D of each keypoint, place and distance."""
        return 4 * self.num_keypoints + 3

    def forward(self, feats: PersonTokens) -> Tensor:
        """Map tokens (B, T, C) and their view to root-relative poses (B, T, K, 3), metres, axes of the real camera."""
        return self.placed(feats)[0]

    @torch.no_grad()
    def resize(self, factor: float) -> None:
        """Make all people ``factor`` times as large, and as far away: their 2D, which says nothing of it, stays."""
        pose, distance = slice(0, 3 * self.num_keypoints), 4 * self.num_keypoints + 2
        self.out.weight[pose] *= factor
        self.out.bias[pose] *= factor
        self.out.bias[distance] += math.log(factor) / OUTPUT_SCALE

    def placed(self, feats: PersonTokens) -> tuple[Tensor, Tensor]:
        """Root-relative poses (B, T, K, 3) and roots (B, T, 3), metres, axes and space of the real camera."""
        view, number = feats.view, self.num_keypoints
        pose, trust, place = self.decode(feats.tokens).split([3 * number, number, 3], dim=-1)
        pose = pose.unflatten(-1, (number, 3))
        pose = pose - pose[:, :, self.root : self.root + 1]
        distance = PERSON_SIZE / view.size[..., 0] * (OUTPUT_SCALE * place[..., 2:]).exp()  # (B, T, 1)
        across = (view.centre[:, :, 0] + OUTPUT_SCALE * view.size[..., 0] * place[..., :2]) * distance
        root = torch.cat([across, distance], dim=-1)  # (B, T, 3)
        poses = placed_on_rays(pose + root[:, :, None], trust.sigmoid(), view)
        root = poses[:, :, self.root]
        poses = poses - root[:, :, None]
        back = view.rotation.transpose(1, 2)
        return rotated(back, poses), rotated(back, root)

    def loss(
        self, feats: PersonTokens, batch_data_samples: list[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """As :meth:`SequenceHead.loss`, and loss_place where there are root labels."""
        poses, root = self.placed(feats)
        labels, weights = read_labels(batch_data_samples, len(poses), self.num_frames, self.num_keypoints)
        losses = self.pose_losses(poses, labels, weights)
        roots = gather_labels(batch_data_samples, "root_label", 3)
        if self.place_weight and roots is not None:
            error = torch.linalg.vector_norm(root - roots, dim=-1) / roots[..., 2].clamp(min=NEAREST)
            losses["loss_place"] = self.place_weight * error.clamp(max=1).mean()
        return losses
