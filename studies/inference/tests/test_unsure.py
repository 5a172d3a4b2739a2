"""What masks gain on held-out recorded clips, shown with a lifter that is no network but uses them in the same way."""

import numpy as np
import pytest

from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..unsure import MASKED, PLAIN, REPAIRS, describe_unsure, draw_unsure, measure_unsure

BELIEVED, INTERPOLATED, REPEATED = list(REPAIRS)[1:]


@pytest.fixture(scope="module")
def sums(lifter, clips):
    return measure_unsure(clips, TrackLifter(lifter, flip_test=False))


def more(sums, occlusion, repair):
    return sums.difference(f"{occlusion}/{repair}/occluded", f"{occlusion}/{MASKED}/occluded")


def test_where_nothing_is_masked_it_hardly_matters(sums):
    errors = [sums.mean(f"nothing occluded/{name}/all").mean for name in REPAIRS]
    assert max(errors) < 1.15 * min(errors) and 30 < min(errors) < 80
    assert not np.isfinite(sums.mean(f"nothing occluded/{MASKED}/occluded").mean)


@pytest.mark.parametrize("occlusion", ["single keypoints", "whole frames"])
def test_masks_are_far_better_than_believing_the_detector(sums, occlusion):
    found = more(sums, occlusion, BELIEVED)
    assert found.mean > 20 and found.low > 0
    whole = sums.difference(f"{occlusion}/{BELIEVED}/all", f"{occlusion}/{MASKED}/all")
    assert whole.low > 0


def test_masks_are_better_than_all_else_where_half_of_the_body_is_away_for_long(sums):
    for repair in (BELIEVED, INTERPOLATED, REPEATED):
        assert more(sums, "half of the body", repair).mean > 5


def test_masks_are_better_than_repeating_single_keypoints(sums):
    assert more(sums, "single keypoints", REPEATED).mean > 3


def test_the_tables_say_the_figures(sums, tmp_path):
    text = describe_unsure(sums, list(REPAIRS))
    figure = sums.mean(f"whole frames/{INTERPOLATED}/occluded").text()
    (line,) = [line for line in text.split("### ")[3].splitlines() if line.startswith(f"| {INTERPOLATED} |")]
    assert figure in line and more(sums, "whole frames", INTERPOLATED).text() in line
    assert text.count("### ") == 4 and "0.1 to 1 s at a time, 20 % of the time" in text
    assert draw_unsure(sums, list(REPAIRS), tmp_path / "a.png").stat().st_size > 10_000


def test_another_lifter_gets_what_was_interpolated(lifter, clips):
    model = TrackLifter(lifter, flip_test=False)
    found = measure_unsure(clips[:1], model, model)
    for occlusion in ("single keypoints", "half of the body"):
        assert found.mean(f"{occlusion}/{PLAIN}/all") == found.mean(f"{occlusion}/{INTERPOLATED}/all")
