import numpy as np
import pytest

from mpm_mmpose.blazepose.region import Region, tensor


@pytest.mark.parametrize(
    ("rim", "angle"),
    [((100, 40), 0), ((160, 100), np.pi / 2), ((40, 100), -np.pi / 2)],
)
def test_a_region_stands_as_the_person_does(rim, angle):
    region = Region.of_person(np.array([100.0, 100.0]), np.array(rim, float))
    assert (region.x, region.y, region.side) == (100, 100, pytest.approx(150))
    assert region.angle == pytest.approx(angle)
    # The point above the head is in the middle of the upper half, whichever way the person lies.
    np.testing.assert_allclose(region.to_image(np.array([0.5, 0.1])), rim, atol=1e-9)


def test_upside_down_is_half_a_turn():
    region = Region.of_person(np.array([0.0, 0.0]), np.array([0.0, 10.0]))
    assert abs(region.angle) == pytest.approx(np.pi)


def test_a_whole_image_has_bands():
    region = Region.of_image(640, 480)
    np.testing.assert_allclose(
        region.to_image(np.array([[0, 0], [1, 1], [0.5, 0.5]])), [[0, -80], [640, 560], [320, 240]]
    )


def test_what_is_cut_is_what_is_there():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:50] = (10, 20, 30)
    np.testing.assert_array_equal(Region(40, 30, 20).cut(image, 10), np.full((10, 10, 3), (10, 20, 30)))
    beyond = Region(0, 0, 20).cut(image + np.uint8(1), 10)
    assert (beyond[:5] == 0).all() and (beyond[:, :5] == 0).all() and (beyond[5:, 5:] == 1).all()


def test_a_turned_region_is_upright_when_it_is_cut():
    image = np.zeros((100, 100, 3), np.uint8)
    image[50, 50:90] = 255  # from the hips to the head of somebody who lies on their left side
    cut = Region.of_person(np.array([50.0, 50.0]), np.array([90.0, 50.0])).cut(image, 100)
    column = cut[:, 49:52, 0].max(1)
    assert (column[15:45] > 100).all() and not column[55:].any() and not cut[:, :45].any()


def test_a_tensor_is_rgb_from_low_to_1():
    pixel = tensor(np.array([[[0, 51, 255]]], np.uint8), low=-1.0)
    assert pixel.dtype == np.float32
    np.testing.assert_allclose(pixel, [[[1, -0.6, -1]]], atol=1e-6)
    np.testing.assert_allclose(tensor(np.array([[[0, 51, 255]]], np.uint8), low=0.0), [[[1, 0.2, 0]]], atol=1e-6)
