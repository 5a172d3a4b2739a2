import pytest
import torch

from mpm_mmpose.models import CompletionHead, MPMBackbone

B, T, K, C = 2, 9, 17, 32
WIDTH = dict(channels=C, hidden_channels=48, num_heads=4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_depth_and_decoders_as_released_for_completion():
    head = CompletionHead(T, **WIDTH)
    assert len(head.decoder_3d.layers) == 2 and not hasattr(head, "decoder_2d")
    both = CompletionHead(T, outputs=("2d", "3d"), **WIDTH).eval()
    feats = torch.randn(B, T, C)
    assert both(feats).shape == (B, T, K, 3) and both(feats, "2d").shape == (B, T, K, 2)


def test_loss_is_the_mean_distance_over_all_keypoints():
    head = CompletionHead(T, **WIDTH).eval()
    feats, poses = torch.randn(B, T, C), torch.randn(B, T, K, 3)
    losses = head.loss(feats, poses)
    expected = (head(feats) - poses).norm(dim=-1).mean()
    torch.testing.assert_close(losses["loss_3d"], expected)
    torch.testing.assert_close(losses["error_3d_mm"], 1000 * expected.detach())


def test_blend_keeps_what_is_given():
    given, completed = torch.zeros(1, 2, 3, 3), torch.ones(1, 2, 3, 3)
    mask = torch.tensor([[[True, False, False], [False, False, True]]])
    blend = CompletionHead.blend(completed, given, mask)
    assert torch.equal(blend[mask], torch.ones(2, 3)) and torch.equal(blend[~mask], torch.zeros(4, 3))


def test_a_tube_of_hidden_keypoints_is_completed_without_seeing_it():
    backbone = MPMBackbone(T, depth=1, inputs=("3d",), **WIDTH).eval()
    head = CompletionHead(T, **WIDTH).eval()
    poses = torch.randn(B, T, K, 3)
    mask = torch.zeros(B, T, K, dtype=torch.bool)
    mask[0, :, [1, 2, 3]] = True
    mask[1, :, [14, 15, 16]] = True
    other = torch.where(mask[..., None], poses + 9, poses)
    completed = head(backbone(poses, keypoint_mask=mask))
    assert torch.equal(completed, head(backbone(other, keypoint_mask=mask)))
    assert torch.equal(head.blend(completed, poses, mask)[~mask], poses[~mask])


def test_training_uses_every_parameter():
    backbone = MPMBackbone(T, depth=1, inputs=("3d",), **WIDTH)
    head = CompletionHead(T, **WIDTH)
    poses = torch.randn(B, T, K, 3)
    head.loss(backbone(poses), poses)["loss_3d"].backward()
    parameters = [*backbone.named_parameters(), *head.named_parameters()]
    assert [name for name, p in parameters if p.grad is None] == []
