import pytest
import torch
from cameras import project_linear
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mpm_mmpose.models import RefinedLiftingHead, RefineModule
from mpm_mmpose.pose.keypoints import get_keypoint_set

B, T, K, C = 3, 9, 17, 32
FLIP = list(get_keypoint_set("h36m_17").flip_indices)
WIDTH = dict(num_frames=T, channels=C, hidden_channels=48, num_heads=4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def scene():
    """Poses 5 m in front of a camera, root-relative labels and the linear projection."""
    absolute = torch.rand(B, T, K, 3) + torch.tensor([0.0, 0.0, 5.0])
    intrinsics = torch.tensor([2.3, 2.3, 0.02, -0.01, 0, 0, 0, 0, 0]).expand(B, 9)
    keypoints = torch.stack([project_linear(absolute[:, t], intrinsics) for t in range(T)], dim=1)
    return absolute, intrinsics, keypoints


def sample_of(scene):
    absolute, intrinsics, keypoints = scene
    labels = absolute - absolute[:, :, :1]
    sample = PoseDataSample(metainfo=dict(flip_indices=FLIP))
    sample.gt_instance_labels = InstanceData(lifting_target_label=labels)
    sample.gt_instances = InstanceData(
        keypoints=keypoints[:, 4], intrinsics=intrinsics, root_depth=absolute[:, 4, 0, 2]
    )
    return [sample]


def test_weights_choose_between_the_two_estimates():
    refine = RefineModule(K, hidden_channels=8).eval()
    lifted, projected = torch.randn(2, B, K, 3)
    torch.nn.init.zeros_(refine.linear2.weight)
    for bias, expected in ((50.0, lifted), (-50.0, projected), (0.0, (lifted + projected) / 2)):
        torch.nn.init.constant_(refine.linear2.bias, bias)
        refined, weight = refine(lifted, projected)
        torch.testing.assert_close(refined[..., :2], expected[..., :2])
        assert torch.equal(refined[..., 2], lifted[..., 2])
        torch.testing.assert_close(weight, torch.full((B, K, 2), bias).sigmoid())


def test_input_is_keypoint_major():
    refine = RefineModule(2, hidden_channels=1, drop=0)
    for parameter in refine.parameters():
        torch.nn.init.zeros_(parameter)
    refine.linear1.weight.data[0, 9] = 1.0  # keypoint 1, x of the projected pose
    refine.linear2.weight.data[:, 0] = 1.0
    projected = torch.zeros(1, 2, 3)
    projected[0, 1, 0] = 2.0
    _, weight = refine(torch.zeros(1, 2, 3), projected)
    torch.testing.assert_close(weight, torch.full((1, 2, 2), 2.0).sigmoid())


def test_true_depths_and_the_projected_estimate_give_the_true_pose(scene):
    head = RefinedLiftingHead(T, (3, 3), channels=C, hidden_channels=48, num_heads=4).eval()
    torch.nn.init.zeros_(head.refine.linear2.weight)
    torch.nn.init.constant_(head.refine.linear2.bias, -50.0)
    samples = sample_of(scene)
    labels = samples[0].gt_instance_labels.lifting_target_label[:, 4]
    lifted = torch.cat([torch.randn(B, K, 2), labels[..., 2:]], dim=-1)
    torch.testing.assert_close(head.refine_target(lifted, samples), labels, rtol=1e-4, atol=1e-5)


def test_refined_loss_alone_trains_and_leaves_no_parameter_out(scene):
    head = RefinedLiftingHead(T, (3, 3), channels=C, hidden_channels=48, num_heads=4)
    head.eval()
    feats, samples = torch.randn(B, T, C), sample_of(scene)
    losses = head.loss(feats, samples)
    labels = samples[0].gt_instance_labels.lifting_target_label[:, 4]
    expected = (head.refine_target(head(feats)[0], samples) - labels).norm(dim=-1).mean()
    torch.testing.assert_close(losses["loss_refine"], expected)
    torch.testing.assert_close(losses["mpjpe_mm"], 1000 * expected.detach())
    assert losses["loss_target"] == 0 and losses["loss_sequence"] == 0
    sum(value for key, value in losses.items() if "loss" in key).backward()
    assert [name for name, p in head.named_parameters() if p.grad is None] == []
    assert head.decoder.layers[0].linear1.weight.grad.abs().sum() > 0


def test_missing_fields_and_other_depths_are_named(scene):
    head = RefinedLiftingHead(T, (3, 3), channels=C, hidden_channels=48, num_heads=4).eval()
    samples = sample_of(scene)
    del samples[0].gt_instances.root_depth
    with pytest.raises(ValueError, match="gt_instances has no root_depth"):
        head.loss(torch.randn(B, T, C), samples)
    with pytest.raises(ValueError, match="root_depth must be 'true' or 'fitted'"):
        RefinedLiftingHead(T, (3, 3), channels=C, num_heads=4, root_depth="predicted")


def test_the_fitted_depth_asks_for_no_ground_truth_and_is_right_for_a_right_pose(scene):
    heads = {
        name: RefinedLiftingHead(T, (3, 3), channels=C, hidden_channels=48, num_heads=4, root_depth=name).eval()
        for name in ("true", "fitted")
    }
    heads["fitted"].load_state_dict(heads["true"].state_dict())
    samples = sample_of(scene)
    lifted = samples[0].gt_instance_labels.lifting_target_label[:, 4]
    refined = heads["true"].refine_target(lifted, samples)
    del samples[0].gt_instances.root_depth
    torch.testing.assert_close(heads["fitted"].refine_target(lifted, samples), refined, rtol=0, atol=2e-4)
    wrong = heads["fitted"].refine_target(2 * lifted, samples)
    assert wrong.isfinite().all() and (wrong - refined).abs().max() > 0.1


@pytest.mark.parametrize("flip_test", [False, True])
def test_pose_lifter_trains_and_predicts_refined_poses(scene, flip_test):
    absolute, intrinsics, keypoints = scene
    lifter = MODELS.build(
        dict(
            type="PoseLifter",
            backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), mask_tokens=False, **WIDTH),
            head=dict(type="RefinedLiftingHead", strides=(3, 3), **WIDTH),
            data_preprocessor=dict(type="mmpose.LiftingPreprocessor"),
            test_cfg=dict(flip_test=flip_test),
        )
    )
    batch = dict(keypoints=keypoints, keypoints_3d=absolute, intrinsics=intrinsics)
    batch |= dict(action=torch.zeros(B, dtype=torch.long), window=torch.arange(B))
    lifter.train()
    optimizer = OptimWrapper(torch.optim.AdamW(lifter.parameters(), lr=1e-3))
    losses = lifter.train_step(batch, optimizer)
    torch.testing.assert_close(losses["loss"], losses["loss_refine"])
    lifter.eval()
    mirrored = keypoints[:, :, FLIP] * torch.tensor([-1.0, 1.0])
    with torch.no_grad():
        lifted = lifter.head(lifter.backbone(keypoints))[0]
        if flip_test:
            back = lifter.head(lifter.backbone(mirrored))[0][:, FLIP] * torch.tensor([-1.0, 1.0, 1.0])
            lifted = (lifted + back) / 2
        expected = lifter.head.refine_target(lifted, sample_of(scene))
        expected[:, 0] = 0
        (result,) = lifter.val_step({name: value.clone() for name, value in batch.items()})
    torch.testing.assert_close(result.pred_instances.keypoints, expected)
