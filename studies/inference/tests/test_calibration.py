import numpy as np
import pytest

from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..calibration import (
    Calibration,
    bins,
    correlation,
    correlation_within,
    describe_calibration,
    draw_calibration,
    measure_calibration,
)


def made_up(error, spread, keypoint=None):
    number = len(error)
    return Calibration(
        np.asarray(spread, float),
        np.asarray(error, float),
        np.arange(number) % 4 == 0,
        np.zeros(number, int) if keypoint is None else keypoint,
        np.arange(number) % 3,
    )


def test_correlation_is_of_ranks():
    spread = np.arange(1, 101)
    assert correlation(made_up(spread**3, spread)) == pytest.approx(1)
    assert correlation(made_up(-spread, spread)) == pytest.approx(-1)


def test_knowing_that_wrists_are_worse_than_hips_is_not_enough():
    random = np.random.default_rng(0)
    keypoint = np.repeat([1, 2], 500)
    spread, error = random.normal(size=1000) + 100 * keypoint, random.normal(size=1000) + 100 * keypoint
    found = made_up(error, spread, keypoint)
    assert correlation(found) > 0.7 and abs(correlation_within(found)) < 0.1


def test_tenths_by_spread():
    spread = np.random.default_rng(0).permutation(200)
    parts = bins(made_up(2 * spread, spread))
    assert [len(part.error) for part in parts] == [20] * 10
    assert [part.error.mean() for part in parts] == [2 * (20 * i + 9.5) for i in range(10)]


def test_a_lifter_that_leans_on_what_it_sees_errs_where_it_spreads(lifter, clips, tmp_path):
    found = measure_calibration(clips[:4], TrackLifter(lifter, flip_test=False, maskings=4))
    assert 0 not in found.keypoint and set(found.clip) == {0, 1, 2, 3}
    assert 0.02 < found.masked.mean() < 0.4
    assert correlation(found) > 0.25
    tenths = [part.error.mean() for part in bins(found)]
    assert tenths[-1] > 2 * tenths[0]
    text = describe_calibration(found)
    assert f"{correlation(found):.2f}" in text and f"{tenths[3]:.1f}" in text
    assert draw_calibration(found, tmp_path / "a.png").stat().st_size > 10_000


def test_without_maskings_there_is_no_spread(lifter, clips):
    with pytest.raises(ValueError, match="maskings=0"):
        measure_calibration(clips, TrackLifter(lifter))
