import csv
import io

import numpy as np
import pytest

from studies.comparison.table import as_csv, as_markdown, by_group, columns, paired_interval


def run(errors, seed=0, frames=100):
    names = [f"walk_{take}.cam{camera}" for take in range(len(errors) // 2) for camera in range(2)]
    mean = float(np.mean(errors))
    return dict(
        training=dict(rate=1.0, seed=seed),
        steps=500,
        parameters=1_800_000,
        mflop_a_frame=48.04,
        windows_a_second=300.0,
        frames_a_second=900.0,
        figures=dict(mpjpe=mean, p_mpjpe=mean - 5),
        by_action=dict(walk=mean, run=mean + 3),
        by_sequence={name: [error, frames] for name, error in zip(names, errors, strict=True)},
    )


def test_a_paired_interval_knows_what_sequences_have_in_common():
    hard = np.array([20, 20, 60, 60, 100, 100, 40, 40, 80, 80], float)
    difference, low, high = paired_interval([run(hard + 4)], [run(hard)])
    assert (difference, low, high) == pytest.approx((4, 4, 4))  # though sequences differ by far more
    difference, low, high = paired_interval([run(hard + np.tile([1, 7], 5))], [run(hard)])
    assert (difference, low, high) == pytest.approx((4, 4, 4))  # cameras of one take are drawn together
    uneven = hard + np.repeat([0, 2, 4, 6, 8], 2)
    difference, low, high = paired_interval([run(uneven)], [run(hard)])
    assert difference == pytest.approx(4) and 0.5 < low < 3 and 5 < high < 7.5
    two_seeds = [run(uneven + 1), run(uneven - 1)]
    assert paired_interval(two_seeds, [run(hard)])[0] == pytest.approx(4)


def test_rows_are_means_over_seeds():
    results = dict(mpm=[run([40.0, 42.0]), run([44.0, 46.0])], videopose=[run([60.0, 62.0]), run([60.0, 62.0])])
    ours, theirs = columns(results)
    assert (ours["MPJPE"], ours["P-MPJPE"], ours["seeds, from to"]) == ("43.0", "38.0", "41.0 to 45.0")
    assert ours["to the first"] == "" and theirs["to the first"] == "+18.0 [+18.0, +18.0]"
    assert (ours["M parameters"], ours["MFLOP a frame"], ours["rate"]) == ("1.8", "48.0", "x 1")
    text = as_markdown([ours, theirs])
    assert text.splitlines()[0].startswith("| model | MPJPE |") and len(text.splitlines()) == 4
    assert list(csv.DictReader(io.StringIO(as_csv([ours, theirs]))))[1]["MPJPE"] == "61.0"
    assert by_group(results, "by_action") == [
        dict(action="run", mpm="46.0", videopose="64.0"),
        dict(action="walk", mpm="43.0", videopose="61.0"),
    ]


def test_other_frames_are_no_comparison():
    with pytest.raises(ValueError, match="videopose was tested on other frames than mpm"):
        columns(dict(mpm=[run([40.0, 42.0])], videopose=[run([40.0, 42.0], frames=99)]))
