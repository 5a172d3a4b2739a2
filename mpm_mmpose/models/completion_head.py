"""Completion: partial 3D in, whole 3D out (paper section 3.5)."""

from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import Tensor

from .losses import mean_distance
from .pretrain import MaskedPoseHead


@MODELS.register_module()
class CompletionHead(MaskedPoseHead):
    """The masked-pose head with two decoder layers, as released, and the loss and blend of 3D completion.

    Give it the tokens of partial 3D poses (their hidden keypoints replaced by the backbone's keypoint mask) or, for
    lifting occluded 2D, those of partial 2D poses; ``to='2d'`` completes 2D where that decoder is built.

    Args:
        num_frames: window length T.
        depth: transformer layers a decoder.
        outputs: which decoders to build, out of '2d' and '3d'.
        **kwargs: as :class:`MaskedPoseHead`.
    """

    def __init__(
        self, num_frames: int, depth: int = 2, outputs: Sequence[str] = ("3d",), **kwargs: int | float | dict | None
    ) -> None:
        super().__init__(num_frames, depth=depth, outputs=outputs, **kwargs)

    def loss(self, feats: Tensor, poses_3d: Tensor) -> dict[str, Tensor]:
        """Return loss_3d, the mean distance over all keypoints (paper Eq. 6), and error_3d_mm.

        feats: (B, T, C) tokens of the partial poses; poses_3d: (B, T, K, 3) whole, root-relative metres.
        """
        error = mean_distance(self.forward(feats, "3d"), poses_3d)
        return dict(loss_3d=error, error_3d_mm=error.detach() * 1000)

    @staticmethod
    def blend(completed: Tensor, given: Tensor, keypoint_mask: Tensor) -> Tensor:
        """Keep given keypoints where they are visible and take the completed ones where the mask is True.

        completed, given: (B, T, K, D) of one space and unit; keypoint_mask: (B, T, K) bool.
        """
        return torch.where(keypoint_mask[..., None], completed, given)
