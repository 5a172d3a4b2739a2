from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mpm_mmpose.apis.image_files import natural_order, number_images
from mpm_mmpose.apis.images import open_images


def picture(shade: int) -> np.ndarray:
    return np.full((48, 64, 3), shade, np.uint8)


def paths(*names):
    return [Path(name) for name in names]


def test_numbers_count_as_numbers():
    mixed = paths("frame10.png", "frame2.png", "Frame1.png", "a.png", "7_b.png", "12_b.png")
    names = [path.name for path in natural_order(mixed)]
    assert names == ["7_b.png", "12_b.png", "a.png", "Frame1.png", "frame2.png", "frame10.png"]


@pytest.mark.parametrize(
    ("numbers", "frames", "note"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], ""),
        ([5, 6, 7], [0, 1, 2], ""),
        ([0, 10, 20, 30], [0, 1, 2, 3], ""),  # every tenth frame of a video was taken
        ([1, 2, 3, 6, 7], [0, 1, 2, 5, 6], "2 of 7 numbered images are missing (the first after f3.png)"),
        ([0, 2, 4, 8, 10], [0, 1, 2, 4, 5], "1 of 6 numbered images are missing (the first after f4.png)"),
        ([0, 1, 2, 900], [0, 1, 2, 3], "have gaps (the first after f2.png); they are taken one after the other"),
    ],
)
def test_images_are_the_frames_of_their_numbers(numbers, frames, note):
    found, notes = number_images([Path(f"f{number}.png") for number in numbers])
    assert found.tolist() == frames
    assert (note in notes[0]) if note else not notes


def test_other_names_are_one_after_the_other():
    assert number_images(paths("a.png", "b.png"))[0].tolist() == [0, 1]
    assert number_images(paths("cam1_1.png", "cam2_9.png"))[0].tolist() == [0, 1]


def test_a_folder_with_a_missing_number_leaves_a_gap_in_time(tmp_path):
    for number in (8, 9, 10, 12):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), picture(number))
    images = open_images(tmp_path, fps=10)
    seen = [(round(time, 3), int(image.mean())) for time, image in images]
    assert seen == [(0, 8), (0.1, 9), (0.2, 10), (0.4, 12)]
    assert images.notes == [
        "1 of 5 numbered images are missing (the first after frame10.png); time goes by the numbers"
    ]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_is_a_video(tmp_path, suffix):
    shades = [10, 90, 170]
    frames = [Image.fromarray(picture(shade)) for shade in shades]
    path = tmp_path / f"walk.{suffix}"
    more = dict(lossless=True) if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100, 200, 100], loop=0, **more)
    images = open_images(path)
    assert (images.total, images.width, images.height) == (3, 64, 48) and images.fps == pytest.approx(7.5)
    for _ in range(2):
        seen = [(round(time, 3), int(image[0, 0, 2])) for time, image in images]
        assert seen == [(0, 10), (0.1, 90), (0.3, 170)]
    assert [time for time, _ in open_images(path, fps=4)] == [0, 0.25, 0.5]


def test_a_gif_of_one_image_and_a_damaged_one(tmp_path):
    Image.fromarray(picture(50)).save(tmp_path / "one.gif")
    assert [(time, image.shape) for time, image in open_images(tmp_path / "one.gif")] == [(0, (48, 64, 3))]
    frames = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8)) for n in range(4)]
    frames[0].save(tmp_path / "long.gif", save_all=True, append_images=frames[1:], duration=50)
    whole = (tmp_path / "long.gif").read_bytes()
    (tmp_path / "cut.gif").write_bytes(whole[: len(whole) * 6 // 10])
    try:
        images = open_images(tmp_path / "cut.gif")
        assert len(list(images)) < 4 and (images.problem or images.total < 4)
    except ValueError as error:
        assert "cut.gif" in str(error)
