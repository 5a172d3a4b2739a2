import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..capsules import BAND_SHADE, Capsules, Light, draw_capsules

SCALE = 100.0  # px of 1 m at 1 m
FLAT = Light(np.array([0, 0, -1], np.float32), 1.0, 0.0)


def capsules(*parts):
    """Parts are (start, end, radii, colour, bands)."""
    starts, ends, radii, colours, bands = zip(*parts, strict=True)
    return Capsules(
        np.stack([starts, ends], 1).astype(float), np.array(radii), np.array(colours, float), np.array(bands)
    )


def draw(parts, light=FLAT, size=100):
    image, depth = np.zeros((size, size, 3), np.float32), np.full((size, size), np.inf, np.float32)
    ends = SCALE * parts.ends[..., :2] / parts.ends[..., 2:] + size / 2
    draw_capsules(image, depth, parts, ends, SCALE, light)
    return image, depth


def test_a_ball_is_a_disc_of_its_size_and_depth():
    image, depth = draw(capsules(((0, 0, 2), (0, 0, 2), (0.4, 0.4), (1, 1, 1), 0)))
    radius = SCALE * 0.4 / 2
    assert image[..., 0].sum() == pytest.approx(np.pi * radius**2, rel=0.01)
    assert depth[50, 50] == pytest.approx(1.6)
    assert np.isinf(depth[50, 50 + int(radius) + 2]) and image[50, 50 + int(radius) + 2].max() == 0


def test_a_rod_reaches_from_end_to_end_and_tapers():
    image, _ = draw(capsules(((-0.5, 0, 2), (0.5, 0, 2), (0.2, 0.1), (1, 1, 1), 0)))
    columns = np.flatnonzero(image[50, :, 0] > 0.4)
    assert (columns.min(), columns.max()) == (50 - 25 - 10, 50 + 25 + 5)
    assert (image[:, 26, 0] > 0.5).sum() > (image[:, 74, 0] > 0.5).sum() + 5


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_is_nearer_hides_what_is_behind(order):
    near = ((-0.2, 0, 1.5), (0.2, 0, 1.5), (0.1, 0.1), (1, 0, 0), 0)
    far = ((0, -0.2, 2.5), (0, 0.2, 2.5), (0.1, 0.1), (0, 1, 0), 0)
    image, _ = draw(capsules(*[(near, far)[index] for index in order]))
    np.testing.assert_allclose(image[50, 50], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(image[50 + 10, 50], [0, 1, 0], atol=1e-6)


def test_rods_that_cross_in_depth_hide_each_other_where_each_is_nearer():
    one = ((-0.5, 0, 1.5), (0.5, 0, 2.5), (0.1, 0.1), (1, 0, 0), 0)
    two = ((-0.5, 0, 2.5), (0.5, 0, 1.5), (0.1, 0.1), (0, 1, 0), 0)
    image, _ = draw(capsules(one, two))
    assert image[50, 35].tolist() == [1, 0, 0] and image[50, 65].tolist() == [0, 1, 0]


def test_the_side_to_the_light_is_brighter():
    ball = capsules(((0, 0, 2), (0, 0, 2), (0.4, 0.4), (1, 1, 1), 0))
    image, _ = draw(ball, Light(np.array([-0.8, 0, -0.6], np.float32), 0.2, 0.8))
    assert image[50, 38, 0] > image[50, 50, 0] > image[50, 62, 0]
    assert image[50, 50, 0] == pytest.approx(0.2 + 0.8 * 0.6, abs=0.02)
    assert image[50, 66, 0] == pytest.approx(0.2, abs=0.02)  # in its own shadow


def test_a_rod_along_the_light_is_dark():
    """The normal of a rod's skin has no part along it."""
    rod = capsules(((-0.5, 0, 2), (0.5, 0, 2), (0.1, 0.1), (1, 1, 1), 0))
    image, _ = draw(rod, Light(np.array([1, 0, 0], np.float32), 0.1, 0.9))
    np.testing.assert_allclose(image[48:53, 40:60, 0], 0.1, atol=1e-3)


def test_bands_are_darker_by_turns():
    image, _ = draw(capsules(((-0.5, 0, 2), (0.5, 0, 2), (0.1, 0.1), (1, 1, 1), 2)))
    shades = image[50, [28, 40, 53, 65], 0]
    np.testing.assert_allclose(shades, [1, BAND_SHADE, 1, BAND_SHADE], atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(0.5, 4), st.floats(0.5, 4), st.floats(0.01, 0.4))
def test_anything_before_the_camera_can_be_drawn_and_stays_within_its_reach(xy, first, second, radius):
    part = capsules(((*xy[:2], first), (*xy[2:], second), (radius, radius), (1, 1, 1), 0))
    image, depth = draw(part)
    assert np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1 + 1e-6
    drawn = np.isfinite(depth)
    assert (depth[drawn] >= min(first, second) - radius - 1e-4).all()
    assert (depth[drawn] <= max(first, second) + 1e-4).all()
