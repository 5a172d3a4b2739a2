"""The part of a PoseLifter that is exported: from shown keypoints to poses, with nothing of MMPose's around it."""

from __future__ import annotations

import torch
from mmpose.models.pose_estimators import PoseLifter
from torch import Tensor, nn

from ..errors import UsageError
from ..models import CompletionHead, RefinedLiftingHead
from ..models.person_backbone import PersonTokens
from ..pose.keypoints import get_keypoint_set
from ..runtime.model_info import OUTPUTS


class ExportedGraph(nn.Module):
    """A model in evaluation mode as one function of tensors.

    output: 'target', the pose (B, K, 3) of the target frame, or 'sequence', those (B, T, K, 3) of all frames, m, the
    root at 0; or 'features', the encoder's tokens (B, T, C). Raises UsageError for an output that it cannot give.
    """

    def __init__(self, model: PoseLifter, output: str, keypoint_set: str) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise UsageError(f"output is {output!r}; give one of {', '.join(OUTPUTS)}")
        if output == "target" and isinstance(model.head, RefinedLiftingHead):
            raise UsageError(
                "this model refines its target pose with the camera, which is no input of an exported model; export "
                "--output sequence, whose poses are not refined, or a model without refinement"
            )
        self.backbone, self.output = model.backbone.eval(), output
        self.head = None if output == "features" else model.head.eval()
        keypoints = get_keypoint_set(keypoint_set)
        root_at_zero = torch.ones(len(keypoints), 1)
        root_at_zero[keypoints.root] = 0
        self.register_buffer("root_at_zero", root_at_zero)

    def forward(self, keypoints: Tensor, masked: Tensor | None = None) -> Tensor:
        """Poses or tokens of keypoints (B, T, K, 2 or 3); masked (B, T, K) bool is True where one is not seen.

        masked belongs to models with mask tokens, and to no others.
        """
        feats = self.backbone(keypoints, keypoint_mask=masked)
        if self.head is None:
            return feats.tokens if isinstance(feats, PersonTokens) else feats
        return self._poses(feats) * self.root_at_zero

    def _poses(self, feats: Tensor) -> Tensor:
        if isinstance(self.head, CompletionHead):
            poses = self.head(feats, "3d")
            return poses[:, poses.shape[1] // 2] if self.output == "target" else poses
        return self.head.forward_target(feats) if self.output == "target" else self.head.forward_sequence(feats)
