import pytest
import torch
from mmpose.registry import MODELS

from mpm_mmpose.models import RayPreprocessor
from mpm_mmpose.pose.geometry import project

NOISE = dict(type="person_noise", jitter=0.01, missed=0.1)


def batch(size=6, frames=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    poses = 0.4 * torch.randn(size, frames, 17, 3, generator=generator) + torch.tensor([0.5, 0.2, 5.0])
    intrinsics = torch.tensor([2.3, 2.2, 0.1, -0.05, 0, 0, 0, 0, 0]).expand(size, 9)
    index = torch.arange(size)
    return dict(
        keypoints=project(poses, intrinsics), keypoints_3d=poses, intrinsics=intrinsics, action=index, window=index
    )


def test_inputs_are_rays_and_labels_say_where_the_person_stands():
    data = batch()
    out = RayPreprocessor()(data)
    poses = data["keypoints_3d"]
    torch.testing.assert_close(out["inputs"], poses[..., :2] / poses[..., 2:], atol=1e-5, rtol=0)
    labels = out["data_samples"][0].gt_instance_labels
    torch.testing.assert_close(labels.root_label, poses[:, :, 0])
    torch.testing.assert_close(labels.lifting_target_label, poses - poses[:, :, :1])


def test_training_batches_of_the_shipped_config_fit_together():
    """Rays of what is seen, moved by the noise alone, are those of the labels: pose and place."""
    from mmengine.config import Config

    config = Config.fromfile("configs/mpm/_base_/models/wild.py").model.data_preprocessor
    exact = [
        dict(one, strength=(0.01, 0.01), exchanged=0.0, outliers=0.0) if one.type == "person_noise" else one
        for one in config.augmentations
    ]
    preprocessor = MODELS.build(dict(config, augmentations=exact))
    data = batch(64)
    out = preprocessor(data | dict(down=torch.tensor([0.0, 1.0, 0.0]).expand(64, 3)), training=True)
    labels = out["data_samples"][0].gt_instance_labels
    seen = ~out["inputs"].isnan().any(-1)
    assert 0.3 < seen.float().mean() < 0.98
    # A guessed lens leaves x / z right for a flat person alone: compare the root, which is right by definition.
    root = labels.root_label[..., :2] / labels.root_label[..., 2:]
    error = (out["inputs"][:, :, 0] - root).norm(dim=-1)[seen[:, :, 0]]
    assert error.max() < 0.01


def test_what_was_missed_is_not_shown():
    preprocessor = RayPreprocessor(mask_unknown=True, augmentations=[NOISE])
    shown = preprocessor(batch(), training=True)["inputs"]
    assert 0.02 < shown.isnan().all(-1).float().mean() < 0.25
    assert torch.equal(shown.isnan().all(-1), shown.isnan().any(-1))
    assert not preprocessor(batch())["inputs"].isnan().any()  # in test nothing is made up
    with pytest.raises(ValueError, match="set mask_unknown=True"):
        RayPreprocessor(augmentations=[NOISE])
