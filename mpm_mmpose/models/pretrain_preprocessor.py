"""Batches of 2D and of 3D windows to the masked inputs of pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmpose.registry import MODELS
from torch import Tensor

from ..augmentation.pipeline import NEED_3D, read_augmentations
from ..augmentation.window_batch import WindowBatch
from ..masking import Masks
from ..pose.geometry import root_relative
from .window_preprocessor import TEST_STREAM, WindowPreprocessor, read_masking


@MODELS.register_module()
class PretrainPreprocessor(WindowPreprocessor):
    """Unpaired 2D and 3D windows to the masked inputs of `MaskedPoseEstimator`.

    Batch in: keypoints (B, T, K, 2) normalised; keypoints_3d (B, T, K, 3) metres, absolute or root-relative; to make
    2D from 3D, or to lift it, also what it was projected from, source_3d (B, T, K, 3) camera space, metres, and
    intrinsics (B, 9); unknown_source (B, T, K) bool of it.
    Where the batch has them: down, down_3d (B, 3) and aspect (B,) for the augmentations; unknown, unknown_3d (B, T, K)
    bool, keypoints that a data set does not know.
    Out: inputs = dict(poses_2d, target_2d, masks_2d, known_2d, and the same of 3D; with source_3d also target_lift and
    known_lift, the 3D of the 2D windows); data_samples=None. 3D is
    root-relative in metres. Poses are whole; targets are the same but for a detector's errors, which they have not.
    Masks are `Masks`; what a data set does not know is masked on top of the strategy's choice and False in known_2d or
    known_3d (B, T, K), which are None where nothing is unknown.
    2D and 3D have independent masks and flips. In training both come from the stream of this rank; otherwise nothing is
    flipped, and each window, by its number in the batch's field window (B,), or by its place where a batch has none,
    draws its masks from a stream of its own, so that two validations of one model give the same figure.
    Raises KeyError or ValueError that names a missing or wrongly shaped field. Source: paper, section 3.2.

    Args:
        masking: Strategy by name (`type`, see `MASK_STRATEGIES`) and its arguments.
        flip: Mirror random samples (probability 0.5) in training.
        seed: Of the random streams.
        keypoint_set: Name of the keypoint set of the windows.
        augmentations_2d: For 2D in training, in this order, by name (`type`, see `AUGMENTATIONS`) with their arguments.
            What is missed is masked in masks_2d on top of the strategy's.
        augmentations_3d: The same for 3D, which has no camera: a virtual one turns it.
        modalities: What to take from a batch and give, of '2d' and '3d'; `MaskedPoseEstimator` sets its own.
    """

    optional_fields = {
        "unknown": (None, "K"),
        "unknown_3d": (None, "K"),
        "down": (3,),
        "down_3d": (3,),
        "aspect": (),
        "window": (),
        "source_3d": (None, "K", 3),
        "unknown_source": (None, "K"),
        "intrinsics": (9,),
    }

    def __init__(
        self,
        masking: Mapping | None = None,
        flip: bool = True,
        seed: int = 0,
        keypoint_set: str = "h36m_17",
        augmentations_2d: Sequence[Mapping] = (),
        augmentations_3d: Sequence[Mapping] = (),
        modalities: Sequence[str] = ("2d", "3d"),
    ) -> None:
        super().__init__(flip, seed, keypoint_set)
        self._augmentations_2d = read_augmentations("augmentations_2d", augmentations_2d)
        self._augmentations_3d = read_augmentations("augmentations_3d", augmentations_3d)
        if not modalities or set(modalities) - {"2d", "3d"}:
            raise ValueError(f"modalities is {modalities}; give one or both of '2d', '3d'")
        self.modalities = tuple(modalities)
        poses = {"2d": ("keypoints", (None, "K", 2)), "3d": ("keypoints_3d", (None, "K", 3))}
        self.fields = dict(poses[modality] for modality in self.modalities)
        if any(augment.func in NEED_3D for augment in self._augmentations_2d):
            self.fields = self.fields | {"source_3d": (None, "K", 3), "intrinsics": (9,)}
        masking = masking or dict(type="spatio_temporal", masked_keypoints=5, frame_ratio=0.6)
        self._draw = read_masking(masking, self.keypoint_set)

    def _masks(self, poses: Tensor, windows: Sequence[int] | None, stream: int, *others: Tensor | None) -> Masks:
        masks = self.draw_masks(self._draw, poses.shape[:3], windows, stream)
        for also in others:
            if also is not None:
                masked = masks.keypoint_mask
                masks = masks._replace(keypoint_mask=also if masked is None else masked | also)
        return masks

    def forward(self, data: Mapping[str, Tensor], training: bool = False) -> dict:
        """Batch of windows to `inputs`; see the class."""
        batch = self._take(data)
        views = {modality: self._views(batch, modality, training) for modality in self.modalities}
        windows = None
        if not training:
            windows = data["window"].tolist() if "window" in data else range(len(batch[next(iter(self.fields))]))
        streams = {modality: TEST_STREAM + number for number, modality in enumerate(views)}
        inputs = {}
        if "2d" in views:
            view = views["2d"]
            inputs |= dict(
                poses_2d=view.keypoints,
                target_2d=view.keypoints if view.true_keypoints is None else view.true_keypoints,
                masks_2d=self._masks(view.keypoints, windows, streams["2d"], view.missed, view.unknown),
                known_2d=_not(view.unknown),
            )
            if "source_3d" in batch:
                lift = root_relative(view.keypoints_3d, self.keypoint_set.root)
                inputs |= dict(target_lift=lift, known_lift=_not(view.unknown_3d))
        if "3d" in views:
            view = views["3d"]
            poses = root_relative(view.keypoints_3d, self.keypoint_set.root)
            inputs |= dict(
                poses_3d=poses,
                target_3d=poses,
                masks_3d=self._masks(poses, windows, streams["3d"], view.missed, view.unknown_3d),
                known_3d=_not(view.unknown_3d),
            )
        return dict(inputs=inputs, data_samples=None)

    def _views(self, batch: Mapping[str, Tensor], modality: str, training: bool) -> WindowBatch:
        if modality == "2d":
            views = WindowBatch(
                keypoints=batch["keypoints"],
                keypoints_3d=batch.get("source_3d"),
                intrinsics=batch.get("intrinsics"),
                down=batch.get("down"),
                aspect=batch.get("aspect"),
                unknown=batch.get("unknown"),
                unknown_3d=batch.get("unknown_source"),
            )
            return self._vary(views, self._augmentations_2d, training)
        views = WindowBatch(
            keypoints_3d=root_relative(batch["keypoints_3d"], self.keypoint_set.root),
            down=batch.get("down_3d"),
            unknown_3d=batch.get("unknown_3d"),
        )
        return self._vary(views, self._augmentations_3d, training)


def _not(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else ~mask
