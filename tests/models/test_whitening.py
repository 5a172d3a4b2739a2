import pytest
import torch

from mpm_mmpose.models.whitening import FLOOR, Whitening, place_and_size, white_distance


def poses(number=4000, seed=0):
    """Poses (N, 17, 3) m whose directions differ in variance by up to 100."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(-1, 0, 51)
    mixed = torch.linalg.qr(torch.randn(51, 51, generator=generator))[0]
    return ((torch.randn(number, 51, generator=generator) * scales) @ mixed + 0.3).view(number, 17, 3)


def fitted(training):
    whitening = Whitening(training[0].numel())
    whitening.fit(training)
    return whitening


def test_all_directions_vary_alike():
    whitening = fitted(poses())
    white = whitening(poses())
    assert white.shape == (4000, 51)
    torch.testing.assert_close(white.mean(0), torch.zeros(51), atol=1e-4, rtol=0)
    covariance = white.T @ white / len(white)
    # Variances below a thousandth of the largest are not made 1; the smallest here is a hundredth: 10 % short of it.
    assert covariance.diagonal().min() > 0.88 and covariance.diagonal().max() < 1.001
    off = covariance - torch.diag(covariance.diagonal())
    assert off.abs().max() < 1e-3


def test_back_is_the_inverse():
    whitening = fitted(poses())
    torch.testing.assert_close(whitening.back(whitening(poses(10, 1)), 3), poses(10, 1), atol=1e-4, rtol=0)


def test_a_keypoint_that_stands_still_divides_by_nothing():
    training = poses()
    training[:, 0] = 0  # the root
    white = fitted(training)(training)
    assert white.isfinite().all() and white.abs().max() < 100
    still = torch.zeros(5, 17, 3)
    assert fitted(still)(still).isfinite().all()


def test_statistics_are_in_the_state():
    one, two = fitted(poses()), Whitening(51)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one(poses(5)), two(poses(5)))


def test_too_little_to_learn_from_is_refused():
    for wrong in (poses(1), torch.full((5, 17, 3), torch.nan)):
        with pytest.raises(ValueError, match="two finite poses or more"):
            Whitening(51).fit(wrong)


def test_place_and_size_are_of_what_is_visible():
    keypoints = torch.randn(3, 5, 17, 2, generator=torch.Generator().manual_seed(0))
    masked = torch.zeros(3, 5, 17, dtype=torch.bool)
    masked[:, :, 8:] = True
    place, size = place_and_size(keypoints, masked)
    visible = keypoints[:, :, :8]
    torch.testing.assert_close(place[:, 0, 0], visible.mean((1, 2)))
    torch.testing.assert_close(size.flatten(), (visible - place).square().sum(-1).mean((1, 2)).sqrt())
    away = keypoints.masked_fill(masked[..., None], 99.0)
    assert torch.equal(place_and_size(away, masked)[1], size)
    nothing, smallest = place_and_size(keypoints, torch.ones_like(masked))
    assert (nothing == 0).all() and (smallest > 0).all()


def test_distance_of_the_mean_pose_is_one():
    white = torch.randn(64, 9, 51, generator=torch.Generator().manual_seed(0))
    assert white_distance(torch.zeros_like(white), white).item() == pytest.approx(1, abs=0.01)
    counted = torch.zeros(64, 9)
    counted[0, 0] = 1
    assert white_distance(white + 2 * (1 - counted[..., None]), white, counted) == 0
    assert FLOOR > 0
