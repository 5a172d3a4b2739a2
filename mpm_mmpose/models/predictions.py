"""What the heads of stage II do alike to predict the poses of a batch that travels in one sample."""

from collections.abc import Callable, Mapping

from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from .labels import is_packed


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


def predicted_instances(
    predict: Callable[[str], Tensor], samples: list[PoseDataSample], test_cfg: Mapping, root: int
) -> list[InstanceData]:
    """Instances of the poses that test_cfg's output asks for: 'target', the default, or 'sequence'.

    predict: gives (B, K, 3) m for 'target', (B, T, K, 3) m for 'sequence'. Returns one InstanceData a data sample:
    keypoints (B, K, 3) or (B, T, K, 3) metres and keypoint_scores, tensors, for a batch in one sample; keypoints (1 or
    T, K, 3) and scores as numpy arrays, as mmpose's metrics want, for a list, root at target_root where samples have
    it.

    Raises:
        ValueError: if output is neither.
    """
    output = test_cfg.get("output", "target")
    if output not in ("target", "sequence"):
        raise ValueError(f"test_cfg: output is {output!r}; give 'target' or 'sequence'")
    instances = packed_poses(predict(output), root)
    if len(samples) == 1 and is_packed(samples[0], len(instances)):
        return [instances]
    keypoints, scores = instances.keypoints, instances.keypoint_scores
    if output == "target":
        keypoints, scores = keypoints[:, None], scores[:, None]
    return [
        # mmpose's codecs leave the ground truth in camera space and say where its root was.
        InstanceData(keypoints=pose + sample.metainfo.get("target_root", 0), keypoint_scores=score)
        for pose, score, sample in zip(keypoints.cpu().numpy(), scores.cpu().numpy(), samples, strict=True)
    ]


def packed_field(samples: list[PoseDataSample], name: str) -> Tensor | None:
    """A field of gt_instances of a batch in one sample, None where it has none."""
    return getattr(samples[0], "gt_instances", {}).get(name) if len(samples) == 1 else None
