"""What the heads of stage II do alike to predict the poses of a batch that travels in one sample."""

from collections.abc import Callable

from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor


def mean_over_flips(
    decode: Callable[[Tensor], Tensor], feats: Tensor | list[Tensor], samples: list[PoseDataSample], test_cfg: dict
) -> Tensor:
    """Decode tokens; with test_cfg's flip_test those of the plain and of the mirrored input, and take the mean.

    Raises:
        ValueError: if flip_indices are missing, or shift_coords=False, which is not a mirror of normalised coordinates.
    """
    if not test_cfg.get("flip_test", False):
        return decode(feats)
    flip_indices = samples[0].metainfo.get("flip_indices")
    if flip_indices is None or not test_cfg.get("shift_coords", True):
        raise ValueError("flip_test needs flip_indices in the metainfo of the data samples, and shift_coords=True")
    plain, mirrored = (decode(x) for x in feats)
    return (plain + mirrored[..., flip_indices, :] * mirrored.new_tensor([-1, 1, 1])) / 2


def packed_poses(poses: Tensor, root: int) -> InstanceData:
    """Poses (B, ..., K, 3) of a whole batch as instances, in float32, the root at 0, every score 1."""
    poses = poses.float()
    poses[..., root, :] = 0
    return InstanceData(keypoints=poses, keypoint_scores=poses.new_ones(poses.shape[:-1]))


def packed_field(samples: list[PoseDataSample], name: str) -> Tensor | None:
    """A field of gt_instances of a batch in one sample, None where it has none."""
    return getattr(samples[0], "gt_instances", {}).get(name) if len(samples) == 1 else None
