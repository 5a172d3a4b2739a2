import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).parents[3] / "studies/real/video_to_gif.py"


@pytest.fixture(scope="module")
def main():
    spec = importlib.util.spec_from_file_location("video_to_gif", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A white square goes 3 px a frame."""
    path = tmp_path_factory.mktemp("video") / "square.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (200, 100))
    for frame in range(60):
        image = np.zeros((100, 200, 3), np.uint8)
        image[40:60, 3 * frame : 3 * frame + 20] = 255
        writer.write(image)
    writer.release()
    return path


def test_a_part_of_the_video_at_its_own_speed(main, video, tmp_path, capsys):
    out = tmp_path / "a.gif"
    assert (
        main([str(video), "--out", str(out), "--start", "0.5", "--seconds", "1", "--fps", "12", "--width", "100"]) == 0
    )
    assert "12 frames" in capsys.readouterr().out
    image = Image.open(out)
    assert image.size == (100, 50) and image.n_frames == 12
    durations, places = [], []
    for frame in range(12):
        image.seek(frame)
        durations.append(image.info["duration"])
        places.append((np.asarray(image.convert("L")) > 128).nonzero()[1].mean())
    assert sum(durations) == 1000
    # From the fifteenth frame on, the first frame after each twelfth of a second, half as large.
    shown = np.ceil(15 + np.arange(12) * 30 / 12 - 1e-6)
    np.testing.assert_allclose(places, (3 * shown + 9.5) / 2, atol=1.6)


def test_nothing_to_show_is_said(main, video, tmp_path, capsys):
    assert main([str(video), "--out", str(tmp_path / "a.gif"), "--start", "5"]) == 1
    assert "no frame from 5 s on" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path / "none.mp4"), "--out", "a.gif"])
    assert stop.value.code == 2 and "no such file" in capsys.readouterr().err
