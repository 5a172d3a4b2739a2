"""What the heads of stage II learn from: labels of a batch in one data sample, or in mmpose's list of samples."""

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor


def read_labels(
    samples: list[PoseDataSample], batch: int, num_frames: int, num_keypoints: int
) -> tuple[Tensor, Tensor | None]:
    """Return labels (B, T or 1, K, 3) metres and weights (B, T or 1, K), None where there are none.

    Raises:
        ValueError: if labels are missing or of another shape.
    """
    labels = gather_labels(samples, "lifting_target_label", 4)
    if labels is None:
        raise ValueError("data_samples: gt_instance_labels has no lifting_target_label")
    expected = (batch, num_keypoints, 3)
    shape = tuple(labels.shape)
    if len(shape) != 4 or shape[:1] + shape[2:] != expected or shape[1] not in (1, num_frames):
        raise ValueError(
            f"lifting_target_label: expected ({batch}, {num_frames} or 1, {num_keypoints}, 3) for the batch, "
            f"got {shape}"
        )
    return labels.float(), gather_labels(samples, "lifting_target_weight", 3)


def centre_frame(labels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Label (B, K, 3) and weight (B, K) of the target frame, from (B, T or 1, K, 3) and (B, T or 1, K)."""
    centre = labels.shape[1] // 2
    return labels[:, centre], None if weights is None else weights[:, centre]


def gather_labels(samples: list[PoseDataSample], field: str, ndim: int) -> Tensor | None:
    """Return a label of the whole batch with ``ndim`` axes: that of the one sample, or those of the list stacked."""
    labels = [getattr(sample, "gt_instance_labels", {}) for sample in samples]
    if any(field not in label for label in labels):
        return None
    values = [label.get(field) for label in labels]
    return values[0] if len(values) == 1 and values[0].ndim == ndim else torch.stack(values)


def is_packed(sample: PoseDataSample, batch: int) -> bool:
    """Tell whether one data sample stands for a whole batch."""
    label = getattr(sample, "gt_instance_labels", {}).get("lifting_target_label")
    return batch > 1 if label is None else label.ndim == 4
