import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mpm_mmpose.models import CompletionHead, LiftingPreprocessor, MPMBackbone
from mpm_mmpose.pose.keypoints import H36M_17

B, T, K, C = 2, 9, 17, 32
WIDTH = dict(channels=C, hidden_channels=48, num_heads=4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def sample_of(poses, **instances):
    labels = InstanceData(lifting_target_label=poses, keypoints_label=poses[..., :2] / 3)
    return PoseDataSample(
        metainfo=dict(flip_indices=list(H36M_17.flip_indices)),
        gt_instance_labels=labels,
        gt_instances=InstanceData(lifting_target=poses, **instances),
    )


def test_depth_and_decoders_as_released_for_completion():
    head = CompletionHead(T, **WIDTH)
    assert len(head.decoder_3d.layers) == 2 and not hasattr(head, "decoder_2d")
    both = CompletionHead(T, outputs=("2d", "3d"), **WIDTH).eval()
    feats = torch.randn(B, T, C)
    assert both(feats).shape == (B, T, K, 3) and both(feats, "2d").shape == (B, T, K, 2)


def test_losses_are_the_mean_distances_over_all_keypoints():
    head = CompletionHead(T, outputs=("2d", "3d"), loss_3d_weight=2.0, **WIDTH).eval()
    feats, poses = torch.randn(B, T, C), torch.randn(B, T, K, 3)
    losses = head.loss(feats, [sample_of(poses)])
    expected = (head(feats) - poses).norm(dim=-1).mean()
    torch.testing.assert_close(losses["loss_3d"], 2 * expected)
    torch.testing.assert_close(losses["mpjpe_mm"], 1000 * expected.detach())
    torch.testing.assert_close(losses["loss_2d"], (head(feats, "2d") - poses[..., :2] / 3).norm(dim=-1).mean())
    alone = CompletionHead(T, **WIDTH).eval()
    assert set(alone.loss(feats, [sample_of(poses)])) == {"loss_3d", "mpjpe_mm"}


def test_loss_leaves_out_what_has_no_weight():
    head = CompletionHead(T, **WIDTH).eval()
    feats, poses = torch.randn(B, T, C), torch.randn(B, T, K, 3)
    sample = sample_of(poses)
    weight = (torch.rand(B, T, K) < 0.5).float()
    sample.gt_instance_labels.lifting_target_weight = weight
    expected = (head(feats) - poses).norm(dim=-1)[weight > 0].mean()
    torch.testing.assert_close(head.loss(feats, [sample])["loss_3d"], expected)


def test_loss_of_2d_leaves_out_keypoints_that_the_data_do_not_know():
    head = CompletionHead(T, outputs=("2d", "3d"), **WIDTH).eval()
    feats, poses = torch.randn(B, T, C), torch.randn(B, T, K, 3)
    unknown = torch.rand(B, T, K) < 0.5
    batch = dict(
        keypoints=poses[..., :2].clone(),
        keypoints_3d=poses,
        intrinsics=torch.ones(B, 9),
        action=torch.zeros(B),
        window=torch.arange(B),
        unknown=unknown,
    )
    (sample,) = LiftingPreprocessor()(batch)["data_samples"]
    expected = (head(feats, "2d") - batch["keypoints"]).norm(dim=-1)[~unknown].mean()
    torch.testing.assert_close(head.loss(feats, [sample])["loss_2d"], expected)
    batch["keypoints"][unknown] = 1e3  # whatever stands there
    (sample,) = LiftingPreprocessor()(batch)["data_samples"]
    torch.testing.assert_close(head.loss(feats, [sample])["loss_2d"], expected)


def test_blend_keeps_what_is_given():
    given, completed = torch.zeros(1, 2, 3, 3), torch.ones(1, 2, 3, 3)
    mask = torch.tensor([[[True, False, False], [False, False, True]]])
    blend = CompletionHead.blend(completed, given, mask)
    assert torch.equal(blend[mask], torch.ones(2, 3)) and torch.equal(blend[~mask], torch.zeros(4, 3))


@pytest.mark.parametrize("output", ["target", "sequence"])
def test_predictions_are_completed_and_keep_what_is_given(output):
    head = CompletionHead(T, **WIDTH).eval()
    feats, poses = torch.randn(B, T, C), torch.randn(B, T, K, 3)
    given = poses.clone()
    given[0, :, [1, 2, 3]] = torch.nan
    frames = slice(None) if output == "sequence" else T // 2
    sample = sample_of(poses[:, frames], given=given[:, frames])
    (instances,) = head.predict(feats, [sample], dict(output=output))
    expected = head(feats)
    expected[:, :, 0] = 0
    expected = torch.where(given.isnan(), expected, given)
    torch.testing.assert_close(instances.keypoints, expected[:, frames])
    assert instances.keypoints.isfinite().all()
    # Lifting gives nothing in 3D, so nothing is kept.
    (instances,) = head.predict(feats, [sample_of(poses)], dict(output=output))
    torch.testing.assert_close(instances.keypoints[0], head(feats)[0, frames].index_fill(-2, torch.tensor(0), 0))


def test_a_tube_of_masked_keypoints_is_completed_without_seeing_it():
    backbone = MPMBackbone(T, depth=1, inputs=("3d",), **WIDTH).eval()
    head = CompletionHead(T, **WIDTH).eval()
    poses = torch.randn(B, T, K, 3)
    mask = torch.zeros(B, T, K, dtype=torch.bool)
    mask[0, :, [1, 2, 3]] = True
    mask[1, :, [14, 15, 16]] = True
    completed = head(backbone(poses, keypoint_mask=mask))
    assert torch.equal(completed, head(backbone(torch.where(mask[..., None], poses + 9, poses), keypoint_mask=mask)))
    assert torch.equal(completed, head(backbone(torch.where(mask[..., None], torch.nan, poses))))


def test_training_uses_every_parameter():
    backbone = MPMBackbone(T, depth=1, inputs=("3d",), **WIDTH)
    head = CompletionHead(T, **WIDTH)
    poses = torch.randn(B, T, K, 3)
    head.loss(backbone(poses), [sample_of(poses)])["loss_3d"].backward()
    parameters = [*backbone.named_parameters(), *head.named_parameters()]
    assert [name for name, p in parameters if p.grad is None] == []
