"""The tasks of the paper under mmpose's PoseLifter: lifting, lifting of occluded 2D, completion; features."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import H36M_17

B, T, C = 6, 9, 32
WIDTH = dict(num_frames=T, channels=C, hidden_channels=48, num_heads=4)
PREPROCESSORS = {"2d": "LiftingPreprocessor", "3d": "CompletionPreprocessor"}
LEGS = dict(type="tube", patterns=[["left_leg", "right_arm"]])
MASKED = list(H36M_17.indices_of(["left_leg", "right_arm"]))


def batch_of(**more):
    generator = torch.Generator().manual_seed(1)
    poses = torch.randn(B, T, 17, 3, generator=generator) * 0.3 + torch.tensor([0.1, 0, 5])
    intrinsics = torch.tensor([2.29, 2.287, 0.025, 0.029, -0.207, 0.2475, -0.003, -0.0009, -0.0014]).repeat(B, 1)
    batch = dict(keypoints=project(poses, intrinsics), keypoints_3d=poses, intrinsics=intrinsics)
    return batch | dict(window=torch.arange(B), action=torch.zeros(B, dtype=torch.long)) | more


def model_of(source, head, masking, **test_cfg):
    init_default_scope("mmpose")
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type="PoseLifter",
            data_preprocessor=dict(type=PREPROCESSORS[source], masking=masking),
            backbone=dict(type="MPMBackbone", depth=1, inputs=(source,), **WIDTH),
            head=head | WIDTH,
            test_cfg=test_cfg,
        )
    )


LIFT = dict(type="LiftingHead", strides=(3, 3))
COMPLETE = dict(type="CompletionHead")
BOTH = dict(type="CompletionHead", outputs=("2d", "3d"), loss_3d_weight=2.0)


def predict(model, batch):
    model.eval()
    with torch.no_grad():
        return model.test_step(batch)[0]


@pytest.mark.parametrize("flip_test", [False, True])
@pytest.mark.parametrize("output", ["target", "sequence"])
@pytest.mark.parametrize(("source", "head"), [("2d", LIFT), ("2d", BOTH), ("3d", COMPLETE)])
def test_changing_masked_input_changes_nothing(source, head, output, flip_test):
    """Not in the mirrored pass either, where the limb is on the other side."""
    model = model_of(source, head, LEGS, output=output, flip_test=flip_test)
    field = "keypoints" if source == "2d" else "keypoints_3d"
    chunks = dict(padding=torch.zeros(B, T, dtype=torch.bool), frame=torch.zeros(B, T)) if output == "sequence" else {}
    batch = batch_of(**chunks)
    other = dict(batch)
    other[field] = other[field].clone()
    other[field][:, :, MASKED] += 0.7
    seen = dict(batch)
    seen[field] = seen[field].clone()
    seen[field][:, :, [0 if source == "2d" else 8]] += 0.1
    plain, masked, visible = (predict(model, batch).pred_instances.keypoints for batch in (batch, other, seen))
    assert plain.isfinite().all()
    assert torch.equal(plain, masked)
    assert not torch.allclose(plain, visible, atol=1e-4)


def test_completion_keeps_the_given_limbs_and_says_what_was_masked():
    gt = predict(model_of("3d", COMPLETE, LEGS, flip_test=True), batch_of())
    masked = torch.zeros(17, dtype=torch.bool)
    masked[MASKED] = True
    assert torch.equal(gt.gt_instances.masked, masked.expand(B, 17))
    error = (gt.pred_instances.keypoints - gt.gt_instances.lifting_target).norm(dim=-1)
    assert (error[:, ~masked] < 1e-6).all() and (error[:, masked] > 1e-3).all()


def test_whole_windows_are_scored_without_their_padding():
    padding = torch.zeros(B, T, dtype=torch.bool)
    padding[-1, 5:] = True
    frame = torch.arange(B * T).view(B, T)
    unknown = torch.zeros(B, T, 17, dtype=torch.bool)
    unknown[2, 3] = True
    batch = batch_of(padding=padding, frame=frame, unknown_3d=unknown)
    sample = predict(model_of("2d", LIFT, None, output="sequence", flip_test=True), batch)
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    assert torch.equal(sample.gt_instances.lifting_target, relative)
    assert torch.equal(sample.gt_instances.lifting_target_visible, ~(padding[..., None] | unknown))
    assert torch.equal(sample.gt_instances.frame, frame)
    assert sample.pred_instances.keypoints.shape == (B, T, 17, 3) and not sample.pred_instances.keypoints[:, :, 0].any()


@pytest.mark.parametrize(("source", "head"), [("2d", LIFT), ("2d", BOTH), ("3d", COMPLETE)])
def test_every_parameter_is_trained_on_random_patterns(source, head):
    model = model_of(source, head, dict(type="tube", patterns=[["left_leg"], ["right_arm", "left_arm"], 3])).train()
    data = model.data_preprocessor(batch_of(), training=True)
    model.parse_losses(model(**data, mode="loss"))[0].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def test_a_person_behind_a_car_for_some_frames():
    """Any pattern of keypoints and whole frames at once; tests mask the same every time."""
    stretches = dict(type="tube", patterns=[["left_leg", "right_leg"], 17, 4], stretch=(2, 5))
    model = model_of("2d", LIFT, stretches)
    first, again = (predict(model, batch_of()) for _ in range(2))
    assert torch.equal(first.pred_instances.keypoints, again.pred_instances.keypoints)
    assert first.pred_instances.keypoints.isfinite().all()
    inputs = model.data_preprocessor(batch_of(), training=False)["inputs"]
    masked = inputs.isnan().any(-1)
    assert masked.any() and not masked.all((1, 2)).any()
    assert masked.all(-1).any(), "a whole frame"


def test_what_a_data_set_lacks_or_a_detector_missed_is_masked_if_asked_for():
    unknown = torch.zeros(B, T, 17, dtype=torch.bool)
    unknown[:, :, 9] = True
    blind = dict(type="detector_noise", missed=0.3)
    make = dict(type="LiftingPreprocessor", mask_unknown=True, augmentations=[blind])
    inputs = MODELS.build(make)(batch_of(unknown=unknown), training=True)["inputs"]
    assert inputs[:, :, 9].isnan().all() and 0.2 < inputs[:, :, :9].isnan().float().mean() < 0.4
    plain = MODELS.build(dict(type="LiftingPreprocessor"))(batch_of(unknown=unknown), training=True)["inputs"]
    assert plain.isfinite().all()


def test_features_for_other_uses():
    model = model_of("2d", LIFT, LEGS).eval()
    poses = batch_of()["keypoints"]
    features = model.extract_feat(poses)
    assert features.shape == (B, T, C)
    masked = poses.clone()
    masked[:, :, MASKED] = torch.nan
    assert model.extract_feat(masked).isfinite().all() and not torch.equal(model.extract_feat(masked), features)


def test_wrong_choices_are_named():
    with pytest.raises(KeyError, match="no keypoint or limb 'tail'; it has right_leg"):
        model_of("2d", LIFT, dict(type="tube", patterns=[["tail"]]))
    everything = model_of("2d", LIFT, dict(type="tube", patterns=[17]))
    with pytest.raises(ValueError, match="masks 17 of 17 keypoints"):
        predict(everything, batch_of())
    with pytest.raises(ValueError, match="output='sequence' goes with PoseChunkDataset"):
        predict(model_of("3d", COMPLETE, LEGS, output="sequence"), batch_of())
    with pytest.raises(ValueError, match="output is 'all'; give 'target' or 'sequence'"):
        predict(model_of("2d", LIFT, LEGS, output="all"), batch_of())
