import pytest
import torch
from mmengine.optim import OptimWrapper
from mmpose.registry import MODELS

from mpm_mmpose.masking import Masks, spatial_masks, spatio_temporal_masks, temporal_masks
from mpm_mmpose.models import MaskedPoseHead, PretrainPreprocessor

B, T, K, C = 3, 9, 17, 32
WIDTH = dict(num_frames=T, channels=C, hidden_channels=48, num_heads=4)


def build(**changes):
    torch.manual_seed(0)
    config = dict(
        type="MaskedPoseEstimator",
        backbone=dict(type="MPMBackbone", depth=1, **WIDTH),
        head=dict(type="MaskedPoseHead", **WIDTH),
    )
    return MODELS.build(config | changes).eval()


def build_head(**changes):
    torch.manual_seed(0)
    return MaskedPoseHead(**WIDTH | changes).eval()


@pytest.fixture
def inputs():
    return make_inputs(spatio_temporal_masks)


def make_inputs(draw, **kwargs):
    generator = torch.Generator().manual_seed(3)
    found = {}
    for size in (2, 3):
        found[f"poses_{size}d"] = torch.randn(B, T, K, size, generator=generator)
        found[f"target_{size}d"] = found[f"poses_{size}d"]
        found[f"masks_{size}d"] = draw(B, T, K, generator=generator, **kwargs)
        found[f"known_{size}d"] = None
    return found


def test_tokens_of_masked_frames_return_in_order():
    head = build_head()
    mask = torch.tensor([[0, 1, 1, 0, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 1, 1, 1, 0]], dtype=torch.bool)
    visible = torch.arange(2 * 4 * C, dtype=torch.float32).view(2, 4, C)
    full = head._restore(visible, mask)
    assert torch.equal(full[~mask].view(2, 4, C), visible)
    assert torch.equal(full[mask], head.frame_token[0].expand(10, C))


def test_head_without_masked_frames_equals_an_empty_mask():
    head, feats = build_head(), torch.randn(B, T, C)
    none = torch.zeros(B, T, dtype=torch.bool)
    torch.testing.assert_close(head(feats, "2d", none), head(feats, "2d"))
    assert head(feats, "2d").shape == (B, T, K, 2) and head(feats, "3d").shape == (B, T, K, 3)


def test_masked_frames_differ_by_position_alone():
    head = build_head()
    mask = torch.arange(T).expand(B, T) >= 4
    out = head(torch.randn(B, 4, C), "3d", mask)
    assert (out[:, 5] - out[:, 6]).abs().max() > 1e-3
    torch.nn.init.zeros_(head.position)
    out = head(torch.randn(B, 4, C), "3d", mask)
    torch.testing.assert_close(out[:, 5], out[:, 8])


def test_missing_decoder_is_named():
    with pytest.raises(ValueError, match=r"to='3d', but .* outputs=\('2d',\)"):
        build_head(outputs=("2d",))(torch.zeros(B, T, C), "3d")
    with pytest.raises(ValueError, match="outputs must be"):
        build_head(outputs=())


def test_losses_are_the_weighted_mean_distances(inputs):
    model = build()
    poses_2d, poses_3d = model(inputs)
    error_2d = (poses_2d - inputs["poses_2d"]).norm(dim=-1).mean()
    error_3d = (poses_3d - inputs["poses_3d"]).norm(dim=-1).mean()
    losses = model(inputs, mode="loss")
    torch.testing.assert_close(losses["loss_2d"], 2 * error_2d)
    torch.testing.assert_close(losses["loss_3d"], 3 * error_3d)
    torch.testing.assert_close(losses["error_3d_mm"], 1000 * error_3d.detach())
    torch.testing.assert_close(model.parse_losses(losses)[0], 2 * error_2d + 3 * error_3d)
    assert not losses["error_2d"].requires_grad
    released = build(loss_2d_weight=5.0, loss_3d_weight=2.0)
    torch.testing.assert_close(released(inputs, mode="loss")["loss_2d"], 5 * error_2d)


def test_loss_on_masked_keypoints_alone(inputs):
    model = build(loss_on="masked")
    poses_2d, _ = model(inputs)
    masks = inputs["masks_2d"]
    masked = masks.keypoint_mask | masks.frame_mask[..., None]
    assert masked.float().mean() == pytest.approx((5 * K + 4 * 5) / (T * K))
    expected = (poses_2d - inputs["poses_2d"]).norm(dim=-1)[masked].mean()
    torch.testing.assert_close(model(inputs, mode="loss")["error_2d"], expected.detach())


@pytest.mark.parametrize("loss_on", ["all", "masked"])
def test_losses_ask_for_what_is_known_of_the_targets(inputs, loss_on):
    model = build(loss_on=loss_on)
    known = torch.rand(B, T, K, generator=torch.Generator().manual_seed(5)) < 0.5
    target = torch.where(known[..., None], inputs["poses_3d"] + 0.1, 1e6)
    losses = model(inputs | dict(target_3d=target, known_3d=known), mode="loss")
    masks = inputs["masks_3d"]
    counted = known if loss_on == "all" else known & (masks.keypoint_mask | masks.frame_mask[..., None])
    expected = (model(inputs)[1] - inputs["poses_3d"] - 0.1).norm(dim=-1)[counted].mean()
    torch.testing.assert_close(losses["loss_3d"], 3 * expected)


@pytest.mark.parametrize("loss_on", ["all", "masked"])
def test_the_third_task_lifts_the_2d_windows(inputs, loss_on):
    model = build(loss_lift_weight=8.0, loss_on=loss_on)
    target = torch.randn(B, T, K, 3, generator=torch.Generator().manual_seed(7))
    known = torch.rand(B, T, K, generator=torch.Generator().manual_seed(8)) < 0.5
    masks = inputs["masks_2d"]
    feats = model.backbone(inputs["poses_2d"], *masks)
    counted = known if loss_on == "all" else known & (masks.keypoint_mask | masks.frame_mask[..., None])
    expected = (model.head(feats, "3d", masks.frame_mask) - target).norm(dim=-1)[counted].mean()
    losses = model(inputs | dict(target_lift=target, known_lift=known), mode="loss")
    torch.testing.assert_close(losses["loss_lift"], 8 * expected)
    torch.testing.assert_close(losses["error_lift_mm"], 1000 * expected.detach())
    total = losses["loss_2d"] + losses["loss_3d"] + losses["loss_lift"]
    torch.testing.assert_close(model.parse_losses(losses)[0], total)
    without = build(loss_on=loss_on)(inputs, mode="loss")
    assert set(losses) - set(without) == {"loss_lift", "error_lift_mm"}
    torch.testing.assert_close(without["loss_2d"], losses["loss_2d"])


def test_the_third_task_without_its_target_or_decoder(inputs):
    with pytest.raises(ValueError, match=r"3D of the 2D windows: give dataset_2d modalities=\['2d', '3d'\]"):
        build(loss_lift_weight=8.0)(inputs, mode="loss")
    with pytest.raises(ValueError, match="loss_lift_weight needs the modalities '2d' and '3d'"):
        build(loss_lift_weight=8.0, modalities=("2d",))


def test_masked_poses_do_not_leak_into_the_reconstruction(inputs):
    model = build()
    masks = inputs["masks_3d"]
    masked = masks.keypoint_mask | masks.frame_mask[..., None]
    other = inputs | dict(poses_3d=torch.where(masked[..., None], 50.0, inputs["poses_3d"]))
    assert torch.equal(model(inputs)[1], model(other)[1])


def test_one_kind_alone(inputs):
    model = build(modalities=("2d",), data_preprocessor=dict(type="mmpose.PretrainPreprocessor")).train()
    losses = model(**model.data_preprocessor(dict(keypoints=inputs["poses_2d"]), True), mode="loss")
    assert set(losses) == {"loss_2d", "error_2d"}
    losses["loss_2d"].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    (sample,) = model.eval()(inputs, mode="predict")
    assert (
        torch.equal(sample.pred_instances.keypoints, model(inputs)[0]) and "keypoints_3d" not in sample.pred_instances
    )
    with pytest.raises(ValueError, match="modalities is"):
        PretrainPreprocessor(modalities=["4d"])


@pytest.mark.parametrize(
    "parts",
    [
        dict(backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), **WIDTH)),
        dict(head=dict(type="MaskedPoseHead", outputs=("2d",), **WIDTH)),
        dict(data_preprocessor=dict(type="mmpose.PretrainPreprocessor", modalities=("2d",))),
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_parts_that_say_other_modalities_are_refused(parts):
    with pytest.raises(
        ValueError, match=r"=\('2d',\), but the model has modalities=\('2d', '3d'\); give the modalities"
    ):
        build(**parts)
    build(modalities=("2d",), **parts)


def test_a_head_that_starts_pre_trained_is_not_put_at_the_means(inputs):
    model = build()
    before = model.head.decoder_3d.out.bias.clone()
    model.head.init_cfg = dict(type="Pretrained", checkpoint="pretrained.pth")
    model.read_statistics(inputs["poses_2d"], inputs["poses_3d"])
    assert torch.equal(model.head.decoder_3d.out.bias, before)
    model.head.init_cfg = None
    with torch.no_grad():
        model.read_statistics(inputs["poses_2d"], inputs["poses_3d"])
    assert torch.equal(model.head.decoder_3d.out.bias, inputs["poses_3d"].mean((0, 1)).flatten())


def test_predict_holds_both_reconstructions(inputs):
    model = build()
    poses_2d, poses_3d = model(inputs)
    (sample,) = model(inputs, mode="predict")
    assert torch.equal(sample.pred_instances.keypoints, poses_2d)
    assert torch.equal(sample.pred_instances.keypoints_3d, poses_3d)


@pytest.mark.parametrize(
    ("draw", "kwargs"),
    [(spatio_temporal_masks, {}), (temporal_masks, dict(ratio=0.5)), (spatial_masks, dict(ratio=0.3))],
)
def test_every_strategy_trains_every_parameter(draw, kwargs):
    model = build().train()
    losses = model(make_inputs(draw, **kwargs), mode="loss")
    model.parse_losses(losses)[0].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_one_step_lowers_the_loss(inputs):
    model = build()
    optimizer = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=1e-3))
    data = dict(inputs=inputs, data_samples=None)
    first, second = (model.train_step(data, optimizer)["loss"] for _ in range(2))
    assert second < first


def test_wrong_arguments_are_named(inputs):
    with pytest.raises(ValueError, match="loss_on must be 'all' or 'masked'"):
        build(loss_on="visible")
    with pytest.raises(ValueError, match="mode must be"):
        build()(inputs, mode="train")
    nothing = inputs | dict(masks_2d=Masks(None, None, T))
    with pytest.raises(ValueError, match="neither frames nor keypoints are masked"):
        build(loss_on="masked")(nothing, mode="loss")


def test_autocast_gives_float32_losses(inputs):
    model = build()
    with torch.autocast("cpu", torch.bfloat16):
        losses = model(inputs, mode="loss")
    full = model(inputs, mode="loss")
    assert losses["loss_3d"].dtype == torch.float32
    torch.testing.assert_close(losses["loss_3d"], full["loss_3d"], rtol=0.02, atol=0)
