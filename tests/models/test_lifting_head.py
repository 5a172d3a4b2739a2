import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mpm_mmpose.models import LiftingHead
from mpm_mmpose.pose.keypoints import get_keypoint_set

B, T, K, C = 3, 9, 17, 32
FLIP = list(get_keypoint_set("h36m_17").flip_indices)
WIDTH = dict(num_frames=T, channels=C, hidden_channels=48, num_heads=4)


def build_head(**changes):
    torch.manual_seed(0)
    return LiftingHead(**dict(strides=(3, 3), **WIDTH) | changes).eval()


def build_lifter(preprocessor=None, test_cfg=None, **changes):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type="PoseLifter",
            backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), mask_tokens=False, **WIDTH),
            head=dict(type="LiftingHead", strides=(3, 3), **WIDTH) | changes,
            data_preprocessor=preprocessor,
            test_cfg=test_cfg or {},
        )
    ).eval()


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(4)
    poses = torch.randn(B, T, K, 3, generator=generator)
    return torch.randn(B, T, K, 2, generator=generator), poses - poses[:, :, :1]


def packed(labels):
    """A whole batch in one data sample."""
    return [
        PoseDataSample(
            metainfo=dict(flip_indices=FLIP), gt_instance_labels=InstanceData(lifting_target_label=labels.clone())
        )
    ]


def listed(labels, weights=None):
    """The batch as mmpose gives it: a sample each."""
    samples = []
    for i, label in enumerate(labels):
        instance = InstanceData(lifting_target_label=label)
        if weights is not None:
            instance.lifting_target_weight = weights[i]
        samples.append(PoseDataSample(metainfo=dict(flip_indices=FLIP), gt_instance_labels=instance))
    return samples


def distance(a, b):
    return (a - b).norm(dim=-1)


@pytest.mark.parametrize(
    ("frames", "strides"), [(9, (3, 3)), (9, (1, 3, 3)), (9, (9,)), (12, (2, 3, 2)), (1, (1,)), (81, (3, 3, 3, 3))]
)
@pytest.mark.parametrize("align", ["first", "centre"])
def test_any_strides_reduce_the_window_to_one_pose(frames, strides, align):
    head = build_head(num_frames=frames, strides=strides, align=align)
    target, sequence = head(torch.randn(2, frames, C))
    assert target.shape == (2, K, 3) and sequence.shape == (2, frames, K, 3)


@pytest.mark.parametrize(
    ("align", "strides", "carried"),
    [
        ("first", (3, 3), 0),
        ("centre", (3, 3), 4),
        ("centre", (1, 3, 3), 4),
        ("centre", (9,), 4),
        ("first", (2, 2, 2), 0),
        ("centre", (2, 2, 2), 4),
        ("centre", (2, 3, 2), 6),
    ],
)
def test_the_residual_path_carries_one_frame(align, strides, carried):
    frames = int(np.prod(strides))
    head = build_head(num_frames=frames, strides=strides, align=align)
    for layer in head.decoder.layers:  # leave the residual path alone
        for module in (layer.attention.out, layer.conv):
            torch.nn.init.zeros_(module.weight)
    feats = torch.randn(1, frames, C, requires_grad=True)
    head.decoder(feats).sum().backward()
    assert feats.grad[0].abs().sum(-1).nonzero().flatten().tolist() == [carried]


def test_positions_are_added_before_the_first_three_layers_alone():
    head = build_head(num_frames=16, strides=(2, 2, 2, 2))
    assert [tuple(p.shape) for p in head.decoder.positions] == [(1, 16, C)] * 3
    head.decoder(torch.randn(1, 16, C)).sum().backward()
    used = [int(p.grad[0].abs().sum(-1).gt(0).sum()) for p in head.decoder.positions]
    assert used == [16, 8, 4]


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"strides=\(3, 3\) .* num_frames=27, their product is 9"):
        build_head(num_frames=27)
    with pytest.raises(ValueError, match="num_frames=9"):
        build_head(strides=(-3, -3))
    with pytest.raises(ValueError, match="align must be 'first' or 'centre'"):
        build_head(align="center")
    with pytest.raises(ValueError, match="feats: expected tokens of num_frames=9 frames, got 8"):
        build_head()(torch.zeros(1, 8, C))


def test_losses_by_hand(data):
    head, (_, labels) = build_head(target_weight=2.0, sequence_weight=0.5), data
    feats = torch.randn(B, T, C)
    target, sequence = head(feats)
    losses = head.loss(feats, packed(labels))
    error = distance(target, labels[:, 4]).mean()
    torch.testing.assert_close(losses["loss_target"], 2 * error)
    torch.testing.assert_close(losses["loss_sequence"], 0.5 * distance(sequence, labels).mean())
    torch.testing.assert_close(losses["mpjpe_mm"], 1000 * error.detach())
    assert {key for key in losses if "loss" in key} == {"loss_target", "loss_sequence"}


def test_both_batch_forms_have_the_same_losses(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    expected = head.loss(feats, packed(labels))
    for samples in (listed(labels), listed(labels, torch.ones(B, T, K))):
        for key, value in head.loss(feats, samples).items():
            torch.testing.assert_close(value, expected[key])
    one = head.loss(feats[:1], listed(labels[:1]))
    torch.testing.assert_close(one["loss_target"], head.loss(feats[:1], packed(labels[:1]))["loss_target"])


def test_labels_of_one_frame_are_the_target_frame(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    losses = head.loss(feats, listed(labels[:, [4]]))
    target, sequence = head(feats)
    torch.testing.assert_close(losses["loss_target"], distance(target, labels[:, 4]).mean())
    torch.testing.assert_close(losses["loss_sequence"], distance(sequence[:, 4], labels[:, 4]).mean())


def test_keypoints_without_weight_do_not_count(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    weights = torch.ones(B, T, K)
    weights[0, :, 3] = 0
    broken = labels.clone()
    broken[0, :, 3] = 1e3
    target, sequence = head(feats)
    losses = head.loss(feats, listed(broken, weights))
    seen = weights.bool()
    torch.testing.assert_close(losses["loss_target"], distance(target, labels[:, 4])[seen[:, 4]].mean())
    torch.testing.assert_close(losses["loss_sequence"], distance(sequence, labels)[seen].mean())


def test_missing_or_wrong_labels_are_named(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    with pytest.raises(ValueError, match="no lifting_target_label"):
        head.loss(feats, [PoseDataSample()])
    with pytest.raises(ValueError, match=r"expected \(3, 9 or 1, 17, 3\) for the batch, got \(3, 9, 16, 3\)"):
        head.loss(feats, packed(labels[:, :, 1:]))
    with pytest.raises(ValueError, match=r"got \(2, 9, 17, 3\)"):
        head.loss(feats, listed(labels[:2]))


def test_predictions_have_their_root_at_zero_in_both_forms(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    expected = head(feats)[0].detach()
    assert expected[:, 0].abs().min() > 0
    expected[:, 0] = 0
    with torch.no_grad():
        (whole,) = head.predict(feats, packed(labels))
        single = head.predict(feats, listed(labels))
    assert torch.equal(whole.keypoints, expected) and torch.equal(whole.keypoint_scores, torch.ones(B, K))
    assert len(single) == B
    for instance, pose in zip(single, expected, strict=True):
        np.testing.assert_allclose(instance.keypoints, pose[None].numpy(), rtol=1e-5, atol=1e-6)
        assert instance.keypoint_scores.shape == (1, K)


def test_flip_test_is_the_mean_of_plain_and_mirrored_back(data):
    poses, labels = data
    lifter = build_lifter(test_cfg=dict(flip_test=True))
    mirrored = poses[:, :, FLIP] * torch.tensor([-1.0, 1.0])
    with torch.no_grad():
        plain, other = (lifter.head(lifter.backbone(x))[0] for x in (poses, mirrored))
        expected = (plain + other[:, FLIP] * torch.tensor([-1.0, 1.0, 1.0])) / 2
        expected[:, 0] = 0
        for samples in (packed(labels), listed(labels)):
            results = lifter.predict(poses.clone(), samples)
            found = torch.cat([torch.as_tensor(result.pred_instances.keypoints) for result in results])
            torch.testing.assert_close(found, expected)
    with pytest.raises(ValueError, match="flip_indices"):
        lifter.head.predict([0, 0], [PoseDataSample()], dict(flip_test=True))
    with pytest.raises(ValueError, match="shift_coords=True"):
        lifter.head.predict([0, 0], packed(labels), dict(flip_test=True, shift_coords=False))


def test_pose_lifter_takes_a_step_on_both_batch_forms(data):
    poses, labels = data
    for inputs, samples in ((poses, packed(labels)), (list(poses), listed(labels))):
        lifter = build_lifter()
        inputs = torch.stack(inputs) if isinstance(inputs, list) else inputs
        optimizer = OptimWrapper(torch.optim.AdamW(lifter.parameters(), lr=1e-3))
        before = {name: p.detach().clone() for name, p in lifter.named_parameters()}
        losses = [lifter.train_step(dict(inputs=inputs, data_samples=samples), optimizer)["loss"] for _ in range(3)]
        assert losses[-1] < losses[0]
        unmoved = [name for name, p in lifter.named_parameters() if torch.equal(p, before[name])]
        assert unmoved == []
        assert lifter.causal is False


def test_pose_lifter_under_the_windows_preprocessor():
    generator = torch.Generator().manual_seed(5)
    absolute = torch.randn(B, T, K, 3, generator=generator) + torch.tensor([0.0, 0.0, 5.0])
    batch = dict(
        keypoints=torch.randn(B, T, K, 2, generator=generator),
        keypoints_3d=absolute,
        intrinsics=torch.rand(B, 9, generator=generator),
        action=torch.zeros(B, dtype=torch.long),
        window=torch.arange(B),
        sequence=torch.zeros(B, dtype=torch.long),
    )
    lifter = build_lifter(preprocessor=dict(type="mmpose.LiftingPreprocessor"))
    with torch.no_grad():
        (result,) = lifter.val_step(batch)
        expected = lifter.head(lifter.backbone(batch["keypoints"]))[0]
    expected[:, 0] = 0
    torch.testing.assert_close(result.pred_instances.keypoints, expected)
    torch.testing.assert_close(result.gt_instances.lifting_target, (absolute - absolute[:, :, :1])[:, 4])


def test_autocast_gives_float32_losses_and_predictions(data):
    head, (_, labels) = build_head(), data
    feats = torch.randn(B, T, C)
    full = head.loss(feats, packed(labels))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        losses = head.loss(feats, packed(labels))
        (instance,) = head.predict(feats, packed(labels))
    assert losses["loss_target"].dtype == instance.keypoints.dtype == torch.float32
    torch.testing.assert_close(losses["loss_sequence"], full["loss_sequence"].detach(), rtol=0.02, atol=0)


@pytest.mark.parametrize("align", ["first", "centre"])
def test_compiled_without_graph_breaks_equals_eager(align):
    head, feats = build_head(align=align), torch.randn(B, T, C)
    compiled = torch.compile(head, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(feats), head(feats))
