"""Batches of windows to inputs and targets of stage II: completion of partial 3D."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor

from ..augmentation.window_batch import WindowBatch
from .lifting_preprocessor import LiftingPreprocessor


@MODELS.register_module()
class CompletionPreprocessor(LiftingPreprocessor):
    """As :class:`LiftingPreprocessor`, for models that take 3D and complete it.

    Out: inputs (B, T, K, 3) root-relative metres, NaN where masked; `gt_instances` also has given (B, K, 3), the input
    of the target frame, or (B, T, K, 3) of all frames with batches of `PoseChunkDataset`.
    """

    def _seen(self, views: WindowBatch, poses: Tensor) -> Tensor:
        return poses

    def _unknown(self, views: WindowBatch) -> tuple[Tensor | None, ...]:
        return (views.unknown_3d,)

    def _more_targets(self, inputs: Tensor) -> dict[str, Tensor]:
        return dict(given=inputs.clone())
