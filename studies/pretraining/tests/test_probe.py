import pytest
import torch

from ..probe import effective_rank, probe_error


@pytest.fixture
def poses():
    return torch.randn(400, 17, 3, generator=torch.Generator().manual_seed(0))


def test_a_linear_map_is_found_and_noise_is_not(poses):
    mix = torch.randn(51, 60, generator=torch.Generator().manual_seed(1))
    features = 100 * poses.flatten(1) @ mix + 7
    noise = torch.randn(400, 60, generator=torch.Generator().manual_seed(2))
    assert probe_error(features[:300], poses[:300], features[300:], poses[300:]) < 0.01
    assert probe_error(noise[:300], poses[:300], noise[300:], poses[300:]) > poses.norm(dim=-1).mean()


def test_features_that_do_not_vary_give_the_mean_pose(poses):
    ones = torch.ones(400, 5)
    expected = (poses[300:] - poses[:300].mean(0)).norm(dim=-1).mean().item()
    assert probe_error(ones[:300], poses[:300], ones[300:], poses[300:]) == pytest.approx(expected, rel=1e-3)
    with pytest.raises(ValueError, match="300 features for 299 poses"):
        probe_error(ones[:300], poses[:299], ones[300:], poses[300:])


@pytest.mark.parametrize(("scales", "rank"), [((1, 1, 1, 1), 4), ((1, 0, 0, 0), 1), ((2, 1, 1, 1), 49 / 19)])
def test_effective_rank_counts_directions_by_their_share(scales, rank):
    axes = torch.cat((torch.eye(4), -torch.eye(4))) * torch.tensor(scales, dtype=torch.float)
    assert effective_rank(axes + 5) == pytest.approx(rank, rel=1e-6)
