import numpy as np
import pytest

from ..backdrop import random_backdrop, random_colour, random_occluder


@pytest.mark.parametrize("seed", range(8))
def test_backdrops_follow_the_seed_and_are_images(seed):
    one, two = (random_backdrop(np.random.default_rng(seed), 60, 40) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (40, 60, 3) and one.dtype == np.float32
    assert one.min() >= 0 and one.max() <= 1
    assert (one != random_backdrop(np.random.default_rng(seed + 1), 60, 40)).any()


def test_occluders_stand_before_the_box():
    box = np.array([40, 20, 60, 80.0])
    shares = []
    for seed in range(40):
        mask, colours = random_occluder(np.random.default_rng(seed), box, 100, 100)
        assert mask.shape == (100, 100) and mask.dtype == bool and mask.any()
        assert colours.shape == (100, 100, 3) and colours.min() >= 0 and colours.max() <= 1
        shares.append(mask[20:80, 40:60].mean())
    # Not all of anybody is hidden by one thing, and most things hide something.
    assert max(shares) < 1 and np.mean(np.array(shares) > 0.02) > 0.9


def test_colours_are_mostly_pale():
    rng = np.random.default_rng(0)
    colours = np.array([random_colour(rng) for _ in range(500)])
    assert colours.min() > 0 and colours.max() < 1
    assert np.median(np.ptp(colours, axis=1)) < 0.35 < np.quantile(np.ptp(colours, axis=1), 0.9)
