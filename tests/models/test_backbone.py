import pytest
import torch

from mpm_mmpose.masking import spatio_temporal_masks
from mpm_mmpose.models import MPMBackbone
from mpm_mmpose.models.backbone import visible_frames

B, T, K = 3, 9, 17
SMALL = dict(num_frames=T, num_keypoints=K, channels=32, hidden_channels=48, depth=2, num_heads=4)


@pytest.fixture
def masks():
    return spatio_temporal_masks(B, T, K, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def backbone():
    return build()


def build(**changes):
    torch.manual_seed(0)
    backbone = MPMBackbone(**SMALL | changes)
    # Statistics as after training: a BatchNorm that does nothing would hide what it is given.
    for name, buffer in backbone.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    return backbone.eval()


def poses(size, batch=B):
    return torch.randn(batch, T, K, size, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("size", [2, 3])
def test_nothing_masked_gives_a_token_a_frame_and_encoders_differ(backbone, size):
    out = backbone(poses(size))
    assert out.shape == (B, T, 32)
    none = torch.zeros(B, T, dtype=torch.bool)
    torch.testing.assert_close(backbone(poses(size), none), out)
    torch.testing.assert_close(backbone(poses(size), keypoint_mask=none[..., None].expand(B, T, K)), out)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("encode_masked_frames", [False, True])
@pytest.mark.parametrize("place_apart", [False, True])
def test_masked_content_changes_nothing(masks, size, encode_masked_frames, place_apart):
    backbone = build(encode_masked_frames=encode_masked_frames, place_apart=place_apart)
    masked = masks.keypoint_mask | masks.frame_mask[..., None]
    x = poses(size)
    other = torch.where(masked[..., None], torch.full_like(x, 1e3), x)
    assert torch.equal(backbone(x, *masks), backbone(other, *masks))
    seen = torch.where(masked[..., None], x, 1.1 * x)
    assert (backbone(seen, *masks) - backbone(x, *masks)).abs().max() > 1e-3


def test_place_apart_sees_a_moved_person_by_the_place_alone(masks):
    backbone = build(place_apart=True)
    assert (backbone(poses(2), *masks) - backbone(poses(2) + 0.5, *masks)).abs().max() > 1e-3
    with torch.no_grad():
        backbone.encoder_2d.linear.weight[:, 2 * K :] = 0
    torch.testing.assert_close(backbone(poses(2), *masks), backbone(poses(2) + 0.5, *masks), rtol=1e-4, atol=1e-5)


def test_place_apart_leaves_3d_alone(masks):
    apart, plain = build(place_apart=True), build()
    missing = plain.load_state_dict(
        {k: v for k, v in apart.state_dict().items() if "encoder_2d" not in k}, strict=False
    )
    assert all("encoder_2d" in name for name in missing.missing_keys)
    assert torch.equal(apart(poses(3), *masks), plain(poses(3), *masks))


def test_place_apart_takes_what_is_no_number_as_masked():
    backbone, x = build(place_apart=True), poses(2)
    masked = torch.rand(B, T, K, generator=torch.Generator().manual_seed(3)) < 0.3
    nan = x.masked_fill(masked[..., None], torch.nan)
    torch.testing.assert_close(backbone(nan), backbone(x, keypoint_mask=masked))


def test_masked_frames_change_no_training_statistics_by_default(masks):
    backbone, released = build().train(), build(encode_masked_frames=True).train()
    x = poses(2)
    other = torch.where(masks.frame_mask[..., None, None], x + 10, x)
    for model, equal in ((backbone, True), (released, False)):
        means = []
        for batch in (x, other):
            model.encoder_2d.norm.reset_running_stats()
            model(batch, *masks)
            means.append(model.encoder_2d.norm.running_mean.clone())
        assert torch.equal(*means) == equal


@pytest.mark.parametrize("size", [2, 3])
def test_encode_masked_frames_is_equal_in_evaluation(masks, size):
    plain, released = build(), build(encode_masked_frames=True)
    torch.testing.assert_close(plain(poses(size), *masks), released(poses(size), *masks))


def test_masked_keypoint_is_the_token(backbone, masks):
    x = poses(3)
    with_token = torch.where(masks.keypoint_mask[..., None], backbone.keypoint_token_3d, x)
    torch.testing.assert_close(
        backbone(x, keypoint_mask=masks.keypoint_mask), backbone(with_token), rtol=1e-6, atol=1e-6
    )


def test_visible_frames_keep_order_and_position(masks):
    order = visible_frames(masks.frame_mask, masks.num_visible)
    for row, masked in zip(order, masks.frame_mask, strict=True):
        assert row.tolist() == (~masked).nonzero().flatten().tolist()
    backbone = build(depth=0)  # without temporal layers, every token is its own frame's
    expected = backbone(poses(2))[~masks.frame_mask].view(B, masks.num_visible, 32)
    torch.testing.assert_close(backbone(poses(2), masks.frame_mask), expected)


def test_number_of_visible_frames_is_read_from_the_mask(backbone, masks):
    assert torch.equal(backbone(poses(2), masks.frame_mask), backbone(poses(2), masks.frame_mask, None, 4))
    uneven = masks.frame_mask.clone()
    uneven[0] = False
    with pytest.raises(ValueError, match="same number of frames"):
        backbone(poses(2), uneven)
    with pytest.raises(ValueError, match="expected 1 to 9 visible frames, got 0"):
        backbone(poses(2), torch.ones(B, T, dtype=torch.bool))
    with pytest.raises(ValueError, match="got 10"):
        backbone(poses(2), masks.frame_mask, num_visible=10)


def test_hiding_one_frame_or_all_but_one_works(backbone):
    for masked in (1, T - 1):
        mask = torch.arange(T).expand(B, T) < masked
        assert backbone(poses(2), mask).shape == (B, T - masked, 32)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((B, T, K), r"poses: expected \(B, 9, 17, 2 or 3\), got shape \(3, 9, 17\)"),
        ((B, T, K, 4), r"got shape \(3, 9, 17, 4\)"),
        ((B, 8, K, 2), "got 8 frames; num_frames is 9"),
        ((B, T, 16, 3), "got 16 keypoints; num_keypoints is 17"),
    ],
)
def test_wrong_poses_are_named(backbone, shape, message):
    with pytest.raises(ValueError, match=message):
        backbone(torch.zeros(shape))


def test_wrong_masks_are_named(backbone, masks):
    with pytest.raises(ValueError, match=r"frame_mask: expected torch.bool of shape \(3, 9\).*got torch.float32"):
        backbone(poses(2), masks.frame_mask.float())
    with pytest.raises(ValueError, match=r"keypoint_mask: expected .* \(3, 9, 17\).*got torch.bool of shape \(3, 17\)"):
        backbone(poses(2), keypoint_mask=masks.keypoint_mask[:, 0])


def test_missing_encoder_and_tokens_are_named(masks):
    lifting = build(inputs=("2d",), mask_tokens=False)
    with pytest.raises(ValueError, match=r"poses are 3d, but .* inputs=\('2d',\)"):
        lifting(poses(3))
    with pytest.raises(ValueError, match="mask_tokens=True"):
        lifting(poses(2), keypoint_mask=masks.keypoint_mask)
    with pytest.raises(ValueError, match="inputs must be"):
        MPMBackbone(**SMALL, inputs=("4d",))


def test_every_parameter_is_used_in_training(masks):
    for arguments in (masks, (None, None), (masks.frame_mask,)):
        backbone = build(inputs=("2d",)).train()
        backbone(poses(2), *arguments).sum().backward()
        assert [name for name, p in backbone.named_parameters() if p.grad is None] == []


def test_unused_tokens_do_not_change_training_without_masks():
    a, b = build(drop=0, attn_drop=0, mlp_drop=0).train(), build(drop=0, attn_drop=0, mlp_drop=0).train()
    del b.keypoint_token_2d
    b.mask_tokens = False
    assert torch.equal(a(poses(2)), b(poses(2)))


def test_autocast_bfloat16_stays_close(masks):
    backbone = build()
    with torch.autocast("cpu", torch.bfloat16):
        half = backbone(poses(3), *masks)
    full = backbone(poses(3), *masks)
    assert (half - full).abs().max() < 0.1 * full.abs().max()
    backbone.train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = backbone(poses(3), *masks).float().square().mean()
    loss.backward()
    assert all(p.grad.isfinite().all() for n, p in backbone.named_parameters() if "2d" not in n)


@pytest.mark.parametrize("training", [False, True])
def test_compiled_without_graph_breaks_equals_eager(masks, training):
    backbone = build(depth=1, drop=0, attn_drop=0, mlp_drop=0).train(training)
    # The default backend gives the same, but compiles C++ for a minute.
    compiled = torch.compile(backbone, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(poses(2), *masks), backbone(poses(2), *masks))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("place_apart", [False, True])
def test_what_is_no_number_is_masked_beside_a_mask(size, place_apart, masks):
    backbone = build(place_apart=place_apart)
    missing = torch.rand(B, T, K, generator=torch.Generator().manual_seed(3)) < 0.3
    nan = poses(size).masked_fill(missing[..., None], torch.nan)
    expected = backbone(poses(size), keypoint_mask=missing | masks.keypoint_mask)
    torch.testing.assert_close(backbone(nan, keypoint_mask=masks.keypoint_mask), expected)
    expected = backbone(poses(size), masks.frame_mask, missing | masks.keypoint_mask, masks.num_visible)
    torch.testing.assert_close(backbone(nan, *masks), expected)


def test_a_token_per_keypoint_starts_at_its_mean():
    means = torch.linspace(-0.5, 0.5, 2 * K).view(K, 2)
    windows = means + torch.tensor([-0.1, 0.1]).view(2, 1, 1, 1).expand(2, T, 1, 1)  # two windows about the means
    windows = windows.clone()
    windows[0, :, 3] = torch.nan  # of this keypoint there is the second window alone
    backbone = build(tokens_per_keypoint=True)
    backbone.read_statistics(windows, poses(3))
    expected = means.clone()
    expected[3] += 0.1
    torch.testing.assert_close(backbone.keypoint_token_2d.data, expected)
    torch.testing.assert_close(backbone.keypoint_token_3d.data, poses(3).mean((0, 1)))


def test_tokens_are_relative_to_the_place_where_inputs_are():
    backbone = build(tokens_per_keypoint=True, place_apart=True)
    backbone.read_statistics(poses(2) + 3.0, None)
    torch.testing.assert_close(backbone.keypoint_token_2d.data.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    assert not backbone.keypoint_token_3d.any()


def test_a_masked_keypoint_has_the_token_of_its_own():
    backbone = build(tokens_per_keypoint=True)
    backbone.read_statistics(poses(2), poses(3))
    mask = torch.zeros(B, T, K, dtype=torch.bool)
    mask[:, :, 4] = True
    put = poses(2)
    put[:, :, 4] = backbone.keypoint_token_2d[4]
    torch.testing.assert_close(backbone(poses(2), keypoint_mask=mask), backbone(put))


@pytest.mark.parametrize("changes", [dict(), dict(mask_tokens=False, tokens_per_keypoint=True)])
def test_statistics_change_nothing_where_there_is_one_token_or_none(changes):
    backbone = build(**changes)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    backbone.read_statistics(poses(2), poses(3))
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
