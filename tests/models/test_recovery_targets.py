import pytest
import torch
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.masking import spatio_temporal_masks
from mpm_mmpose.models.recovery_targets import WhitenedTargets

T = 9


def windows(number=32, seed=0):
    """Poses of people who stand in different places of the image and are of different sizes there."""
    generator = torch.Generator().manual_seed(seed)
    poses_3d = 0.3 * torch.randn(number, T, 17, 3, generator=generator)
    poses_3d = poses_3d - poses_3d[:, :, :1]
    place = torch.rand(number, 1, 1, 2, generator=generator) - 0.5
    size = 0.1 + torch.rand(number, 1, 1, 1, generator=generator)
    return place + size * poses_3d[..., :2], poses_3d


def masks(number=32):
    return spatio_temporal_masks(number, T, 17, generator=torch.Generator().manual_seed(1))


def estimator(**options):
    torch.manual_seed(0)
    small = dict(num_frames=T, channels=16, hidden_channels=32, num_heads=2)
    return MODELS.build(
        dict(
            type="MaskedPoseEstimator",
            backbone=dict(type="MPMBackbone", depth=1, **small),
            head=dict(type="MaskedPoseHead", **small),
            **options,
        )
    )


def inputs(number=32):
    poses_2d, poses_3d = windows(number)
    both = masks(number)
    return dict(
        poses_2d=poses_2d, target_2d=poses_2d, masks_2d=both, known_2d=None,
        poses_3d=poses_3d, target_3d=poses_3d, masks_3d=both, known_3d=None,
    )  # fmt: skip


def test_place_and_size_are_no_part_of_what_is_asked_for():
    targets = WhitenedTargets(("2d", "3d"), 17)
    poses_2d, poses_3d = windows()
    targets.read_statistics(poses_2d, poses_3d)
    decoded = torch.randn(32, T, 34, generator=torch.Generator().manual_seed(2))
    errors = [targets.error("2d", decoded, poses, masks(), None) for poses in (poses_2d, 3 * poses_2d + 0.7)]
    torch.testing.assert_close(*errors, rtol=1e-3, atol=0)


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_what_is_asked_for_is_what_poses_come_from(kind):
    """Decoders that give the target without error mean the true poses."""
    targets = WhitenedTargets(("2d", "3d"), 17)
    poses = dict(zip(("2d", "3d"), windows(), strict=True))
    targets.read_statistics(poses["2d"], poses["3d"])
    asked = poses[kind]
    if kind == "2d":
        from mpm_mmpose.masking import masked_cells
        from mpm_mmpose.models.whitening import place_and_size

        place, size = place_and_size(asked, masked_cells(masks(), 17))
        asked = (asked - place) / size
    white = targets.white[f"poses_{kind}"](asked)
    assert targets.error(kind, white, poses[kind], masks(), None) < 1e-3
    torch.testing.assert_close(targets.poses(kind, white, poses[kind], masks()), poses[kind], atol=2e-3, rtol=0)


def test_a_whitened_estimator_starts_at_the_mean_pose_and_learns():
    model = estimator(targets="whitened").train()
    model.targets.read_statistics(*windows(500, seed=1))
    losses = model(inputs(), mode="loss")
    assert set(losses) == {"loss_2d", "loss_3d", "white_error_2d", "white_error_3d"}
    assert losses["white_error_3d"].item() == pytest.approx(1, abs=0.15)
    assert losses["loss_3d"].item() == pytest.approx(3 * losses["white_error_3d"].item())
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        losses = model(inputs(), mode="loss")
        (losses["loss_2d"] + losses["loss_3d"]).backward()
        optimizer.step()
    assert losses["white_error_3d"] < 0.9
    (sample,) = model.eval()(inputs(), mode="predict")
    assert sample.pred_instances.keypoints.shape == (32, T, 17, 2)
    # In its place, although it was never asked for it.
    error = (sample.pred_instances.keypoints.mean((1, 2)) - windows()[0].mean((1, 2))).norm(dim=-1)
    assert error.mean() < 0.2


def test_frames_with_an_unknown_keypoint_do_not_count():
    model = estimator(targets="whitened").eval()
    model.targets.read_statistics(*windows(500, seed=1))
    known = torch.ones(32, T, 17, dtype=torch.bool)
    known[:, 0, 3] = False
    with torch.no_grad():
        some = model(dict(inputs(), known_3d=known), mode="loss")
        poses = inputs()
        poses["target_3d"] = poses["target_3d"].clone()
        poses["target_3d"][:, 0] += 9
        other = model(dict(poses, known_3d=known), mode="loss")
    assert some["loss_3d"] == other["loss_3d"]


def test_poses_as_targets_are_the_papers():
    model = estimator()
    before = model.head.decoder_3d.out.bias.clone()
    model.read_statistics(*windows(50))
    torch.testing.assert_close(model.head.decoder_3d.out.bias, windows(50)[1].mean((0, 1)).flatten())
    assert (before == 0).all()
    assert set(model(inputs(), mode="loss")) == {"loss_2d", "loss_3d", "error_2d", "error_3d_mm"}
    with pytest.raises(ValueError, match="'whitened' with loss_on='masked'"):
        estimator(targets="whitened", loss_on="masked")
