import pytest

from mpm_mmpose.visualization import skeleton


def test_sides_have_colours_of_their_own():
    assert len(set(skeleton.COLOURS.values())) == 3


@pytest.mark.parametrize(("total", "number", "expected"), [(10, 2, [2, 7]), (2, 5, [0, 1]), (1, 1, [0])])
def test_spread(total, number, expected):
    assert list(skeleton.spread(total, number)) == expected
