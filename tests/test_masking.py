import pytest
import torch

from mpm_mmpose.masking import (
    MASK_STRATEGIES,
    Masks,
    frame_ratio_for,
    masked_cells,
    spatial_masks,
    spatio_temporal_masks,
    stream_generator,
    temporal_masks,
    tube_masks,
)


@pytest.fixture
def generator():
    return stream_generator("cpu", seed=0)


@pytest.mark.parametrize("frames, masked_frames", [(27, 16), (81, 48), (243, 145), (1, 0)])
@pytest.mark.parametrize("keypoints", [16, 17])
def test_spatio_temporal_counts_are_those_of_the_paper(frames, masked_frames, keypoints, generator):
    masks = spatio_temporal_masks(7, frames, keypoints, generator=generator)
    assert masks.frame_mask.shape == (7, frames) and masks.frame_mask.dtype == torch.bool
    assert masks.keypoint_mask.shape == (7, frames, keypoints) and masks.keypoint_mask.dtype == torch.bool
    assert (masks.frame_mask.sum(-1) == masked_frames).all()
    assert (masks.keypoint_mask.sum(-1) == 5).all()
    assert type(masks.num_visible) is int and masks.num_visible == frames - masked_frames


def test_the_default_hides_the_share_that_the_paper_names(generator):
    assert frame_ratio_for(1 - 0.4 * 12 / 17, 5, 17) == pytest.approx(0.6)
    assert 1 - 0.4 * 12 / 17 == pytest.approx(0.718, abs=5e-4)
    masks = spatio_temporal_masks(3, 243, 17, generator=generator)
    masked = masked_cells(masks, 17)
    assert masked.float().mean().item() == pytest.approx(1 - (1 - 145 / 243) * 12 / 17)


@pytest.mark.parametrize("percent", range(0, 100))
def test_a_share_of_a_hundred_frames_is_that_many(percent, generator):
    assert temporal_masks(1, 100, 17, generator=generator, ratio=percent / 100).frame_mask.sum() == percent


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.718, 0.9])
@pytest.mark.parametrize(
    "name, ratio_name", [("spatio_temporal", "total_ratio"), ("temporal", "ratio"), ("spatial", "ratio")]
)
def test_every_strategy_hides_the_chosen_share(name, ratio_name, ratio, generator):
    frames, keypoints = 243, 17
    masks = MASK_STRATEGIES[name](5, frames, keypoints, generator=generator, **{ratio_name: ratio})
    share = masked_cells(masks, keypoints).flatten(1).float().mean(1)
    step = {"spatio_temporal": (12 / 17) / frames / 2, "temporal": 1 / frames, "spatial": 1 / keypoints / 2}[name]
    assert (share - ratio).abs().max() <= step + 1e-6
    # The same number in every sample, whatever the strategy.
    assert (share == share[0]).all()


def test_temporal_hides_whole_frames_only(generator):
    masks = temporal_masks(4, 81, 17, generator=generator, ratio=0.6)
    assert masks.keypoint_mask is None
    assert (masks.frame_mask.sum(-1) == 48).all() and masks.num_visible == 33


def test_spatial_hides_the_same_keypoints_in_all_frames(generator):
    masks = spatial_masks(4, 81, 17, generator=generator, ratio=5 / 17)
    assert masks.frame_mask is None and masks.num_visible == 81
    assert masks.keypoint_mask.shape == (4, 81, 17)
    assert (masks.keypoint_mask == masks.keypoint_mask[:, :1]).all()
    assert (masks.keypoint_mask.sum(-1) == 5).all()


def test_samples_and_frames_are_drawn_independently(generator):
    masks = spatio_temporal_masks(64, 243, 17, generator=generator)
    assert len(masks.frame_mask.unique(dim=0)) == 64
    # 6188 ways to mask 5 of 17: two frames agree about once in 6188 pairs.
    agreeing = (masks.keypoint_mask[:, 1:] == masks.keypoint_mask[:, :-1]).all(-1).float().mean()
    assert agreeing < 0.002
    between = (masks.keypoint_mask[1:] == masks.keypoint_mask[:-1]).all(-1).float().mean()
    assert between < 0.002


@pytest.mark.parametrize("keypoint", [0, 8, 16])
def test_hiding_one_keypoint_says_nothing_of_its_frame_being_masked(keypoint, generator):
    masks = spatio_temporal_masks(400, 100, 17, generator=generator)
    in_masked = masks.keypoint_mask[..., keypoint][masks.frame_mask].float().mean().item()
    in_visible = masks.keypoint_mask[..., keypoint][~masks.frame_mask].float().mean().item()
    assert in_masked == pytest.approx(5 / 17, abs=0.015)
    assert in_visible == pytest.approx(5 / 17, abs=0.015)


def test_every_frame_and_keypoint_is_masked_equally_often(generator):
    masks = spatio_temporal_masks(4000, 27, 17, generator=generator)
    frames = masks.frame_mask.float().mean(0)
    # Five standard deviations of the mean of 4000 draws.
    assert (frames - 16 / 27).abs().max() < 5 * (16 / 27 * 11 / 27 / 4000) ** 0.5
    cells = masks.keypoint_mask.float().mean(0)
    assert (cells - 5 / 17).abs().max() < 5 * (5 / 17 * 12 / 17 / 4000) ** 0.5
    tubes = spatial_masks(4000, 2, 17, generator=generator, ratio=5 / 17).keypoint_mask[:, 0].float().mean(0)
    assert (tubes - 5 / 17).abs().max() < 5 * (5 / 17 * 12 / 17 / 4000) ** 0.5


def test_pattern_0_leaves_its_share_of_the_samples_whole(generator):
    masked = tube_masks(4000, 9, 17, generator=generator, patterns=[0, 0, 0, 3, [4, 5]], stretch=(1, 8)).keypoint_mask
    whole = ~masked.flatten(1).any(1)
    assert abs(whole.float().mean() - 3 / 5) < 5 * (3 / 5 * 2 / 5 / 4000) ** 0.5
    assert set(masked[~whole].sum(2).amax(1).tolist()) == {2, 3}
    with pytest.raises(ValueError, match="masks nothing in any sample"):
        tube_masks(2, 9, 17, generator=generator, patterns=[0, 0])
    with pytest.raises(ValueError, match="0 leaves a sample whole"):
        tube_masks(2, 9, 17, generator=generator, patterns=[[]])


def test_the_same_seed_and_rank_draw_the_same_masks_and_others_do_not():
    def draw(seed, rank, stream=0):
        generator = stream_generator("cpu", seed, rank, stream)
        return torch.cat([spatio_temporal_masks(8, 27, 17, generator=generator).keypoint_mask for _ in range(2)])

    first = draw(3, 1)
    assert torch.equal(first, draw(3, 1))
    # (3, 0) and (3,), or (0, 3) and (3, 0), must not meet by the way a seed is mixed.
    keys = [(3, 1), (1, 3), (3, 0), (0, 3), (0, 0), (0, 1), (3, 1, 1), (1, 1, 3)]
    drawn = [draw(*key) for key in keys]
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            # Two independent draws agree in (5/17)^2 + (12/17)^2 = 58.5 % of the cells.
            assert (one == other).float().mean().item() == pytest.approx(0.585, abs=0.03)


def test_drawing_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    generator = stream_generator("cpu", 0)
    for strategy, ratio in (("spatio_temporal", {}), ("temporal", {"ratio": 0.5}), ("spatial", {"ratio": 0.5})):
        MASK_STRATEGIES[strategy](2, 9, 17, generator=generator, **ratio)
    assert torch.equal(torch.get_rng_state(), state)


def test_masked_cells_unite_frames_and_keypoints():
    frame_mask = torch.tensor([[True, False]])
    keypoint_mask = torch.tensor([[[True, False], [False, True]]])
    assert masked_cells(Masks(frame_mask, keypoint_mask, 1), 2).tolist() == [[[True, True], [False, True]]]
    assert masked_cells(Masks(frame_mask, None, 1), 2).tolist() == [[[True, True], [False, False]]]
    assert masked_cells(Masks(None, keypoint_mask, 2), 2).tolist() == keypoint_mask.tolist()
    assert masked_cells(Masks(None, None, 2), 2) is None


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan")])
def test_refuses_ratios_outside_zero_to_one(ratio, generator):
    for strategy, name in (("spatio_temporal", "frame_ratio"), ("temporal", "ratio"), ("spatial", "ratio")):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
            MASK_STRATEGIES[strategy](2, 9, 17, generator=generator, **{name: ratio})
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        frame_ratio_for(ratio, 5, 17)


def test_refuses_to_hide_everything(generator):
    with pytest.raises(ValueError, match="masked_keypoints is 17 of 17"):
        spatio_temporal_masks(2, 9, 17, generator=generator, masked_keypoints=17)
    with pytest.raises(ValueError, match="masked_keypoints is -1 of 17"):
        spatio_temporal_masks(2, 9, 17, generator=generator, masked_keypoints=-1)
    with pytest.raises(ValueError, match="masked keypoints is 17 of 17"):
        spatial_masks(2, 9, 17, generator=generator, ratio=0.99)
    with pytest.raises(ValueError, match="masked frames is 9 of 9"):
        spatio_temporal_masks(2, 9, 17, generator=generator, total_ratio=0.99)
    with pytest.raises(ValueError, match="masked frames is 0 of 0"):
        temporal_masks(2, 0, 17, generator=generator, ratio=0.5)
    with pytest.raises(ValueError, match="total_ratio=0.2 cannot be reached"):
        frame_ratio_for(0.2, 5, 17)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_draws_on_the_gpu_without_asking_it():
    generator = stream_generator("cuda", 0)
    spatio_temporal_masks(4, 27, 17, generator=generator)
    torch.cuda.set_sync_debug_mode("error")
    try:
        masks = [
            spatio_temporal_masks(64, 243, 17, generator=generator),
            temporal_masks(64, 243, 17, generator=generator, ratio=0.6),
            spatial_masks(64, 243, 17, generator=generator, ratio=0.3),
        ]
        masked = [masked_cells(one, 17) for one in masks]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(one.device.type == "cuda" for one in masked)
    assert (masks[0].frame_mask.sum(-1) == 145).all() and (masks[0].keypoint_mask.sum(-1) == 5).all()
