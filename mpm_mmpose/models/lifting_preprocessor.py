"""Batches of windows to inputs and targets of lifting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..augmentation import read_augmentations
from ..geometry import root_relative
from ..views import Views
from .window_preprocessor import WindowPreprocessor


@MODELS.register_module()
class LiftingPreprocessor(WindowPreprocessor):
    """Windows to inputs and targets of a `PoseLifter`; the batch travels as one PoseDataSample of B instances.

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) camera space, metres; intrinsics (B, 9)
    normalised; action, window (B,); where the batch has them, sequence, frame (B,), down (B, 3), aspect (B,), and
    lacking_3d (B, T, K) bool.
    Out: inputs (B, T, K, 2) normalised; `gt_instance_labels.lifting_target_label` (B, T, K, 3) root-relative, metres;
    `gt_instances`, all of the target frame, which is the centre one: lifting_target (B, K, 3) root-relative, metres;
    keypoints (B, K, 2) normalised; intrinsics (B, 9); root_depth (B,) metres; action, window, sequence, frame (B,).
    What the data set lacks has no weight, lifting_target_weight (B, T, K), and lifting_target_visible (B, K) False.
    Metainfo: flip_indices, target_frame. Raises KeyError or ValueError that names a missing or wrongly shaped field.

    Args:
        flip: Mirror random samples (probability 0.5) in training.
        seed: Of the random stream; every rank has its own.
        keypoint_set: Name of the keypoint set of the windows.
        augmentations: For training, in this order, by name (`type`, see `AUGMENTATIONS`) with their arguments. None may
            hide keypoints, and scores are not passed on: a PoseLifter's model takes poses alone.
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
        "frame": (),
        "down": (3,),
        "aspect": (),
        "lacking_3d": (None, "K"),
    }

    def __init__(
        self,
        flip: bool = False,
        seed: int = 0,
        keypoint_set: str = "h36m_17",
        augmentations: Sequence[Mapping] = (),
    ) -> None:
        super().__init__(flip, seed, keypoint_set)
        self._augmentations = read_augmentations("augmentations", augmentations)
        for name in ("missed", "occluded"):
            if any(augment.keywords.get(name) for augment in self._augmentations):
                raise ValueError(
                    f"augmentations hide keypoints ({name}), but a lifting model takes no masks: leave it 0."
                )

    def forward(self, data: Mapping[str, Tensor], training: bool = False) -> dict:
        """Batch of windows to `inputs` and `data_samples`; see the class."""
        batch = self._take(data)
        views = Views(
            keypoints=batch["keypoints"],
            keypoints_3d=batch["keypoints_3d"],
            intrinsics=batch["intrinsics"],
            down=batch.get("down"),
            aspect=batch.get("aspect"),
            lacking=batch.get("lacking_3d"),
        )
        views = self._vary(views, self._augmentations, training)
        inputs, absolute = views.keypoints, views.keypoints_3d

        root, target_frame = self.keypoint_set.root, inputs.shape[1] // 2
        poses = root_relative(absolute, root)
        sample = PoseDataSample(
            metainfo=dict(flip_indices=list(self.keypoint_set.flip_indices), target_frame=target_frame)
        )
        sample.gt_instance_labels = InstanceData(lifting_target_label=poses)
        sample.gt_instances = InstanceData(
            lifting_target=poses[:, target_frame],
            # A copy: mmpose's flip test negates x in `inputs` itself.
            keypoints=inputs[:, target_frame].clone(),
            intrinsics=views.intrinsics,
            root_depth=absolute[:, target_frame, root, 2],
            **{name: batch[name] for name in ("action", "window", "sequence", "frame") if name in batch},
        )
        if views.lacking is not None:
            sample.gt_instance_labels.lifting_target_weight = (~views.lacking).to(poses.dtype)
            sample.gt_instances.lifting_target_visible = ~views.lacking[:, target_frame]
        return dict(inputs=inputs, data_samples=[sample])
