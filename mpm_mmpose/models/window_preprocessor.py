"""What lifting and pre-training do alike with a batch of windows: device, checks, flip, augmentation.

A batch is what `PoseWindowDataset` or `MaskedPoseDataset` cuts: a dict of batched tensors. Nothing here asks the
device for a value, so the host can run ahead of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from mmengine.dist import get_rank
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ..augmentation.window_batch import WindowBatch, mirror
from ..masking import MASK_STRATEGIES, Masks, join_masks, stream_generator
from ..pose.keypoints import KeypointSet, get_keypoint_set

TRAINING_STREAM, TEST_STREAM = 0, 1


class WindowPreprocessor(BaseDataPreprocessor):
    """Moves windows to the device, mirrors random ones and augments all in training, from an own random stream.

    The stream is seeded from (seed, rank) and lives on the model's device; `get_rng_state` and `set_rng_state` let a
    resumed run go on where the stopped one was.
    """

    # Fields a batch must have: name -> trailing sizes, of which None is any size and 'K' the keypoints of the set.
    fields: dict[str, tuple[int | str | None, ...]] = {}
    # Fields that are used where a batch has them.
    optional_fields: dict[str, tuple[int | str | None, ...]] = {}

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

    def draw_masks(
        self,
        draw: Callable[..., Masks],
        shape: Sequence[int],
        windows: Sequence[int] | None = None,
        stream: int = TEST_STREAM,
    ) -> Masks:
        """Masks of a batch of windows (B, T, K) by a strategy; from the training stream where ``windows`` is None.

        In a test ``windows`` are the numbers of the windows in their data set. Each has a random stream of its own, so
        that what is masked of it depends neither on the batch it comes in nor on rank or device, and training stays
        undisturbed.
        """
        if windows is None:
            return draw(*shape, generator=self.generator)
        each = (stream_generator("cpu", self.seed, int(window), stream) for window in windows)
        return join_masks([draw(1, *shape[1:], generator=generator) for generator in each], self.device)

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
        present = {name: shape for name, shape in self.optional_fields.items() if name in batch}
        for name, shape in (self.fields | present).items():
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
        return self.cast_data({name: batch[name] for name in (*self.fields, *present)})

    def _vary(self, views: WindowBatch, augmentations: list[partial[WindowBatch]], training: bool) -> WindowBatch:
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


def read_masking(config: Mapping | None, keypoint_set: KeypointSet) -> Callable[..., Masks] | None:
    """A strategy of ``MASK_STRATEGIES``, to be called with (batch, frames, keypoints, generator), of its config.

    config: ``dict(type=..., **arguments)``; names of keypoints and limbs in its ``patterns`` become indices.
    Raises ValueError where the type is not known, KeyError where a name is not one of the keypoint set.
    """
    if config is None:
        return None
    arguments = dict(config)
    strategy = arguments.pop("type", None)
    if strategy not in MASK_STRATEGIES:
        raise ValueError(f"masking has type={strategy!r}; choose one of {sorted(MASK_STRATEGIES)}.")
    if "patterns" in arguments:
        arguments["patterns"] = [
            pattern if isinstance(pattern, int) else keypoint_set.indices_of(pattern)
            for pattern in arguments["patterns"]
        ]
    return partial(MASK_STRATEGIES[strategy], **arguments)
