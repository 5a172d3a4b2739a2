"""The paper's refine module: lifted pose and back-projected 2D input, weighed keypoint by keypoint."""

import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..pose.geometry import fit_root, root_relative, uvd_to_camera
from .labels import centre_frame
from .lifting_head import LiftingHead
from .losses import mean_distance


@MODELS.register_module()
class RefineModule(nn.Module):
    """Weigh x and y of two estimates of a pose; z stays that of the first (paper section 4.2).

    Args:
        num_keypoints: K.
        hidden_channels: width of the hidden layer.
        drop: dropout.
    """

    def __init__(self, num_keypoints: int = 17, hidden_channels: int = 1024, drop: float = 0.5) -> None:
        super().__init__()
        self.linear1 = nn.Linear(num_keypoints * 6, hidden_channels)
        self.drop = nn.Dropout(drop)
        self.linear2 = nn.Linear(hidden_channels, num_keypoints * 2)

    def forward(self, lifted: Tensor, projected: Tensor) -> tuple[Tensor, Tensor]:
        """Blend (..., K, 3) root-relative metres with another such estimate.

        Returns:
            The refined poses (..., K, 3) and the weights (..., K, 2) of ``lifted`` in x and y.
        """
        x = torch.cat([lifted, projected], dim=-1).flatten(-2)  # (..., K * 6), keypoint-major
        x = self.linear2(self.drop(torch.relu(self.linear1(x))))
        weight = x.sigmoid().unflatten(-1, (-1, 2)).to(lifted.dtype)
        xy = weight * lifted[..., :2] + (1 - weight) * projected[..., :2]
        return torch.cat([xy, lifted[..., 2:]], dim=-1), weight


@MODELS.register_module()
class RefinedLiftingHead(LiftingHead):
    """LiftingHead whose target pose is refined with the 2D input of the target frame and the camera.

    The 2D keypoints, at the lifted depths and the root's depth, are back-projected with the linear part of the camera;
    the refine module weighs them against the lifted pose. Needs ``gt_instances`` with keypoints (B, K, 2) normalised,
    intrinsics (B, 9) normalised and root_depth (B,) metres, as :class:`LiftingPreprocessor` packs them.

    Args:
        *args: as :class:`LiftingHead`.
        root_depth: how far away the root is, in training and in test. 'true': the true absolute depth; the released
            code has no other, so refined figures are then not those of a lifter that sees 2D alone. 'fitted': where
            the lifted pose fits its 2D best, see :func:`mpm_mmpose.pose.geometry.fit_root`; needs the camera alone.
        refine_weight: weight of the refined pose's loss.
        refine_channels: width of the refine module.
        refine_drop: its dropout.
        target_weight: weight of the lifted pose's loss; 0 as released, which trains the lifter through the refined one.
        sequence_weight: likewise for the sequence.
        **kwargs: as :class:`LiftingHead`.
    """

    def __init__(
        self,
        *args: int | tuple,
        root_depth: str = "true",
        refine_weight: float = 1.0,
        refine_channels: int = 1024,
        refine_drop: float = 0.5,
        target_weight: float = 0.0,
        sequence_weight: float = 0.0,
        **kwargs: int | float | str | tuple | dict | None,
    ) -> None:
        super().__init__(*args, target_weight=target_weight, sequence_weight=sequence_weight, **kwargs)
        if root_depth not in ("true", "fitted"):
            raise ValueError(f"root_depth must be 'true' or 'fitted', got {root_depth!r}")
        self.root_depth = root_depth
        self.refine_weight = refine_weight
        self.refine = RefineModule(self.num_keypoints, refine_channels, refine_drop)

    def loss(
        self, feats: Tensor, batch_data_samples: list[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Return loss_refine, mpjpe_mm of the refined pose, and the weighted losses of :class:`LiftingHead`."""
        target, sequence = self.forward(feats)
        labels, weights = self.read_labels(batch_data_samples, len(target))
        losses = self.lifting_losses(target, sequence, labels, weights)
        refined = self.refine_target(target, batch_data_samples)
        error = mean_distance(refined, *centre_frame(labels, weights))
        return losses | dict(loss_refine=self.refine_weight * error, mpjpe_mm=error.detach() * 1000)

    def predict_target(
        self, feats: Tensor | list[Tensor], batch_data_samples: list[PoseDataSample], test_cfg: dict
    ) -> Tensor:
        """Return the refined target pose (B, K, 3) metres; flips are averaged before refining, as released."""
        return self.refine_target(super().predict_target(feats, batch_data_samples, test_cfg), batch_data_samples)

    def refine_target(self, lifted: Tensor, batch_data_samples: list[PoseDataSample]) -> Tensor:
        """Refine lifted target poses (B, K, 3) root-relative metres.

        Raises:
            ValueError: if the data samples lack keypoints, intrinsics or, where it is the true one, root_depth.
        """
        keypoints, intrinsics = (_field(batch_data_samples, name) for name in ("keypoints", "intrinsics"))
        lifted = lifted.float()
        if self.root_depth == "true":
            depth = _field(batch_data_samples, "root_depth")
        else:
            depth = fit_root(root_relative(lifted.detach(), self.root), keypoints, intrinsics)[..., 2]
        uvd = torch.cat([keypoints, lifted[..., 2:]], dim=-1)
        camera = uvd_to_camera(uvd, depth, intrinsics, self.root)
        return self.refine(lifted, root_relative(camera, self.root))[0]


def _field(samples: list[PoseDataSample], name: str) -> Tensor:
    instances = [getattr(sample, "gt_instances", {}) for sample in samples]
    if any(name not in instance for instance in instances):
        raise ValueError(
            f"gt_instances has no {name}: the refined head needs keypoints, intrinsics and root_depth of the target "
            "frame; use LiftingPreprocessor, or LiftingHead, which needs none of them"
        )
    return torch.cat([torch.as_tensor(instance.get(name)) for instance in instances])
