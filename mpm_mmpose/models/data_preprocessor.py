"""Batches of windows to network inputs: device, flip, root-relative 3D, masks.

A batch is what `PoseWindowDataset` or `MaskedPoseDataset` cuts: a dict of batched tensors. Nothing here asks the
device for a value, so the host can run ahead of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.dist import get_rank
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from ..geometry import root_relative
from ..keypoints import get_keypoint_set
from ..masking import MASK_STRATEGIES, Masks, stream_generator

TRAINING_STREAM, VALIDATION_STREAM = 0, 1


class _WindowPreprocessor(BaseDataPreprocessor):
    """Moves windows to the device and mirrors random ones in training, from an own random stream.

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

    def _draw_flips(self, batch: int, training: bool) -> Tensor | None:
        """(B,) bool: which samples to mirror; None where none is."""
        if not (self.flip and training):
            return None
        return torch.rand(batch, generator=self.generator, device=self.generator.device) < 0.5

    def _mirror(self, poses: Tensor, flips: Tensor | None) -> Tensor:
        """Negate x and swap left and right where flips is True; normalised or camera space, (B, T, K, 2 or 3)."""
        if flips is None:
            return poses
        mirrored = poses.index_select(-2, self.flip_indices)
        mirrored = torch.cat([-mirrored[..., :1], mirrored[..., 1:]], dim=-1)
        return torch.where(flips[:, None, None, None], mirrored, poses)


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
    """

    fields = {
        "keypoints": (None, "K", 2),
        "keypoints_3d": (None, "K", 3),
        "intrinsics": (9,),
        "action": (),
        "window": (),
    }

    def __init__(self, flip: bool = False, seed: int = 0, keypoint_set: str = "h36m_17") -> None:
        super().__init__(flip, seed, keypoint_set)
        # The mirrored camera has its principal point cx and tangential distortion p1 on the other side.
        signs = torch.tensor([1.0, 1, -1, 1, 1, 1, 1, -1, 1])
        self.register_buffer("intrinsics_signs", signs, persistent=False)

    def forward(self, data: Mapping[str, Tensor], training: bool = False) -> dict:
        """Batch of windows to `inputs` and `data_samples`; see the class."""
        batch = self._take(data)
        flips = self._draw_flips(len(batch["window"]), training)
        inputs = self._mirror(batch["keypoints"], flips)
        absolute = self._mirror(batch["keypoints_3d"], flips)
        intrinsics = batch["intrinsics"]
        if flips is not None:
            intrinsics = torch.where(flips[:, None], intrinsics * self.intrinsics_signs, intrinsics)

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

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) metres, absolute or root-relative.
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
    """

    fields = {"keypoints": (None, "K", 2), "keypoints_3d": (None, "K", 3)}

    def __init__(
        self,
        masking: Mapping | None = None,
        flip: bool = True,
        seed: int = 0,
        keypoint_set: str = "h36m_17",
    ) -> None:
        super().__init__(flip, seed, keypoint_set)
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
        poses_2d = self._mirror(batch["keypoints"], self._draw_flips(len(batch["keypoints"]), training))
        poses_3d = root_relative(batch["keypoints_3d"])
        poses_3d = self._mirror(poses_3d, self._draw_flips(len(poses_3d), training))
        inputs = dict(
            poses_2d=poses_2d,
            masks_2d=self._masks(poses_2d, stream),
            poses_3d=poses_3d,
            masks_3d=self._masks(poses_3d, stream),
        )
        return dict(inputs=inputs, data_samples=None)
