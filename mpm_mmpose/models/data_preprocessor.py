"""Batches of windows to network inputs: device, flip, augmentation, root-relative 3D, masks.

A batch is what `PoseWindowDataset` or `MaskedPoseDataset` cuts: a dict of batched tensors. Nothing here asks the
device for a value, so the host can run ahead of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from mmengine.dist import get_rank
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..augmentation import NEED_3D, read_augmentations
from ..geometry import root_relative
from ..keypoints import get_keypoint_set
from ..masking import MASK_STRATEGIES, Masks, stream_generator
from ..views import Views, mirror

TRAINING_STREAM, VALIDATION_STREAM = 0, 1


class _WindowPreprocessor(BaseDataPreprocessor):
    """Moves windows to the device, mirrors random ones and augments all in training, from an own random stream.

    The stream is seeded from (seed, rank) and lives on the model's device; `get_rng_state` and `set_rng_state` let a
    resumed run go on where the stopped one was.
    """

    # Fields a batch must have: name -> trailing sizes, of which None is any size and 'K' the keypoints of the set.
    fields: dict[str, tuple[int | str | None, ...]] = {}

    def __init__(self, flip: bool, seed: int, keypoint_set: str) -> None:
        # Non-blocking copies overlap with computation where the loader pins memory, and are ordinary ones elsewhere.
        super().__init__(non_blocking=True)
        self.flip, self.seed = flip, seed
        self.keypoint_set = get_keypoint_set(keypoint_set)
        # Not persistent: a checkpoint holds weights, not what a config says.
        self.register_buffer("flip_indices", torch.tensor(self.keypoint_set.flip_indices), persistent=False)
        self._stream: torch.Generator | None = None
        self._stream_device: torch.device | str | None = None

    @property
    def generator(self) -> torch.Generator:
        """The training stream on the current device; made on first use, when device and rank are known."""
        if self._stream is None or self._stream_device != self.device:
            self._stream = stream_generator(self.device, self.seed, get_rank(), TRAINING_STREAM)
            self._stream_device = self.device
        return self._stream

    def get_rng_state(self) -> Tensor:
        """State of the training stream of this rank, a ByteTensor on the CPU."""
        return self.generator.get_state()

    def set_rng_state(self, state: Tensor) -> None:
        """Continue the training stream of this rank from a state that `get_rng_state` gave on the same kind of device.

        Raises ValueError where the state is of another kind of device.
        """
        expected = self.generator.get_state()
        if state.dtype != torch.uint8 or state.shape != expected.shape:
            raise ValueError(
                f"The random state of the data preprocessor ({tuple(state.shape)}, {state.dtype}) is not one of a "
                f"{self.generator.device.type} generator ({tuple(expected.shape)}, uint8): it was saved on another "
                "kind of device. Resume there, or start a new run with load_from instead of resume."
            )
        self.generator.set_state(state.cpu())

    def _take(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The fields of the batch, checked and on the device."""
        sizes = {"K": len(self.keypoint_set.names)}
        for name, shape in self.fields.items():
            if name not in batch:
                raise KeyError(
                    f"{type(self).__name__} needs the field '{name}', but the batch has only {sorted(batch)}. Check "
                    "`modalities` of the data set and that its loader has `collate_fn=dict(type='keep_batch')`."
                )
            expected = [sizes.get(size, size) for size in shape]
            given = list(batch[name].shape[1:])
            if len(given) != len(expected) or any(e not in (None, g) for e, g in zip(expected, given, strict=True)):
                wanted = ", ".join(["B", *("T" if size is None else str(size) for size in expected)])
                raise ValueError(
                    f"Field '{name}' has shape {tuple(batch[name].shape)}, but {type(self).__name__} with "
                    f"keypoint_set='{self.keypoint_set.name}' needs ({wanted}). "
                    "Give data set and preprocessor the same keypoint_set."
                )
        return self.cast_data({name: batch[name] for name in self.fields})

    def _vary(self, views: Views, augmentations: list[partial[Views]], training: bool) -> Views:
        """Mirror random samples, then augment, in training only."""
        if not training:
            return views
        if self.flip:
            batch = len(next(value for value in views if value is not None))
            flips = torch.rand(batch, generator=self.generator, device=self.generator.device) < 0.5
            views = mirror(views, flips, self.flip_indices)
        for augment in augmentations:
            views = augment(views, self.keypoint_set, generator=self.generator)
        return views


@MODELS.register_module()
class LiftingPreprocessor(_WindowPreprocessor):
    """Windows to inputs and targets of a `PoseLifter`; the batch travels as one PoseDataSample of B instances.

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) camera space, metres; intrinsics (B, 9)
    normalised; action, window (B,).
    Out: inputs (B, T, K, 2) normalised; `gt_instance_labels.lifting_target_label` (B, T, K, 3) root-relative, metres;
    `gt_instances`, all of the target frame, which is the centre one: lifting_target (B, K, 3) root-relative, metres;
    keypoints (B, K, 2) normalised; intrinsics (B, 9); root_depth (B,) metres; action, window (B,).
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
        views = Views(batch["keypoints"], batch["keypoints_3d"], batch["intrinsics"])
        inputs, absolute, intrinsics, *_ = self._vary(views, self._augmentations, training)

        target_frame = inputs.shape[1] // 2
        poses = root_relative(absolute)
        sample = PoseDataSample(
            metainfo=dict(flip_indices=list(self.keypoint_set.flip_indices), target_frame=target_frame)
        )
        sample.gt_instance_labels = InstanceData(lifting_target_label=poses)
        sample.gt_instances = InstanceData(
            lifting_target=poses[:, target_frame],
            # A copy: mmpose's flip test negates x in `inputs` itself.
            keypoints=inputs[:, target_frame].clone(),
            intrinsics=intrinsics,
            root_depth=absolute[:, target_frame, 0, 2],
            action=batch["action"],
            window=batch["window"],
        )
        return dict(inputs=inputs, data_samples=[sample])


@MODELS.register_module()
class PretrainPreprocessor(_WindowPreprocessor):
    """Unpaired 2D and 3D windows to the masked inputs of `MaskedPoseEstimator`.

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) metres, absolute or root-relative; to make
    2D from 3D also what it was projected from, source_3d (B, T, K, 3) camera space, metres, and intrinsics (B, 9).
    Out: inputs = dict(poses_2d, masks_2d, poses_3d, masks_3d), 3D root-relative in metres, masks as `Masks`;
    data_samples=None. The poses are whole: they are input and target in one.
    2D and 3D have independent masks and flips. In training both come from the stream of this rank; otherwise nothing is
    flipped, and every batch draws its masks from the same fresh stream, whatever the rank, so that two validations of
    one model give the same figure and leave training undisturbed.
    Raises KeyError or ValueError that names a missing or wrongly shaped field. Source: paper, section 3.2.

    Args:
        masking: Strategy by name (`type`, see `MASK_STRATEGIES`) and its arguments.
        flip: Mirror random samples (probability 0.5) in training.
        seed: Of the random streams.
        keypoint_set: Name of the keypoint set of the windows.
        augmentations_2d: For 2D in training, in this order, by name (`type`, see `AUGMENTATIONS`) with their arguments.
            What is missed is hidden in masks_2d on top of the strategy's; a detector's errors are in the target, too.
        augmentations_3d: The same for 3D, which has no camera: a virtual one turns it.
    """

    fields = {"keypoints": (None, "K", 2), "keypoints_3d": (None, "K", 3)}

    def __init__(
        self,
        masking: Mapping | None = None,
        flip: bool = True,
        seed: int = 0,
        keypoint_set: str = "h36m_17",
        augmentations_2d: Sequence[Mapping] = (),
        augmentations_3d: Sequence[Mapping] = (),
    ) -> None:
        super().__init__(flip, seed, keypoint_set)
        self._augmentations_2d = read_augmentations("augmentations_2d", augmentations_2d)
        self._augmentations_3d = read_augmentations("augmentations_3d", augmentations_3d)
        if any(augment.func in NEED_3D for augment in self._augmentations_2d):
            self.fields = self.fields | {"source_3d": (None, "K", 3), "intrinsics": (9,)}
        arguments = dict(masking or dict(type="spatio_temporal", hidden_keypoints=5, frame_ratio=0.6))
        strategy = arguments.pop("type", None)
        if strategy not in MASK_STRATEGIES:
            raise ValueError(f"masking has type={strategy!r}; choose one of {sorted(MASK_STRATEGIES)}.")
        self._draw, self._masking = MASK_STRATEGIES[strategy], arguments

    def _masks(self, poses: Tensor, generator: torch.Generator) -> Masks:
        return self._draw(*poses.shape[:3], generator=generator, **self._masking)

    def forward(self, data: Mapping[str, Tensor], training: bool = False) -> dict:
        """Batch of windows to `inputs`; see the class."""
        batch = self._take(data)
        stream = self.generator if training else stream_generator(self.device, self.seed, 0, VALIDATION_STREAM)
        views_2d = Views(batch["keypoints"], batch.get("source_3d"), batch.get("intrinsics"))
        views_2d = self._vary(views_2d, self._augmentations_2d, training)
        views_3d = Views(keypoints_3d=root_relative(batch["keypoints_3d"]))
        views_3d = self._vary(views_3d, self._augmentations_3d, training)
        poses_2d, poses_3d = views_2d.keypoints, root_relative(views_3d.keypoints_3d)
        masks_2d = self._masks(poses_2d, stream)
        if views_2d.missed is not None:
            hidden, missed = masks_2d.keypoint_mask, views_2d.missed
            masks_2d = masks_2d._replace(keypoint_mask=missed if hidden is None else hidden | missed)
        inputs = dict(poses_2d=poses_2d, masks_2d=masks_2d, poses_3d=poses_3d, masks_3d=self._masks(poses_3d, stream))
        return dict(inputs=inputs, data_samples=None)
