import numpy as np
import pytest
from PIL import Image

from mpm_mmpose.converters.virtual_camera import project_views
from studies.quickstart import comparison
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def clip():
    sequence = next(project_views(generate_motion("waving", 1.0, 30, 0), cameras=1))
    ground_truth = sequence.keypoints_3d - sequence.keypoints_3d[:, :1]
    keypoints = sequence.keypoints / sequence.width * 2 - [1, sequence.height / sequence.width]
    return keypoints, ground_truth + [0.0, 0.03, 0.04], ground_truth


def colours(image: Image.Image) -> np.ndarray:
    return np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)


def test_errors_are_millimetres(clip):
    _, flat, errors = comparison._prepare(*clip, "h36m_17")
    np.testing.assert_allclose(errors, 50, rtol=1e-4)
    # y of normalised screen space points down, the drawing's points up.
    np.testing.assert_allclose(flat[0], clip[0] * [1, -1])


def test_picture_shows_both_sides(tmp_path, clip):
    path = comparison.draw_comparison(*clip, tmp_path / "a.png", frames=3)
    image = Image.open(path)
    assert image.height > image.width * 0.7  # three rows, four columns
    found = {tuple(colour) for colour in colours(image)}
    assert {(0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)} <= found


def test_gif_keeps_the_speed_of_the_clip(tmp_path, clip):
    image = Image.open(comparison.animate_comparison(*clip, tmp_path / "a.gif", fps=30))
    durations = []
    for frame in range(image.n_frames):
        image.seek(frame)
        durations.append(image.info["duration"])
    assert image.n_frames == 15 and sum(durations) == 1000
    assert image.info["loop"] == 0


def test_gif_moves(tmp_path, clip):
    image = Image.open(comparison.animate_comparison(*clip, tmp_path / "a.gif", fps=30))
    first = np.asarray(image.convert("RGB"), dtype=int)
    image.seek(10)
    assert (np.abs(np.asarray(image.convert("RGB"), dtype=int) - first) > 60).any()


def test_arrays_that_do_not_belong_together_are_named(tmp_path, clip):
    with pytest.raises(ValueError, match=r"prediction \(29, 17, 3\)"):
        comparison.draw_comparison(clip[0], clip[1][1:], clip[2], tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
