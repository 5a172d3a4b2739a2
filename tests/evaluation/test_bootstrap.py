import numpy as np
import pytest

from mpm_mmpose.evaluation.bootstrap import intervals

RANDOM = np.random.default_rng(0)


def test_follows_from_the_drawn_sequences():
    """Every resample done by hand, sequence by sequence and action by action."""
    unit, action = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 1, 0, 1, 0, 1])
    numerator, denominator = RANDOM.random((2, 6)), RANDOM.integers(1, 9, (2, 6)).astype(float)
    found = {kind: intervals(numerator, denominator, unit, kind, 250, seed=3) for kind in (None,)}
    by_action = intervals(numerator, denominator, unit, action, 250, seed=3)
    rng = np.random.default_rng(3)
    values = {"frames": [], "actions": []}
    draws = np.concatenate([rng.multinomial(4, np.full(4, 0.25), size=size) for size in (100, 100, 50)])
    for draw in draws:
        cells = np.concatenate([np.flatnonzero(unit == i) for i in range(4) for _ in range(draw[i])])
        values["frames"].append(numerator[:, cells].sum(1) / denominator[:, cells].sum(1))
        means = [
            numerator[:, cells[action[cells] == i]].sum(1) / denominator[:, cells[action[cells] == i]].sum(1)
            for i in np.unique(action[cells])
        ]
        values["actions"].append(np.mean(means, axis=0))
    np.testing.assert_allclose(found[None], np.percentile(values["frames"], [2.5, 97.5], axis=0).T, rtol=1e-12)
    np.testing.assert_allclose(by_action, np.percentile(values["actions"], [2.5, 97.5], axis=0).T, rtol=1e-12)


def test_is_as_wide_as_the_theory_says():
    """100 sequences of equal length, means normal with deviation 2: the standard error is 0.2."""
    means = 50 + 2 * RANDOM.normal(size=100)
    ((low, high),) = intervals(30 * means[None], np.full((1, 100), 30.0), np.arange(100), resamples=4000)
    width = 2 * 1.96 * means.std() / 10
    assert high - low == pytest.approx(width, rel=0.05)
    assert (low + high) / 2 == pytest.approx(means.mean(), abs=0.03)


def test_more_frames_of_the_same_sequences_tell_nothing_new():
    numerator, denominator, unit = RANDOM.random((1, 8)), np.ones((1, 8)), np.arange(8)
    once = intervals(numerator, denominator, unit)
    np.testing.assert_allclose(intervals(50 * numerator, 50 * denominator, unit), once, rtol=1e-12)
    np.testing.assert_array_equal(intervals(numerator, denominator, unit), once)
    assert (intervals(numerator, denominator, unit, seed=1) != once).all()


def test_one_sequence_has_no_interval():
    assert intervals(np.ones((1, 3)), np.ones((1, 3)), np.zeros(3, int)) is None
    assert intervals(np.ones((1, 0)), np.ones((1, 0)), np.zeros(0, int)) is None


def test_a_figure_that_only_some_sequences_have():
    numerator, denominator = np.array([[1.0, 0, 0], [0, 0, 0]]), np.array([[2.0, 0, 0], [0, 0, 0]])
    found = intervals(numerator, denominator, np.arange(3))
    assert found[0].tolist() == [0.5, 0.5]
    assert np.isnan(found[1]).all()
