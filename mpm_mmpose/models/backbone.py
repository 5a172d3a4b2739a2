"""The shared 2D-3D encoder of MPM."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .layers import PoseEncoder, SpatialMLP, TransformerLayer
from .pretrained import report_pretrained
from .recovery_targets import COORDINATES
from .temporal_mixer import TemporalMixer
from .window_centre import window_place, with_place


class TemporalTransformer(nn.Module):
    """Position embedding (1, T, C), which the caller adds, and transformer layers over (B, T_visible, C)."""

    def __init__(self, num_frames: int, channels: int, depth: int, **layer: int | float) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, num_frames, channels))
        self.layers = nn.Sequential(*(TransformerLayer(channels, **layer) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of the visible frames."""
        return self.layers(x)


@MODELS.register_module()
class MPMBackbone(BaseModule):
    """2D and 3D pose encoders, shared spatial MLP and shared temporal transformer (paper section 3.1, Eq. 1 to 3).

    Args:
        num_frames: window length T.
        num_keypoints: K.
        channels: width of the tokens; the frame-wise layers are twice as wide (as released).
        hidden_channels: width of the feed-forward networks in the temporal layers.
        depth: number of temporal layers.
        num_heads: attention heads.
        inputs: which encoders to build, out of '2d' (normalised screen coordinates) and '3d' (root-relative metres).
        mask_tokens: build the learned tokens that stand in for masked keypoints.
        drop: dropout in the temporal layers.
        attn_drop: dropout of attention weights (released: 0.1, which earned nothing, see docs/performance.md).
        mlp_drop: dropout in the frame-wise layers (released: 0.1 in pre-training, 0.2 in lifting).
        encode_masked_frames: pass masked frames through the frame-wise layers as well and drop them afterwards, as
            released; they then take part in the BatchNorm statistics of training. The output in evaluation is equal.
        tokens_per_keypoint: one mask token for each keypoint instead of one for all; a new model starts with that
            keypoint's mean position in the training data. See study S6 in docs/results.md.
        place_apart: encode 2D keypoints relative to the mean of the window's visible ones, and that mean beside them.
            The paper's are where they are in the image; see study S3 in docs/results.md.
        temporal: 'attention', the paper's; or 'mixer', layers that mix the frames by learned weights: cheaper, but
            frames that are masked are tokens there instead of dropped.
        init_cfg: mmengine's; type 'Pretrained' logs how many weights were taken.
    """

    causal = False  # read by mmpose's PoseLifter: the target is the centre frame
    space = "image"  # of 2D: normalised screen coordinates
    ignored: tuple[int, ...] = ()  # indices of keypoints that it never looks at

    def __init__(
        self,
        num_frames: int,
        num_keypoints: int = 17,
        channels: int = 256,
        hidden_channels: int = 512,
        depth: int = 4,
        num_heads: int = 8,
        inputs: Sequence[str] = ("2d", "3d"),
        mask_tokens: bool = True,
        drop: float = 0.1,
        attn_drop: float = 0.0,
        mlp_drop: float = 0.1,
        encode_masked_frames: bool = False,
        tokens_per_keypoint: bool = False,
        place_apart: bool = False,
        temporal: str = "attention",
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        unknown = set(inputs) - set(COORDINATES)
        if unknown or not inputs:
            raise ValueError(f"inputs must be one or both of '2d', '3d', got {tuple(inputs)}")
        self.num_frames = num_frames
        self.num_keypoints = num_keypoints
        self.channels = channels
        self.inputs = tuple(inputs)
        self.mask_tokens = mask_tokens
        self.encode_masked_frames = encode_masked_frames
        self.place_apart, self.tokens_per_keypoint = place_apart, tokens_per_keypoint
        for name in self.inputs:
            size = COORDINATES[name]
            token = torch.zeros(num_keypoints, size) if tokens_per_keypoint else torch.randn(size)
            setattr(self, f"encoder_{name}", PoseEncoder(self.features_per_frame(name), 2 * channels, mlp_drop))
            if mask_tokens:
                setattr(self, f"keypoint_token_{name}", nn.Parameter(token))
        self.spatial = SpatialMLP(2 * channels, channels, drop=mlp_drop)
        if temporal == "mixer":
            self.temporal = TemporalMixer(num_frames, channels, depth, hidden_channels, drop)
        elif temporal == "attention":
            self.temporal = TemporalTransformer(
                num_frames,
                channels,
                depth,
                hidden_channels=hidden_channels,
                num_heads=num_heads,
                drop=drop,
                attn_drop=attn_drop,
            )
        else:
            raise ValueError(f"temporal is {temporal!r}; give 'attention' or 'mixer'")

    def features_per_frame(self, name: str) -> int:
        """Numbers that the encoder of '2d' or '3d' takes a frame."""
        return (self.num_keypoints + int(self.place_apart and name == "2d")) * COORDINATES[name]

    @property
    def spare_weights(self) -> list[str]:
        """Names of weights of pre-training that a backbone with fewer inputs does without."""
        without = [name for name in COORDINATES if name not in self.inputs]
        return [f"{part}_{name}" for part in ("encoder", "keypoint_token") for name in without]

    def init_weights(self) -> None:
        """Initialise as mmengine does; with init_cfg type 'Pretrained', say what comes from the checkpoint.

        Raises:
            ValueError: if the checkpoint holds none of the weights, or one of another shape.
        """
        if not self.is_init:
            report_pretrained(self)
        super().init_weights()

    @torch.no_grad()
    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Put tokens per keypoint at their means: poses_2d (N, T, K, 2) normalised, poses_3d (N, T, K, 3) m."""
        if not (self.tokens_per_keypoint and self.mask_tokens):
            return
        for name, poses in (("2d", poses_2d), ("3d", poses_3d)):
            if name not in self.inputs or poses is None:
                continue
            if self.place_apart and name == "2d":
                poses = poses - window_place(poses, self._masked(poses, None, None))
            token = getattr(self, f"keypoint_token_{name}")
            token.copy_(poses.nanmean((0, 1)).nan_to_num(nan=0.0))  # (K, 2 or 3); 0 where a keypoint is nowhere known

    def forward(
        self,
        poses: Tensor,
        frame_mask: Tensor | None = None,
        keypoint_mask: Tensor | None = None,
        num_visible: int | None = None,
    ) -> Tensor:
        """Encode the visible frames of a window.

        Args:
            poses: (B, T, K, 2) normalised screen coordinates or (B, T, K, 3) root-relative metres. NaN is a masked
                keypoint, too, where the backbone has mask tokens: mmpose's PoseLifter hands on nothing but poses.
            frame_mask: (B, T) bool, True = masked: dropped before the temporal layers; the same number per sample.
            keypoint_mask: (B, T, K) bool, True = masked: replaced by the learned token before the encoder.
            num_visible: visible frames per sample. Without it the number is read from ``frame_mask``, which waits for
                the device; with it the mask is taken at its word.

        Returns:
            (B, T_visible, C) tokens of the visible frames in temporal order.

        Raises:
            ValueError: if a shape or dtype is not as above, an encoder or token was not built, or the samples differ
                in the number of masked frames.
        """
        name = self._check(poses, frame_mask, keypoint_mask)
        if self.place_apart and name == "2d":
            place = window_place(poses, self._masked(poses, frame_mask, keypoint_mask))
            poses = with_place(self._mask_keypoints(poses - place, keypoint_mask, name), place)
        else:
            poses = self._mask_keypoints(poses, keypoint_mask, name)
        return self._encode_visible(poses.flatten(2), name, frame_mask, num_visible)

    def _encode_visible(
        self, features: Tensor, name: str, frame_mask: Tensor | None, num_visible: int | None
    ) -> Tensor:
        """Tokens (B, T_visible, C) of the visible frames, of features (B, T, F) of all frames."""
        position = self.temporal.position
        if frame_mask is None:
            return self.temporal(self._encode(features, name) + position)
        order = visible_frames(frame_mask, num_visible)[..., None]  # (B, V, 1)
        position = position.expand(len(features), -1, -1)
        if self.encode_masked_frames:
            tokens = self._encode(features, name) + position
            return self.temporal(tokens.gather(1, order.expand(-1, -1, self.channels)))
        tokens = self._encode(features.gather(1, order.expand(-1, -1, features.shape[2])), name)
        return self.temporal(tokens + position.gather(1, order.expand(-1, -1, self.channels)))

    def _encode(self, poses: Tensor, name: str) -> Tensor:
        """Apply the frame-wise layers: (B, T, ...) -> (B, T, C)."""
        batch, frames = poses.shape[:2]
        x = getattr(self, f"encoder_{name}")(poses.reshape(batch * frames, -1))
        return self.spatial(x).view(batch, frames, self.channels)

    def _mask_keypoints(self, poses: Tensor, mask: Tensor | None, name: str) -> Tensor:
        """Put the learned token where the mask is True or there is no number."""
        if not self.mask_tokens:
            return poses
        # With nothing masked the token stays in the graph all the same: DDP wants every parameter used in every step.
        masked = self._masked(poses, None, mask)
        return torch.where(masked[..., None], getattr(self, f"keypoint_token_{name}"), poses)

    @staticmethod
    def _masked(poses: Tensor, frame_mask: Tensor | None, keypoint_mask: Tensor | None) -> Tensor:
        """All that is masked, by a mask or by being no number: (B, T, K) bool."""
        masked = poses.isnan().any(-1)
        if keypoint_mask is not None:
            masked = masked | keypoint_mask
        return masked if frame_mask is None else masked | frame_mask[..., None]

    def _check(self, poses: Tensor, frame_mask: Tensor | None, keypoint_mask: Tensor | None) -> str:
        """Check the arguments of forward and return the name of the encoder."""
        expected = f"(B, {self.num_frames}, {self.num_keypoints}, 2 or 3)"
        shape = tuple(poses.shape)
        if poses.ndim != 4 or shape[3] not in COORDINATES.values():
            raise ValueError(f"poses: expected {expected}, got shape {shape}")
        if shape[1] != self.num_frames:
            raise ValueError(f"poses: expected {expected}, got {shape[1]} frames; num_frames is {self.num_frames}")
        if shape[2] != self.num_keypoints:
            raise ValueError(
                f"poses: expected {expected}, got {shape[2]} keypoints; num_keypoints is {self.num_keypoints}"
            )
        name = f"{shape[3]}d"
        if name not in self.inputs:
            raise ValueError(f"poses are {name}, but this backbone was built with inputs={self.inputs}")
        for argument, mask, ndim in (("frame_mask", frame_mask, 2), ("keypoint_mask", keypoint_mask, 3)):
            if mask is None:
                continue
            if tuple(mask.shape) != shape[:ndim] or mask.dtype != torch.bool:
                raise ValueError(
                    f"{argument}: expected torch.bool of shape {shape[:ndim]} (True = masked), "
                    f"got {mask.dtype} of shape {tuple(mask.shape)}"
                )
        if keypoint_mask is not None and not self.mask_tokens:
            raise ValueError("keypoint_mask: this backbone has no tokens for masked keypoints; set mask_tokens=True")
        return name


def visible_frames(frame_mask: Tensor, num_visible: int | None = None) -> Tensor:
    """Indices (B, num_visible) of the visible frames in temporal order.

    Raises:
        ValueError: if a sample has no visible frame or, where ``num_visible`` is not given, the samples differ.
    """
    if num_visible is None:
        counts = set((~frame_mask).sum(1).tolist())
        if len(counts) != 1:
            raise ValueError(f"frame_mask: every sample must mask the same number of frames, visible are {counts}")
        num_visible = counts.pop()
    if not 0 < num_visible <= frame_mask.shape[1]:
        raise ValueError(f"num_visible: expected 1 to {frame_mask.shape[1]} visible frames, got {num_visible}")
    return frame_mask.to(torch.uint8).argsort(dim=1, stable=True)[:, :num_visible]
