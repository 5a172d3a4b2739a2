"""Pre-training: masked keypoints and frames of 2D and of 3D windows are recovered (paper section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from mmengine.model import BaseModel, BaseModule
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..masking import Masks
from .layers import LAYER_NORM_EPS, TransformerLayer, pose_projection, start_at_mean
from .pretrained import starts_pretrained
from .recovery_targets import COORDINATES, PoseTargets, WhitenedTargets


class PoseDecoder(nn.Module):
    """Transformer layers and a frame-wise BatchNorm and projection: (B, T, C) -> (B, T, K, D)."""

    def __init__(self, channels: int, num_keypoints: int, size: int, depth: int, **layer: int | float) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(*(TransformerLayer(channels, **layer) for _ in range(depth)))
        self.out_norm = nn.BatchNorm1d(channels)
        self.out = pose_projection(channels, num_keypoints * size)

    def forward(self, x: Tensor) -> Tensor:
        """Decode the tokens of all frames."""
        batch, frames = x.shape[:2]
        x = self.out(self.out_norm(self.layers(x).flatten(0, 1)))
        return x.view(batch, frames, -1, self.size)


@MODELS.register_module()
class MaskedPoseHead(BaseModule):
    """Puts tokens in the place of masked frames and decodes poses (paper sections 3.1 and 3.2, Eq. 4).

    Args:
        num_frames: window length T.
        num_keypoints: K.
        channels: width of the backbone's tokens.
        hidden_channels: width of the feed-forward networks.
        depth: transformer layers per decoder.
        num_heads: attention heads.
        outputs: which decoders to build, out of '2d' and '3d'.
        drop: dropout.
        attn_drop: dropout of attention weights (released: 0.1, which earned nothing, see docs/performance.md).
        init_cfg: mmengine's.
    """

    def __init__(
        self,
        num_frames: int,
        num_keypoints: int = 17,
        channels: int = 256,
        hidden_channels: int = 512,
        depth: int = 1,
        num_heads: int = 8,
        outputs: Sequence[str] = ("2d", "3d"),
        drop: float = 0.1,
        attn_drop: float = 0.0,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not outputs or set(outputs) - set(COORDINATES):
            raise ValueError(f"outputs must be one or both of '2d', '3d', got {tuple(outputs)}")
        self.outputs = tuple(outputs)
        self.num_keypoints = num_keypoints
        self.norm = nn.LayerNorm(channels, eps=LAYER_NORM_EPS)
        self.frame_token = nn.Parameter(torch.randn(1, 1, channels))
        self.position = nn.Parameter(torch.randn(1, num_frames, channels))
        layer = dict(hidden_channels=hidden_channels, num_heads=num_heads, drop=drop, attn_drop=attn_drop)
        for name in self.outputs:
            decoder = PoseDecoder(channels, num_keypoints, COORDINATES[name], depth, **layer)
            setattr(self, f"decoder_{name}", decoder)

    @property
    def spare_weights(self) -> list[str]:
        """Names of weights of pre-training that a head with fewer outputs does without."""
        return [f"decoder_{name}" for name in COORDINATES if name not in self.outputs]

    def forward(self, feats: Tensor, to: str = "3d", frame_mask: Tensor | None = None) -> Tensor:
        """Decode the visible frames' tokens to all poses of the window; tokens of 2D poses may go to 3D.

        Args:
            feats: (B, T_visible, C) from the backbone.
            to: '2d' or '3d', the decoder.
            frame_mask: the mask (B, T) the backbone was given, True = masked.

        Returns:
            (B, T, K, 2) normalised screen coordinates or (B, T, K, 3) root-relative metres.

        Raises:
            ValueError: if there is no such decoder.
        """
        if to not in self.outputs:
            raise ValueError(f"to={to!r}, but this head was built with outputs={self.outputs}")
        tokens = self._restore(self.norm(feats), frame_mask) + self.position
        return getattr(self, f"decoder_{to}")(tokens)

    def start_at_means(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Let the decoders begin at the means of poses (N, T, K, D), 2D normalised, 3D root-relative m."""
        for name, poses in {"2d": poses_2d, "3d": poses_3d}.items():
            if name in self.outputs and poses is not None:
                start_at_mean(getattr(self, f"decoder_{name}").out, poses)

    def _restore(self, visible: Tensor, frame_mask: Tensor | None) -> Tensor:
        """Bring (B, T_visible, C) back to (B, T, C): the token where the mask is True."""
        batch, num_visible, channels = visible.shape
        if frame_mask is None:
            # As in the backbone: no frame is masked, but DDP wants the token used in every training step.
            return visible + 0 * self.frame_token if self.training else visible
        tokens = torch.cat([visible, self.frame_token.expand(batch, 1, channels)], dim=1)
        # A visible frame's place among the visible ones; masked frames all read the one token behind them.
        index = ((~frame_mask).cumsum(1) - 1).masked_fill(frame_mask, num_visible)
        return tokens.gather(1, index[..., None].expand(-1, -1, channels))


def _of(part: Mapping, field: str, modalities: Sequence[str]) -> dict:
    """The config of a part of the model with its modalities; raises ValueError where it says others itself."""
    if set(part.get(field, modalities)) != set(modalities):
        raise ValueError(
            f"{part.get('type')} has {field}={tuple(part[field])}, but the model has modalities={tuple(modalities)}; "
            "give the modalities of MaskedPoseEstimator alone"
        )
    return dict(part, **{field: modalities})


class _Windows(NamedTuple):
    """The inputs of one kind of poses; see :class:`MaskedPoseEstimator`."""

    poses: Tensor
    masks: Masks
    target: Tensor | None
    known: Tensor | None


def _windows(inputs: dict[str, Tensor | Masks | None], kind: str) -> _Windows:
    if kind == "2d":
        return _Windows(inputs["poses_2d"], inputs["masks_2d"], inputs.get("target_2d"), inputs.get("known_2d"))
    return _Windows(inputs["poses_3d"], inputs["masks_3d"], inputs.get("target_3d"), inputs.get("known_3d"))


@MODELS.register_module()
class MaskedPoseEstimator(BaseModel):
    """Stage I: recover masked 2D poses and, unpaired with them, masked 3D poses in every step; or one kind alone.

    Args:
        backbone: config of :class:`MPMBackbone` with mask tokens.
        head: config of :class:`MaskedPoseHead`.
        modalities: '2d', '3d' or both: what is recovered. Sets the backbone's inputs, the head's outputs and the
            modalities of the data_preprocessor.
        loss_2d_weight: weight of the 2D term (paper Eq. 7, section 4.2: 2; released code: 5).
        loss_3d_weight: weight of the 3D term (paper Eq. 7, section 4.2: 3; released code: 2).
        loss_on: 'all' keypoints of all frames (as released) or only the 'masked' ones; of whitened targets all frames.
        loss_lift_weight: weight of the third task, masked 2D pose lifting: the 3D of 2D windows from what is visible of
            them (named in paper section 5, which gives no weight; released code: 8). 0 leaves it out.
        targets: 'poses', as the paper; or 'whitened', which leave out place and size and teach all directions of a pose
            alike, see :class:`~mpm_mmpose.models.recovery_targets.WhitenedTargets`; they need TrainingStatisticsHook.
        data_preprocessor: config of :class:`PretrainPreprocessor`, or a built one, which has its own modalities.
        init_cfg: mmengine's.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        modalities: Sequence[str] = ("2d", "3d"),
        loss_2d_weight: float = 2.0,
        loss_3d_weight: float = 3.0,
        loss_on: str = "all",
        loss_lift_weight: float = 0.0,
        targets: str = "poses",
        data_preprocessor: dict | nn.Module | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        if isinstance(data_preprocessor, Mapping):
            data_preprocessor = _of(data_preprocessor, "modalities", modalities)
        super().__init__(data_preprocessor, init_cfg)
        if targets not in ("poses", "whitened") or (targets == "whitened" and loss_on != "all"):
            raise ValueError(f"targets is {targets!r} with loss_on={loss_on!r}; give 'poses', or 'whitened' with 'all'")
        self.backbone = MODELS.build(_of(backbone, "inputs", modalities))
        self.head = MODELS.build(_of(head, "outputs", modalities))
        self.loss_weights = {"2d": loss_2d_weight, "3d": loss_3d_weight}
        self.loss_lift_weight = loss_lift_weight
        if loss_lift_weight and set(modalities) != {"2d", "3d"}:
            raise ValueError(f"loss_lift_weight needs the modalities '2d' and '3d', not {tuple(modalities)}")
        if targets == "poses":
            self.targets = PoseTargets(loss_on)
        else:
            self.targets = WhitenedTargets(self.head.outputs, self.head.num_keypoints)

    def forward(
        self, inputs: dict[str, Tensor | Masks | None], data_samples: None = None, mode: str = "tensor"
    ) -> dict[str, Tensor] | list[PoseDataSample] | tuple[Tensor, ...]:
        """Recover both windows from their visible parts.

        Args:
            inputs: poses_2d (B, T, K, 2) normalised and poses_3d (B, T, K, 3) root-relative metres, both whole, with
                masks_2d and masks_3d; for the loss also target_2d and target_3d, of the same shapes, and known_2d and
                known_3d (B, T, K) bool, False where there is no target, or None. For the third task target_lift
                (B, T, K, 3) root-relative metres, the 3D of the 2D windows, and known_lift.
            data_samples: not used; mmengine passes it.
            mode: 'loss', 'predict' or 'tensor'.

        Returns:
            'loss': loss_2d, loss_3d and, with the third task, loss_lift (weighted; their sum is trained on), error_2d
            (normalised units), error_3d_mm and error_lift_mm of the same keypoints, or white_error_2d, white_error_3d
            and white_error_lift. 'predict': one PoseDataSample whose pred_instances holds keypoints (B, T, K, 2) and
            keypoints_3d (B, T, K, 3). 'tensor': these tensors. Only those of the modalities.

        Raises:
            ValueError: if the mode is none of the three, or the third task has no target.
        """
        windows = {kind: _windows(inputs, kind) for kind in self.head.outputs}
        feats = {kind: self._encode(windows[kind]) for kind in windows}
        recovered = {kind: self.head(feats[kind], kind, windows[kind].masks.frame_mask) for kind in windows}
        if mode in ("tensor", "predict"):
            recovered = {
                kind: self.targets.poses(kind, decoded, windows[kind].poses, windows[kind].masks)
                for kind, decoded in recovered.items()
            }
        if mode == "tensor":
            return tuple(recovered.values())
        if mode == "predict":
            fields = {{"2d": "keypoints", "3d": "keypoints_3d"}[kind]: poses for kind, poses in recovered.items()}
            return [PoseDataSample(pred_instances=InstanceData(**fields))]
        if mode != "loss":
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        losses = {}
        for kind, poses in recovered.items():
            of = windows[kind]
            error = self.targets.error(kind, poses, of.target, of.masks, of.known)
            losses[{"2d": "loss_2d", "3d": "loss_3d"}[kind]] = self.loss_weights[kind] * error
            losses |= self.targets.log(kind, error.detach())
        if self.loss_lift_weight:
            if inputs.get("target_lift") is None:
                raise ValueError(
                    "loss_lift_weight needs the 3D of the 2D windows: give dataset_2d modalities=['2d', '3d'], or "
                    "['3d'], whose own projections are then its 2D"
                )
            masks = windows["2d"].masks
            lifted = self.head(feats["2d"], "3d", masks.frame_mask)
            error = self.targets.error("3d", lifted, inputs["target_lift"], masks, inputs["known_lift"])
            losses["loss_lift"] = self.loss_lift_weight * error
            losses |= self.targets.log("lift", error.detach())
        return losses

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Start at the means of poses (N, T, K, D), which whitened targets have at 0; see TrainingStatisticsHook."""
        if isinstance(self.targets, PoseTargets) and not starts_pretrained(self.head):
            self.head.start_at_means(poses_2d, poses_3d)

    def _encode(self, windows: _Windows) -> Tensor:
        masks = windows.masks
        return self.backbone(windows.poses, masks.frame_mask, masks.keypoint_mask, masks.num_visible)
