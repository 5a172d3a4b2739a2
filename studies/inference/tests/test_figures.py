import numpy as np
import pytest

from ..figures import ClipSums, Figure, table


def test_all_errors_count_the_same_and_nan_does_not():
    sums = ClipSums()
    sums.add("a", np.array([[1.0, np.nan], [3.0, 2.0]]))
    sums.add("a", np.array([6.0]))
    found = sums.mean("a")
    assert found.mean == 3.0
    assert found.low == pytest.approx(2.0) and found.high == pytest.approx(6.0)  # one clip alone


def test_differences_are_of_the_same_clips():
    sums = ClipSums()
    for clip in range(20):
        sums.add("a", np.full(10, 100.0 * clip))
        sums.add("b", np.full(10, 100.0 * clip + 5 + clip % 2))
    found = sums.difference("b", "a")
    assert found.mean == pytest.approx(5.5)
    assert 5 < found.low < 5.5 < found.high < 6  # although clips differ by hundreds
    sums.add("a", np.zeros(3))
    sums.add("b", np.array([0.0, np.nan, 1.0]))
    with pytest.raises(ValueError, match="different numbers of errors"):
        sums.difference("a", "b")


def test_as_text():
    assert Figure(12.34, 10.0, 15.0).text() == "12.3 (10.0 to 15.0)"
    assert Figure(12.34).text(2) == "12.34" and Figure(np.nan).text() == "-"
    sums = ClipSums()
    sums.add("nothing", np.array([np.nan]))
    assert sums.mean("nothing").text() == "-"
    assert table(["x", "mm"], [["a", "1"]]) == "| x | mm |\n| --- | ---: |\n| a | 1 |"
