"""A checkpoint as it is given away: the weights in half precision and what they are, and nothing of the training."""

from __future__ import annotations

from pathlib import Path

import torch

from ..apis.model_index import build_lifter
from ..atomic_file import write_atomically
from ..checkpoints.model_description import FIELD
from ..errors import UsageError


def write_weights(config: str | Path | None, checkpoint: str | Path, out: str | Path, size: float = 1.0) -> None:
    """Write the weights of a checkpoint, and the model's description, to ``out``, as a whole or not at all.

    config: of the training; None where the checkpoint says what it is. Weights are float16 and become float32 again
    where they are loaded; whole numbers stay. size: people are made that much larger than the model learned, see
    :meth:`~mpm_mmpose.models.sequence_head.PersonSequenceHead.resize`. Raises UsageError where a model cannot, else as
    :func:`build_lifter`.
    """
    model = build_lifter(config, checkpoint, "cpu")
    if size != 1.0:
        if not hasattr(model.head, "resize"):
            raise UsageError(f"{checkpoint}: only models that see the person (PersonSequenceHead) can be given a size")
        model.head.resize(size)
    description = model.description
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in model.state_dict().items()
        if not name.startswith("data_preprocessor.")
    }
    meta = {
        FIELD: description.to_meta(),
        "dataset_meta": dict(keypoint_set=description.keypoint_set, fps=description.fps),
    }
    write_atomically(out, lambda path: torch.save(dict(meta=meta, state_dict=state), path))
