import numpy as np

from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..filters import FILTERS, INPUTS, describe_filters, draw_filters, measure_filters, motion_errors


def test_errors_of_a_tremble():
    ground_truth = np.zeros((6, 17, 3))
    poses = ground_truth.copy()
    poses[::2, :, 0] = 0.01  # 10 mm to and fro
    found = motion_errors(poses, ground_truth)
    assert found["mpjpe"].shape == (6, 17) and found["mpjpe"].mean() == 5
    np.testing.assert_allclose(found["mpjve"], np.full((5, 17), 10), rtol=1e-6)
    np.testing.assert_allclose(found["acceleration"], np.full((4, 17), 20), rtol=1e-6)


def test_filters_take_the_tremble_out(lifter, clips, tmp_path):
    sums = measure_filters(clips[:3], TrackLifter(lifter, flip_test=False))
    for title in FILTERS:
        if title != "none":
            pair = [f"detector's noise/{name}/acceleration" for name in (title, "none")]
            assert sums.difference(*pair).mean < -0.3 * sums.mean(pair[1]).mean
    # True 2D does not tremble, so there is less to take out.
    assert sums.mean("true 2D/none/acceleration").mean < sums.mean("detector's noise/none/acceleration").mean
    text = describe_filters(sums)
    assert all(text.count(f"| {title} |") == len(INPUTS) for title in FILTERS)
    assert sums.mean("true 2D/savitzky_golay/mpjve").text() in text
    assert draw_filters(sums, tmp_path / "a.png").stat().st_size > 10_000
