"""What pre-training asks a decoder for, and how far it is off: poses as in the paper, or whitened ones."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..masking import Masks, masked_cells
from .losses import mean_distance
from .whitening import Whitening, place_and_size, white_distance

#: Coordinates of a keypoint, by kind of pose.
COORDINATES = {"2d": 2, "3d": 3}


class PoseTargets(nn.Module):
    """Decoders give poses; the error is the mean distance of keypoints (paper section 3.2).

    Args:
        loss_on: 'all' keypoints of all frames (as released) or only the 'masked' ones.
    """

    def __init__(self, loss_on: str = "all") -> None:
        super().__init__()
        if loss_on not in ("all", "masked"):
            raise ValueError(f"loss_on must be 'all' or 'masked', got {loss_on!r}")
        self.loss_on = loss_on

    def error(self, kind: str, decoded: Tensor, target: Tensor, masks: Masks, known: Tensor | None) -> Tensor:
        """Mean distance of decoded and target poses (B, T, K, D); known: (B, T, K) bool or None, what counts."""
        if self.loss_on == "all":
            return mean_distance(decoded, target, known)
        masked = masked_cells(masks, target.shape[2])
        if masked is None:
            raise ValueError("loss_on='masked', but neither frames nor keypoints are masked")
        return mean_distance(decoded, target, masked if known is None else masked & known)

    def poses(self, kind: str, decoded: Tensor, shown: Tensor, masks: Masks) -> Tensor:
        """The poses (B, T, K, D) that a decoder means."""
        return decoded

    @staticmethod
    def log(task: str, error: Tensor) -> dict[str, Tensor]:
        """The error of a task, '2d', '3d' or 'lift', by a name that says its unit."""
        if task == "2d":
            return {"error_2d": error}
        return {{"3d": "error_3d_mm", "lift": "error_lift_mm"}[task]: error * 1000}


class WhitenedTargets(nn.Module):
    """Decoders give a pose's white numbers: along all principal directions of the training data poses vary alike.

    2D is relative to its window's place and in units of its size, both of what is visible: recovering these teaches
    where people stand and how large they are in the image, which is nine tenths of the variance of 2D and no help for
    lifting. Statistics come from :class:`TrainingStatisticsHook` and are buffers.

    Args:
        kinds: of '2d' and '3d'.
        num_keypoints: K.
    """

    def __init__(self, kinds: Sequence[str], num_keypoints: int) -> None:
        super().__init__()
        self.white = nn.ModuleDict({f"poses_{kind}": Whitening(num_keypoints * COORDINATES[kind]) for kind in kinds})

    def read_statistics(self, poses_2d: Tensor | None, poses_3d: Tensor | None) -> None:
        """Fit to poses (N, T, K, D), 2D normalised and 3D root-relative m."""
        if poses_2d is not None and "poses_2d" in self.white:
            place, size = place_and_size(poses_2d, None)
            self.white["poses_2d"].fit(((poses_2d - place) / size).flatten(0, 1))
        if poses_3d is not None and "poses_3d" in self.white:
            self.white["poses_3d"].fit(poses_3d.flatten(0, 1))

    def error(self, kind: str, decoded: Tensor, target: Tensor, masks: Masks, known: Tensor | None) -> Tensor:
        """Root mean square of white errors, its mean over frames; frames with an unknown keypoint do not count."""
        if kind == "2d":
            place, size = place_and_size(target, masked_cells(masks, target.shape[2]))
            target = (target - place) / size
        frames = None if known is None else known.all(-1)
        return white_distance(decoded.flatten(2), self.white[f"poses_{kind}"](target), frames)

    def poses(self, kind: str, decoded: Tensor, shown: Tensor, masks: Masks) -> Tensor:
        """The poses (B, T, K, D) that a decoder means; shown: those it was shown the visible part of."""
        poses = self.white[f"poses_{kind}"].back(decoded.flatten(2), COORDINATES[kind])
        if kind != "2d":
            return poses
        place, size = place_and_size(shown, masked_cells(masks, shown.shape[2]))
        return poses * size + place

    @staticmethod
    def log(task: str, error: Tensor) -> dict[str, Tensor]:
        """The error of a task, '2d', '3d' or 'lift', by name; 1 is as far off as the mean pose."""
        return {{"2d": "white_error_2d", "3d": "white_error_3d", "lift": "white_error_lift"}[task]: error}
