"""Batches of windows to inputs and targets of stage II: lifting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..augmentation.pipeline import read_augmentations
from ..augmentation.window_batch import WindowBatch
from ..masking import masked_cells
from ..pose.geometry import root_relative
from .window_preprocessor import WindowPreprocessor, read_masking


@MODELS.register_module()
class LiftingPreprocessor(WindowPreprocessor):
    """Windows to inputs and targets of a `PoseLifter`; the batch travels as one PoseDataSample of B instances.

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) camera space, metres; intrinsics (B, 9)
    normalised; action, window (B,); where the batch has them, sequence, frame (B,), down (B, 3), aspect (B,), unknown,
    unknown_3d (B, T, K) and padding (B, T) bool.
    Out: inputs (B, T, K, 2) normalised; NaN where masked.
    `gt_instance_labels`, of all frames: lifting_target_label (B, T, K, 3) root-relative, metres; keypoints_label
    (B, T, K, 2) normalised, without a detector's errors; lifting_target_weight and keypoints_weight (B, T, K), 0 for
    what the data set does not know of either. `gt_instances`, of the target frame, which is the centre one:
    lifting_target (B, K, 3) root-relative, metres; keypoints (B, K, 2) normalised; intrinsics (B, 9); root_depth (B,)
    metres; action, window, sequence, frame (B,); lifting_target_visible (B, K), False where it is unknown;
    masked (B, K), True where the input was masked. With batches of `PoseChunkDataset`, which have padding, these three,
    lifting_target, lifting_target_visible and masked, are of all frames, (B, T, K, ...), and frame is (B, T).
    Metainfo: flip_indices, target_frame. Raises KeyError or ValueError that names a missing or wrongly shaped field.

    Args:
        flip: Mirror random samples (probability 0.5) in training.
        seed: Of the random streams; every rank has its own.
        keypoint_set: Name of the keypoint set of the windows.
        augmentations: For training, in this order, by name (`type`, see `AUGMENTATIONS`) with their arguments.
        masking: What to mask of it, in training and in test: strategy by name (`type`, see `MASK_STRATEGIES`) and its
            arguments; frames that it would drop are masked whole. A test masks the same of a window every time.
        mask_unknown: Mask what the data set does not know and a detector missed; needs a backbone with mask_tokens, as
            does masking, which implies it. Otherwise they stand where they are.
    """

    fields = {
        "keypoints": (None, "K", 2),
        "keypoints_3d": (None, "K", 3),
        "intrinsics": (9,),
        "action": (),
        "window": (),
    }
    optional_fields = {
        "sequence": (),
        "down": (3,),
        "aspect": (),
        "unknown": (None, "K"),
        "unknown_3d": (None, "K"),
        "padding": (None,),
    }

    def __init__(
        self,
        flip: bool = False,
        seed: int = 0,
        keypoint_set: str = "h36m_17",
        augmentations: Sequence[Mapping] = (),
        masking: Mapping | None = None,
        mask_unknown: bool = False,
    ) -> None:
        super().__init__(flip, seed, keypoint_set)
        self._augmentations = read_augmentations("augmentations", augmentations)
        self._draw = read_masking(masking, self.keypoint_set)
        self.mask_unknown = mask_unknown or masking is not None
        for name in ("missed", "occluded", "absent", "occluded_half"):
            if not self.mask_unknown and any(augment.keywords.get(name) for augment in self._augmentations):
                raise ValueError(f"augmentations mask keypoints ({name}): set mask_unknown=True, or leave it 0")

    def forward(self, data: Mapping[str, Tensor], training: bool = False) -> dict:
        """Batch of windows to `inputs` and `data_samples`; see the class."""
        batch = self._take(data)
        views = WindowBatch(
            keypoints=batch["keypoints"],
            keypoints_3d=batch["keypoints_3d"],
            intrinsics=batch["intrinsics"],
            down=batch.get("down"),
            aspect=batch.get("aspect"),
            unknown=batch.get("unknown"),
            unknown_3d=batch.get("unknown_3d"),
        )
        views = self._vary(views, self._augmentations, training)
        absolute, root = views.keypoints_3d, self.keypoint_set.root
        poses = root_relative(absolute, root)
        whole = self._seen(views, poses)
        masked = self._masked(views, None if training else data["window"].tolist())
        if masked is not None:
            inputs = whole.masked_fill(masked[..., None], torch.nan)
        else:
            inputs = whole if training else whole.clone()  # mmpose's flip test writes into what it is given

        middle = poses.shape[1] // 2
        sample = PoseDataSample(metainfo=dict(flip_indices=list(self.keypoint_set.flip_indices), target_frame=middle))
        true = views.keypoints if views.true_keypoints is None else views.true_keypoints
        labels = InstanceData(lifting_target_label=poses, keypoints_label=true, **self._more_labels(views))
        if views.unknown is not None:
            labels.keypoints_weight = (~views.unknown).to(poses.dtype)
        targets = dict(lifting_target=poses, masked=masked, **self._more_targets(inputs))
        if views.unknown_3d is not None:
            labels.lifting_target_weight = (~views.unknown_3d).to(poses.dtype)
            targets["lifting_target_visible"] = ~views.unknown_3d
        if "padding" in batch:
            real = ~batch["padding"][..., None].expand(poses.shape[:3])
            targets["lifting_target_visible"] = real & targets.get("lifting_target_visible", True)
        else:
            targets = {name: value if value is None else value[:, middle] for name, value in targets.items()}
        sample.gt_instance_labels = labels
        sample.gt_instances = InstanceData(
            keypoints=views.keypoints[:, middle],
            intrinsics=views.intrinsics,
            root_depth=absolute[:, middle, root, 2],
            **{name: value for name, value in targets.items() if value is not None},
            **{name: batch[name] for name in ("action", "window", "sequence") if name in batch},
        )
        if "frame" in data:  # (B,), or (B, T) of a chunk
            sample.gt_instances.frame = data["frame"].to(poses.device, non_blocking=True)
        return dict(inputs=inputs, data_samples=[sample])

    def _seen(self, views: WindowBatch, poses: Tensor) -> Tensor:
        """What the model takes, (B, T, K, 2); poses: (B, T, K, 3) m, root-relative."""
        return views.keypoints

    def _unknown(self, views: WindowBatch) -> tuple[Tensor | None, ...]:
        """Masks (B, T, K) of what cannot be shown of that."""
        return views.unknown, views.missed

    def _more_targets(self, inputs: Tensor) -> dict[str, Tensor]:
        """Further fields of `gt_instances`, (B, T, K, ...); inputs: as the model takes them."""
        return {}

    def _more_labels(self, views: WindowBatch) -> dict[str, Tensor]:
        """Further labels of all frames."""
        return {}

    def _masked(self, views: WindowBatch, windows: list[int] | None) -> Tensor | None:
        """(B, T, K) bool, what the model does not get to see; None where that is nothing. windows: as `draw_masks`."""
        if not self.mask_unknown:
            return None
        masks = [mask for mask in self._unknown(views) if mask is not None]
        if self._draw is not None:
            drawn = self.draw_masks(self._draw, views.keypoints_3d.shape[:3], windows)
            cells = masked_cells(drawn, len(self.keypoint_set))
            masks += [] if cells is None else [cells]
        return torch.stack(masks).any(0) if masks else None
