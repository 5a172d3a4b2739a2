import pytest

from mpm_mmpose.limits import check_fps, check_frames, farthest_pixel, is_fps


def test_rates():
    assert [is_fps(fps) for fps in (0.99, 1, 1000, 1000.1, float("nan"), float("inf"), -30)] == [
        *(False, True, True, False, False, False, False),
    ]
    assert check_fps("a.json", 29.97) == 29.97
    with pytest.raises(ValueError, match="^a.json: fps is 1e-09; give the frames a second, from 1 to 1000$"):
        check_fps("a.json", 1e-9)


def test_frames():
    assert check_frames("here", 12.9) == 12
    for frames in (1e7 + 1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="here: this makes .* frames, more than 10,000,000; give it in parts"):
            check_frames("here", frames)


def test_pixels():
    assert farthest_pixel(1920, 1080) == 19200 and farthest_pixel(2, 2) == 10_000
