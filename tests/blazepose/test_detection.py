import numpy as np

from mpm_mmpose.blazepose.detection import anchors, decode, merge, parts
from mpm_mmpose.pose.keypoints import H36M_17


def test_anchors_are_the_centres_of_cells():
    centres = anchors()
    assert centres.shape == (2254, 2)
    np.testing.assert_allclose(centres[:3], [[0.5 / 28] * 2, [0.5 / 28] * 2, [1.5 / 28, 0.5 / 28]])  # x first
    np.testing.assert_allclose(centres[28 * 28 * 2], [0.5 / 14] * 2)
    np.testing.assert_allclose(centres[-1], [6.5 / 7] * 2)


def test_answers_are_relative_to_their_cell_in_px():
    answer = np.array([[10, -20, 40, 80, 1, 2, 3, 4, 5, 6, 7, 8]], float)
    boxes, points = decode(answer, np.array([[0.5, 0.25]]), 200)
    np.testing.assert_allclose(boxes, [[0.45, -0.05, 0.65, 0.35]])
    np.testing.assert_allclose(points[0, [0, 3]], [[0.505, 0.26], [0.535, 0.29]])


def test_answers_about_one_person_are_weighed():
    boxes = np.array([[0, 0, 1, 1], [5, 5, 6, 6], [0, 0, 1, 0.9]], float)
    points = np.arange(3)[:, None, None] * np.ones((3, 4, 2))
    first, second = merge(boxes, points, np.array([0.9, 0.8, 0.6]))
    np.testing.assert_allclose(first, np.full((4, 2), 2 * 0.6 / 1.5))
    np.testing.assert_allclose(second, np.ones((4, 2)))
    assert merge(boxes[:0], points[:0], np.zeros(0)) == []


def test_parts_cover_the_image():
    squares = parts(1920, 1080)
    assert {(square.side, square.angle) for square in squares} == {(960, 0)}
    assert [(square.x, square.y) for square in squares] == [(x, y) for y in (480, 600) for x in (480, 960, 1440)]
    assert len(parts(1000, 1000)) == 9 and [one.y for one in parts(1000, 300)] == [250, 250, 250]


def test_a_person_is_found_where_they_stand(blazepose, walk):
    images, keypoints = walk
    (region,) = blazepose.detector(images[0])
    height = np.ptp(keypoints[0, :, 1])
    pelvis = keypoints[0, H36M_17.root]
    assert np.hypot(*(pelvis - (region.x, region.y))) < 0.08 * height
    assert 1.1 * height < region.side < 1.9 * height and abs(region.angle) < 0.4


def test_nobody_is_found_where_nobody_is(blazepose):
    for image in (np.zeros((48, 64, 3), np.uint8), np.random.default_rng(0).integers(0, 255, (200, 90, 3), np.uint8)):
        assert blazepose.detector(image) == []
