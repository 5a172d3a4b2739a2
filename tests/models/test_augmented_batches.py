"""Augmentation by config in the data preprocessors."""

import pytest
import torch
from mmengine.model import BaseModel
from mmpose.registry import MODELS

from mpm_mmpose.models import LiftingPreprocessor, PretrainPreprocessor
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import get_keypoint_set

CAMERA = dict(type="virtual_camera", yaw=(-90, 90), tilt=(-10, 10), distance=(0.8, 1.2), focal=(0.9, 1.1))
BODY = dict(type="body_proportions", body=(0.8, 1.1), limb=(0.9, 1.1))
NOISE = dict(type="detector_noise", sigma=0.004, outliers=0.02, keypoint_scale=dict(left_wrist=2.0))
BLIND = dict(type="detector_noise", missed=0.05, occluded=0.2, occluded_frames=(2, 4))


def batch_of(size=6, frames=9) -> dict:
    generator = torch.Generator().manual_seed(1)
    poses = torch.randn(size, frames, 17, 3, generator=generator) * 0.3 + torch.tensor([0.1, 0, 5])
    intrinsics = torch.tensor([2.29, 2.287, 0.025, 0.029, -0.207, 0.2475, -0.003, -0.0009, -0.0014]).repeat(size, 1)
    return dict(
        keypoints=project(poses, intrinsics),
        keypoints_3d=poses,
        intrinsics=intrinsics,
        window=torch.arange(size),
        action=torch.arange(size) % 2,
    )


def pretrain_batch() -> dict:
    batch = batch_of()
    other = batch["keypoints_3d"].flip(0)
    return dict(
        keypoints=batch["keypoints"],
        keypoints_3d=other,
        source_3d=batch["keypoints_3d"],
        intrinsics=batch["intrinsics"],
    )


def lifting(**options):
    return MODELS.build(dict(type="LiftingPreprocessor", **options))


def pretraining(**options):
    return MODELS.build(dict(type="PretrainPreprocessor", **options))


@pytest.mark.parametrize("flip", [False, True])
def test_lifting_gets_new_bodies_and_cameras_whose_2d_and_3d_belong_together(flip):
    data = lifting(augmentations=[BODY, CAMERA], flip=flip)(batch_of(), training=True)
    gt = data["data_samples"][0].gt_instances
    label = data["data_samples"][0].gt_instance_labels.lifting_target_label
    plain = lifting()(batch_of(), training=True)["data_samples"][0].gt_instances
    assert not torch.allclose(gt.lifting_target, plain.lifting_target, atol=0.05)
    assert not torch.allclose(gt.intrinsics[:, 0].abs(), plain.intrinsics[:, 0], atol=0.01)
    assert torch.equal(gt.lifting_target, label[:, 4]) and torch.equal(gt.keypoints, data["inputs"][:, 4])
    # Where the root is follows from its depth and its place in the image; try it with the distortion left in.
    root_xy = gt.keypoints[:, 0]
    xy = (root_xy - gt.intrinsics[:, 2:4]) / gt.intrinsics[:, :2]
    for _ in range(20):
        ray = torch.cat([xy, torch.ones(6, 1)], -1)
        xy = xy + (root_xy - project(ray, gt.intrinsics)) / gt.intrinsics[:, :2]
    root = torch.cat([xy, torch.ones(6, 1)], -1) * gt.root_depth[:, None]
    torch.testing.assert_close(
        project(gt.lifting_target + root[:, None], gt.intrinsics), gt.keypoints, rtol=0, atol=1e-4
    )


def test_noise_is_in_the_input_only():
    data = lifting(augmentations=[NOISE])(batch_of(), training=True)
    plain = lifting()(batch_of(), training=True)
    error = data["inputs"] - plain["inputs"]
    assert 0.002 < error.std() < 0.05
    ours, theirs = (d["data_samples"][0].gt_instances for d in (data, plain))
    assert torch.equal(ours.lifting_target, theirs.lifting_target) and torch.equal(ours.intrinsics, theirs.intrinsics)


@pytest.mark.parametrize(
    "preprocessor",
    [
        lifting(augmentations=[BODY, CAMERA, NOISE]),
        pretraining(augmentations_2d=[BODY, CAMERA, NOISE, BLIND], augmentations_3d=[BODY, CAMERA]),
    ],
)
def test_nothing_is_augmented_outside_of_training(preprocessor):
    batch = pretrain_batch() | dict(window=torch.arange(6), action=torch.arange(6))
    state = preprocessor.get_rng_state()
    inputs = preprocessor(batch, training=False)["inputs"]
    poses = inputs["poses_2d"] if isinstance(inputs, dict) else inputs
    assert torch.equal(poses, batch["keypoints"])
    assert torch.equal(preprocessor.get_rng_state(), state)
    if isinstance(inputs, dict):
        assert (inputs["masks_2d"].keypoint_mask.sum(-1) == 5).all()


def test_a_detectors_errors_are_not_in_the_target():
    def inputs(*augmentations):
        return pretraining(flip=False, augmentations_2d=augmentations)(pretrain_batch(), True)["inputs"]

    plain, noisy = inputs(), inputs(NOISE)
    assert plain["target_2d"] is plain["poses_2d"] and plain["target_3d"] is plain["poses_3d"]
    assert torch.equal(noisy["target_2d"], plain["poses_2d"])
    assert 0.002 < (noisy["poses_2d"] - noisy["target_2d"]).std() < 0.05
    # A camera that comes after the noise takes it away: it projects the 3D.
    filmed = inputs(NOISE, CAMERA)
    assert torch.equal(filmed["poses_2d"], filmed["target_2d"])
    mirrored = pretraining(flip=True, augmentations_2d=[NOISE])(pretrain_batch(), True)["inputs"]
    error = (mirrored["poses_2d"] - mirrored["target_2d"]).abs().median()
    assert error < 0.01


def test_a_virtual_camera_turns_about_the_true_vertical():
    """A camera that rolls by 90 degrees sees the ground at its left; people turned about it keep their height."""
    batch = pretrain_batch() | dict(down=torch.tensor([-1.0, 0.0, 0.0]).repeat(6, 1), aspect=torch.ones(6))
    turn = dict(type="virtual_camera", yaw=(40, 40))
    sample = lifting(augmentations=[turn])(batch | dict(window=torch.arange(6), action=torch.arange(6)), True)
    label = sample["data_samples"][0].gt_instance_labels.lifting_target_label
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    torch.testing.assert_close(label[..., 0], relative[..., 0], rtol=0, atol=1e-5)
    assert (label[..., 1] - relative[..., 1]).abs().max() > 0.1
    inputs = pretraining(flip=False, augmentations_3d=[turn])(batch | dict(down_3d=batch["down"]), True)["inputs"]
    other = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    torch.testing.assert_close(inputs["poses_3d"][..., 0], other[..., 0], rtol=0, atol=1e-5)
    # Where it is not known, the camera's own y stands in.
    unknown = batch | dict(down_3d=torch.full((6, 3), torch.nan))
    inputs = pretraining(flip=False, augmentations_3d=[turn])(unknown, True)["inputs"]
    torch.testing.assert_close(inputs["poses_3d"][..., 1], other[..., 1], rtol=0, atol=1e-5)


def test_a_resumed_run_draws_the_same():
    stopped, resumed = (pretraining(augmentations_2d=[CAMERA, NOISE], augmentations_3d=[BODY], seed=2) for _ in "ab")
    stopped(pretrain_batch(), True)
    resumed.set_rng_state(stopped.get_rng_state())
    ours, theirs = (preprocessor(pretrain_batch(), True)["inputs"] for preprocessor in (stopped, resumed))
    assert torch.equal(ours["poses_2d"], theirs["poses_2d"]) and torch.equal(ours["poses_3d"], theirs["poses_3d"])


def test_pretraining_films_2d_anew_and_turns_3d():
    batch = pretrain_batch()
    inputs = pretraining(flip=False, augmentations_2d=[CAMERA], augmentations_3d=[CAMERA])(batch, True)["inputs"]
    assert not torch.allclose(inputs["poses_2d"], batch["keypoints"], atol=0.05)
    assert inputs["poses_2d"].abs().max() < 1.04
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    assert not torch.allclose(inputs["poses_3d"], relative, atol=0.05)
    torch.testing.assert_close(inputs["poses_3d"].norm(dim=-1), relative.norm(dim=-1), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "masking", [dict(type="spatio_temporal", masked_keypoints=5, frame_ratio=0.6), dict(type="temporal", ratio=0.5)]
)
def test_missed_keypoints_are_masked_on_top_of_the_strategy(masking):
    def masks(*augmentations):
        return pretraining(flip=False, masking=masking, augmentations_2d=augmentations)(batch_of(), True)["inputs"]

    blind, seeing = masks(BLIND), masks()
    for kind in ("masks_2d", "masks_3d"):
        assert blind[kind].num_visible == seeing[kind].num_visible
    number = blind["masks_2d"].keypoint_mask.sum(-1)
    least = 5 if masking["type"] == "spatio_temporal" else 0
    assert number.min() >= least and number.float().mean() > least + 0.5
    assert torch.equal(blind["poses_2d"], seeing["poses_2d"])
    if masking["type"] == "temporal":
        assert blind["masks_3d"].keypoint_mask is None


def test_augmented_pretraining_trains():
    # one keypoint may be all that a frame shows, or none
    model = dict(
        type="MaskedPoseEstimator",
        data_preprocessor=pretraining(
            augmentations_2d=[BODY, CAMERA, NOISE, dict(type="detector_noise", missed=0.9)],
            augmentations_3d=[BODY, CAMERA],
        ),
        backbone=dict(type="MPMBackbone", num_frames=9, channels=32, hidden_channels=32, depth=1),
        head=dict(type="MaskedPoseHead", num_frames=9, channels=32, hidden_channels=32, depth=1),
    )
    model = MODELS.build(model).train()
    data = model.data_preprocessor(pretrain_batch(), True)
    losses = model(**data, mode="loss")
    (losses["loss_2d"] + losses["loss_3d"]).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ValueError, match=r"augmentations has type='blur'; choose one of \['body_proportions'"):
        lifting(augmentations=[dict(type="blur")])
    with pytest.raises(ValueError, match=r"augmentations_3d: virtual_camera has no \['turn'\]; it has \['distance'"):
        pretraining(augmentations_3d=[dict(type="virtual_camera", turn=3)])
    for kind in ("missed", "occluded"):
        with pytest.raises(ValueError, match=rf"augmentations mask keypoints \({kind}\)"):
            lifting(augmentations=[dict(type="detector_noise", **{kind: 0.1})])
    with pytest.raises(KeyError, match="needs the field 'source_3d'.*`modalities`"):
        pretraining(augmentations_2d=[CAMERA])(batch_of(), True)
    with pytest.raises(ValueError, match="no 2D keypoints"):
        pretraining(augmentations_3d=[NOISE])(batch_of(), True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    "preprocessor",
    [
        LiftingPreprocessor(flip=True, augmentations=[BODY, CAMERA, NOISE]),
        PretrainPreprocessor(augmentations_2d=[BODY, CAMERA, NOISE, BLIND], augmentations_3d=[BODY, CAMERA]),
    ],
)
def test_never_waits_for_the_gpu(preprocessor):
    class Model(BaseModel):
        def forward(self, inputs, data_samples=None, mode="tensor"):
            return inputs

    Model(data_preprocessor=preprocessor).cuda()
    batch = {name: value.pin_memory() for name, value in (batch_of() | pretrain_batch()).items()}
    preprocessor(batch, True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        inputs = preprocessor(batch, True)["inputs"]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    poses = inputs["poses_2d"] if isinstance(inputs, dict) else inputs
    assert poses.is_cuda and poses.isfinite().all()
    assert len(get_keypoint_set("h36m_17")) == poses.shape[2]
