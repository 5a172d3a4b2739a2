"""Stage II: from the backbone's tokens to 3D poses, under mmpose's PoseLifter (paper section 3.3)."""

from collections.abc import Sequence

from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from .labels import centre_frame, read_labels
from .layers import pose_projection, start_at_mean
from .losses import mean_distance
from .predictions import mean_over_flips, predicted_instances
from .strided_decoder import StridedDecoder


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
        align: which frame the residual path of the decoder carries: 'centre', the target; or 'first', frame 0, as
            released and as the authors' weights need it, which is far worse after pre-training (docs/results.md).
        target_weight: weight of the target frame's loss (paper Eq. 9 and 11, section 4.2: 1).
        sequence_weight: weight of the whole sequence's loss (paper Eq. 10 and 11, section 4.2: 1).
        drop: dropout.
        attn_drop: dropout of attention weights (released: 0.1, which earned nothing, see docs/performance.md).
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
        align: str = "centre",
        target_weight: float = 1.0,
        sequence_weight: float = 1.0,
        drop: float = 0.1,
        attn_drop: float = 0.0,
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

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Start at the mean of poses (N, T, K, 3) root-relative m; see :class:`TrainingStatisticsHook`."""
        if poses_3d is not None:
            for layer in (self.target_out, self.sequence_out):
                start_at_mean(layer, poses_3d)

    def forward(self, feats: Tensor) -> tuple[Tensor, Tensor]:
        """Map tokens (B, T, C) to the target pose (B, K, 3) and the poses of all frames (B, T, K, 3), metres."""
        frames = feats.shape[1]
        if frames != self.num_frames:
            raise ValueError(f"feats: expected tokens of num_frames={self.num_frames} frames, got {frames}")
        return self.forward_target(feats), self.forward_sequence(feats)

    def forward_target(self, feats: Tensor) -> Tensor:
        """Map tokens (B, T, C) to the target pose (B, K, 3) alone."""
        return self.target_out(self.target_norm(self.decoder(feats))).view(-1, self.num_keypoints, 3)

    def forward_sequence(self, feats: Tensor) -> Tensor:
        """Map tokens (B, T, C) to the poses of all frames (B, T, K, 3) alone."""
        poses = self.sequence_out(self.sequence_norm(feats.flatten(0, 1)))
        return poses.view(*feats.shape[:2], self.num_keypoints, 3)

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

        With test_cfg's output='sequence' those of all frames; 'target' is the default. With its flip_test, feats are
        those of the plain and of the mirrored input, and the mean is taken.

        Returns:
            One InstanceData a data sample: keypoints (B, K, 3) or (B, T, K, 3) metres and keypoint_scores, tensors, for
            a batch in one sample; keypoints (1 or T, K, 3) and scores as numpy arrays, as mmpose's metrics want, for a
            list.

        Raises:
            ValueError: if output is neither, or flip_test lacks flip_indices or comes with shift_coords=False, which is
                not a mirror here.
        """
        test_cfg = test_cfg or {}
        poses = dict(target=self.predict_target, sequence=self.predict_sequence)
        return predicted_instances(
            lambda output: poses[output](feats, batch_data_samples, test_cfg), batch_data_samples, test_cfg, self.root
        )

    def predict_target(
        self, feats: Tensor | list[Tensor], batch_data_samples: list[PoseDataSample], test_cfg: dict
    ) -> Tensor:
        """Return the target pose (B, K, 3) metres, the mean over flips where test_cfg asks for flip_test."""
        return mean_over_flips(self.forward_target, feats, batch_data_samples, test_cfg)

    def predict_sequence(
        self, feats: Tensor | list[Tensor], batch_data_samples: list[PoseDataSample], test_cfg: dict
    ) -> Tensor:
        """Return the poses of all frames (B, T, K, 3) metres, the mean over flips as for the target pose."""
        return mean_over_flips(self.forward_sequence, feats, batch_data_samples, test_cfg)

    def read_labels(self, batch_data_samples: list[PoseDataSample], batch: int) -> tuple[Tensor, Tensor | None]:
        """Return labels (B, T or 1, K, 3) metres and weights (B, T or 1, K), None where there are none."""
        return read_labels(batch_data_samples, batch, self.num_frames, self.num_keypoints)
