"""Stage II: from the backbone's tokens to 3D poses, under mmpose's PoseLifter (paper section 3.4)."""

import math
from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from .layers import StridedLayer, pose_projection
from .losses import mean_distance

POSITIONED_LAYERS = 3  # as released: later layers get no position embedding


class StridedDecoder(nn.Module):
    """Strided transformer layers: (B, T, C) -> (B, C), the token of the target frame.

    ``align`` 'first' keeps the residual path on the first frame of every group, 'centre' on the one that holds frame
    T // 2 (the middle one for odd strides).
    """

    def __init__(
        self, num_frames: int, channels: int, strides: Sequence[int], align: str, **layer: int | float
    ) -> None:
        super().__init__()
        if align not in ("first", "centre"):
            raise ValueError(f"align must be 'first' or 'centre', got {align!r}")
        if min(strides, default=0) < 1 or math.prod(strides) != num_frames:
            raise ValueError(
                f"strides={tuple(strides)} must be positive and multiply to num_frames={num_frames}, "
                f"their product is {math.prod(strides)}"
            )
        self.positions = nn.ParameterList(
            nn.Parameter(torch.randn(1, num_frames, channels)) for _ in strides[:POSITIONED_LAYERS]
        )
        self.layers = nn.ModuleList()
        carried = num_frames // 2 if align == "centre" else 0  # frame that the residual path carries
        for stride in strides:
            self.layers.append(StridedLayer(channels, stride=stride, offset=carried % stride, **layer))
            carried //= stride

    def forward(self, x: Tensor) -> Tensor:
        """Reduce a window to one token."""
        for i, layer in enumerate(self.layers):
            if i < len(self.positions):
                x = x + self.positions[i][:, : x.shape[1]]
            x = layer(x)
        return x.squeeze(1)


@MODELS.register_module()
class LiftingHead(BaseHead):
    """Strided decoder for the target frame and a linear projection for the whole sequence.

    Targets and predictions are root-relative metres. A batch is either one PoseDataSample with B windows (see
    :class:`LiftingPreprocessor`) or mmpose's list of B samples with a label (1 or T, K, 3) each; labels of one frame
    are those of the target frame, T // 2.

    Args:
        num_frames: window length T.
        strides: strides of the decoder's layers; their product is T.
        num_keypoints: K.
        channels: width of the backbone's tokens.
        hidden_channels: width of the feed-forward networks.
        num_heads: attention heads.
        align: 'first', as released, where the residual path of the decoder carries frame 0 although the centre frame
            is the target; or 'centre', where it carries the target frame.
        target_weight: weight of the target frame's loss (paper Eq. 5: 1).
        sequence_weight: weight of the whole sequence's loss (paper Eq. 5: 1).
        drop: dropout.
        attn_drop: dropout of attention weights.
        root: the keypoint that predictions have at 0, as the released evaluation puts it.
        init_cfg: mmengine's.

    Raises:
        ValueError: if the strides do not multiply to ``num_frames``.
    """

    def __init__(
        self,
        num_frames: int,
        strides: Sequence[int],
        num_keypoints: int = 17,
        channels: int = 256,
        hidden_channels: int = 512,
        num_heads: int = 8,
        align: str = "first",
        target_weight: float = 1.0,
        sequence_weight: float = 1.0,
        drop: float = 0.1,
        attn_drop: float = 0.1,
        root: int = 0,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_frames = num_frames
        self.num_keypoints = num_keypoints
        self.target_weight = target_weight
        self.sequence_weight = sequence_weight
        self.root = root
        self.decoder = StridedDecoder(
            num_frames,
            channels,
            strides,
            align,
            hidden_channels=hidden_channels,
            num_heads=num_heads,
            drop=drop,
            attn_drop=attn_drop,
        )
        self.target_norm = nn.BatchNorm1d(channels)
        self.target_out = pose_projection(channels, num_keypoints * 3)
        self.sequence_norm = nn.BatchNorm1d(channels)
        self.sequence_out = pose_projection(channels, num_keypoints * 3)

    def forward(self, feats: Tensor) -> tuple[Tensor, Tensor]:
        """Map tokens (B, T, C) to the target pose (B, K, 3) and the poses of all frames (B, T, K, 3), metres."""
        batch, frames = feats.shape[:2]
        if frames != self.num_frames:
            raise ValueError(f"feats: expected tokens of num_frames={self.num_frames} frames, got {frames}")
        sequence = self.sequence_out(self.sequence_norm(feats.flatten(0, 1)))
        return self.forward_target(feats), sequence.view(batch, frames, self.num_keypoints, 3)

    def forward_target(self, feats: Tensor) -> Tensor:
        """Map tokens (B, T, C) to the target pose (B, K, 3) alone."""
        return self.target_out(self.target_norm(self.decoder(feats))).view(-1, self.num_keypoints, 3)

    def loss(
        self, feats: Tensor, batch_data_samples: list[PoseDataSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Return loss_target and loss_sequence, weighted, and the target frame's mpjpe_mm.

        Raises:
            ValueError: if labels are missing or of another shape than the class says.
        """
        target, sequence = self.forward(feats)
        labels, weights = self.read_labels(batch_data_samples, len(target))
        return self.lifting_losses(target, sequence, labels, weights)

    def lifting_losses(
        self, target: Tensor, sequence: Tensor, labels: Tensor, weights: Tensor | None
    ) -> dict[str, Tensor]:
        """Losses of what :meth:`forward` gives, for what :meth:`read_labels` gives."""
        # Labels of one frame supervise the same frame of the sequence.
        if labels.shape[1] == 1:
            centre = self.num_frames // 2
            sequence = sequence[:, centre : centre + 1]
        error = mean_distance(target, *centre_frame(labels, weights))
        return dict(
            loss_target=self.target_weight * error,
            loss_sequence=self.sequence_weight * mean_distance(sequence, labels, weights),
            mpjpe_mm=error.detach() * 1000,
        )

    def predict(
        self,
        feats: Tensor | list[Tensor],
        batch_data_samples: list[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData]:
        """Predict the target poses, root at 0, or at target_root where samples of mmpose's list have it as metainfo.

        With test_cfg's flip_test, feats are those of the plain and of the mirrored input, and the mean is taken.

        Returns:
            One InstanceData a data sample: keypoints (B, K, 3) metres and keypoint_scores (B, K), tensors, for a batch
            in one sample; keypoints (1, K, 3) and scores as numpy arrays, as mmpose's metrics want, for a list.

        Raises:
            ValueError: if flip_test lacks flip_indices or comes with shift_coords=False, which is not a mirror here.
        """
        poses = self.predict_target(feats, batch_data_samples, test_cfg or {}).float()
        poses[:, self.root] = 0
        scores = poses.new_ones(poses.shape[:2])
        if len(batch_data_samples) == 1 and _is_packed(batch_data_samples[0], len(poses)):
            return [InstanceData(keypoints=poses, keypoint_scores=scores)]
        return [
            # mmpose's codecs leave the ground truth in camera space and say where its root was.
            InstanceData(keypoints=pose[None] + sample.metainfo.get("target_root", 0), keypoint_scores=score[None])
            for pose, score, sample in zip(poses.cpu().numpy(), scores.cpu().numpy(), batch_data_samples, strict=True)
        ]

    def predict_target(
        self, feats: Tensor | list[Tensor], batch_data_samples: list[PoseDataSample], test_cfg: dict
    ) -> Tensor:
        """Return the target pose (B, K, 3) metres, the mean over flips where test_cfg asks for flip_test."""
        if not test_cfg.get("flip_test", False):
            return self.forward_target(feats)
        flip_indices = batch_data_samples[0].metainfo.get("flip_indices")
        if flip_indices is None or not test_cfg.get("shift_coords", True):
            raise ValueError("flip_test needs flip_indices in the metainfo of the data samples, and shift_coords=True")
        plain, mirrored = (self.forward_target(x) for x in feats)
        mirrored = mirrored[:, flip_indices] * mirrored.new_tensor([-1, 1, 1])
        return (plain + mirrored) / 2

    def read_labels(self, batch_data_samples: list[PoseDataSample], batch: int) -> tuple[Tensor, Tensor | None]:
        """Return labels (B, T or 1, K, 3) metres and weights (B, T or 1, K), None where there are none."""
        labels = _gather(batch_data_samples, "lifting_target_label", 4)
        if labels is None:
            raise ValueError("data_samples: gt_instance_labels has no lifting_target_label")
        expected = (batch, self.num_keypoints, 3)
        shape = tuple(labels.shape)
        if len(shape) != 4 or shape[:1] + shape[2:] != expected or shape[1] not in (1, self.num_frames):
            raise ValueError(
                f"lifting_target_label: expected ({batch}, {self.num_frames} or 1, {self.num_keypoints}, 3) for the "
                f"batch, got {shape}"
            )
        weights = _gather(batch_data_samples, "lifting_target_weight", 3)
        return labels.float(), weights


def centre_frame(labels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Label (B, K, 3) and weight (B, K) of the target frame, from (B, T or 1, K, 3) and (B, T or 1, K)."""
    centre = labels.shape[1] // 2
    return labels[:, centre], None if weights is None else weights[:, centre]


def _gather(samples: list[PoseDataSample], field: str, ndim: int) -> Tensor | None:
    """Return a label of the whole batch with ``ndim`` axes: that of the one sample, or those of the list stacked."""
    labels = [getattr(sample, "gt_instance_labels", {}) for sample in samples]
    if any(field not in label for label in labels):
        return None
    values = [label.get(field) for label in labels]
    return values[0] if len(values) == 1 and values[0].ndim == ndim else torch.stack(values)


def _is_packed(sample: PoseDataSample, batch: int) -> bool:
    """Tell whether one data sample stands for a whole batch."""
    label = getattr(sample, "gt_instance_labels", {}).get("lifting_target_label")
    return batch > 1 if label is None else label.ndim == 4
