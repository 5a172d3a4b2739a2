import json

import cv2
import numpy as np
import pytest

from mpm_mmpose.data import PoseSequence, PoseStore, write_store

from ..scene import Frame
from ..stills import SIZE, annotate, draw_sheet, person_box, render_still, write_stills


def test_box_is_around_the_flesh_and_inside_the_image():
    keypoints = np.array([[[10, 20], [30, 120], [20, 70]], [[-50, 0], [50, 100], [0, 0]]], float)
    np.testing.assert_allclose(person_box(keypoints, 200, 125), [[2, 12, 38, 125], [0, 0, 58, 108]])


def test_annotation_is_cocos():
    keypoints = np.linspace(10, 90, 34).reshape(17, 2).astype(np.float32)
    keypoints[3] = -5, 20
    visible = np.ones(17, bool)
    visible[[3, 8]] = False
    made = annotate(Frame(np.zeros((100, 100, 3), np.uint8), keypoints, visible), 7)
    rows = np.reshape(made["keypoints"], (17, 3))
    assert rows[3].tolist() == [0, 0, 0] and rows[8, 2] == 1 and (np.delete(rows[:, 2], [3, 8]) == 2).all()
    np.testing.assert_allclose(rows[8, :2], keypoints[8], atol=0.01)
    assert (made["id"], made["image_id"], made["num_keypoints"], made["category_id"]) == (7, 7, 16, 1)
    x, y, width, height = made["bbox"]
    assert x == 0 and width > 90 and made["area"] == pytest.approx(width * height)


def test_person_fills_the_image_from_any_side(store):
    store = PoseStore(store)
    frames = [render_still(store, np.random.default_rng([0, index])) for index in range(24)]
    assert all(frame.image.shape == (SIZE, SIZE, 3) for frame in frames)
    sizes = np.array([np.ptp(frame.keypoints, axis=0).max() / SIZE for frame in frames])
    assert sizes.min() >= 0.39 and sizes.max() <= 0.96
    # Which shoulder is to the left says from which side the person is seen: both.
    left_first = np.mean([frame.keypoints[11, 0] < frame.keypoints[14, 0] for frame in frames])
    assert 0.2 < left_first < 0.8
    # Most of most people is to be seen.
    assert np.mean([frame.visible.mean() for frame in frames]) > 0.7


def test_image_depends_on_seed_and_number_alone(store, tmp_path):
    paths = [write_stills(store, tmp_path / str(number), number, seed=3) for number in (2, 3)]
    few, more = (json.loads(path.read_text()) for path in paths)
    assert few["annotations"] == more["annotations"][:2]
    assert [image["file_name"] for image in more["images"]] == ["000000.jpg", "000001.jpg", "000002.jpg"]
    one, two = (cv2.imread(str(path.parent / "images/000001.jpg")) for path in paths)
    np.testing.assert_array_equal(one, two)
    other = json.loads(write_stills(store, tmp_path / "other", 1, seed=4).read_text())
    assert other["annotations"][0]["keypoints"] != few["annotations"][0]["keypoints"]


def test_store_without_cameras_is_refused(tmp_path):
    poses = np.ones((4, 17, 3), np.float32)
    write_store(tmp_path / "s", [PoseSequence("bare", poses, None, width=10, height=10, fps=30)])
    with pytest.raises(ValueError, match="s: bare is without camera or 3D.*give a store that .*mocap.py made"):
        write_stills(tmp_path / "s", tmp_path / "out", 1)


def test_sheet_shows_the_images_and_below_what_is_annotated(store, tmp_path):
    made = write_stills(store, tmp_path / "out", 4, seed=1)
    sheet = cv2.imread(str(draw_sheet(made, tmp_path / "sheet.png", columns=2, rows=2)))
    assert sheet.shape == (0.6 * 2 * SIZE, 0.6 * 2 * SIZE, 3)
    x, y, flag = np.reshape(json.loads(made.read_text())["annotations"][2]["keypoints"], (17, 3)).T
    rows, columns = np.rint(0.6 * (y + SIZE)).astype(int)[flag == 2], np.rint(0.6 * x).astype(int)[flag == 2]
    np.testing.assert_allclose(np.median(sheet[rows, columns], axis=0), [0, 255, 0], atol=30)
    with pytest.raises(ValueError, match="has 4 images; a sheet shows 24, draw more"):
        draw_sheet(made, tmp_path / "sheet.png")
