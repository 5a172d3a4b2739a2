from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.readers.detections import Detections
from mpm_mmpose.readers.frame_times import frame_times, known_rate


def found_in(frames, listed=None, **more):
    """People found in these frames of a file that lists others as well."""
    frames = np.array(frames, np.int64)
    poses = np.ones((len(frames), 17, 2), np.float32)
    boxes = np.full((len(frames), 4), np.nan, np.float32)
    listed = None if listed is None else np.array(listed, np.int64)
    more = dict(listed=listed, tracks=None) | more
    return Detections("walk", Path("walk.json"), "coco_17", frames, poses, poses[..., 0], boxes, **more)


def test_the_frames_are_those_that_the_file_lists():
    timed = frame_times(found_in([45, 46, 50], range(135)), 30)
    assert timed.frames.tolist() == [45, 46, 50] and len(timed.times) == 135 and timed.fps == 30
    np.testing.assert_allclose(timed.times[timed.frames], np.array([45, 46, 50]) / 30)
    assert timed.notes == []


def test_people_in_every_tenth_frame_are_not_ten_times_too_fast():
    sparse = list(range(0, 91, 10))
    for detections in (found_in(sparse, range(91)), found_in(sparse)):
        timed = frame_times(detections, 30)
        np.testing.assert_allclose(timed.times[timed.frames], np.arange(10) / 3)
        assert timed.fps == 30 and len(timed.times) == 91


def test_a_file_of_every_second_frame_has_half_the_rate():
    timed = frame_times(found_in([1, 3, 9], [1, 3, 5, 7, 9]), 50)
    assert timed.frames.tolist() == [0, 1, 4] and timed.fps == 25
    np.testing.assert_allclose(timed.times, np.arange(5) / 25)
    assert timed.notes[0] == "frame 0 is number 1 of the file"
    assert "the file has every 2. frame: 50 frames a second are those of the numbers, so these are 25" in timed.notes[1]


@pytest.mark.parametrize(
    ("numbers", "first"),
    [(range(0, 9), 0), (range(1, 9), 1), (range(45, 135), 0), (range(5000, 5100), 5000)],
)
def test_numbers_without_a_list_count_from_0_unless_they_begin_far_away(numbers, first):
    numbers = np.array(numbers)
    timed = frame_times(found_in(numbers), 30)
    np.testing.assert_array_equal(timed.frames, numbers - first)
    np.testing.assert_allclose(timed.times[timed.frames], (numbers - first) / 30)
    assert (f"frame 0 is number {first} of the file" in timed.notes) == (first > 0)


@pytest.mark.parametrize(
    ("unit", "first", "name"),
    [(1e-9, 1663854812345678901, "nanoseconds"), (1e-6, 1632759066033000, "microseconds"), (1e-3, 16327590660330, "")],
)
@pytest.mark.parametrize("fps", [None, 25.0])
def test_numbers_since_1970_are_times(unit, first, name, fps):
    if not name:
        unit, first, name = 1e-3, 1632759066033, "milliseconds"
    steps = np.array([0, 40, 81, 120, 200, 240]) / 1000
    numbers = first + np.rint(steps / unit).astype(np.int64)
    detections = found_in(numbers[[0, 2, 5]], numbers)
    timed = frame_times(detections, fps)
    np.testing.assert_allclose(timed.times, steps, atol=1e-6)
    assert timed.frames.tolist() == [0, 2, 5] and timed.fps == pytest.approx(25, rel=0.01)
    assert timed.notes == [f"the frames' numbers are read as {name}: 6 frames in 0.24 s"]
    assert known_rate(detections) == pytest.approx(25, rel=0.01)


def test_milliseconds_are_known_by_the_rate():
    numbers = np.rint(np.arange(30) * 1000 / 30).astype(np.int64)
    timed = frame_times(found_in(numbers), 30)
    np.testing.assert_allclose(timed.times, np.arange(30) / 30, atol=1e-3)
    assert "read as milliseconds" in timed.notes[0]
    # Eleven frames apart is a detector's step, and no time.
    assert "milliseconds" not in " ".join(frame_times(found_in(np.arange(30) * 11), 30).notes)


def test_other_stamps_than_the_rate_are_said():
    numbers = 1632759066033 + np.arange(10) * 100
    timed = frame_times(found_in(numbers), 30)
    np.testing.assert_allclose(timed.times, np.arange(10) / 10)
    assert timed.notes[0].endswith("10 frames in 0.90 s, 10 a second and not 30")


def test_times_of_the_file_and_a_rate_instead():
    detections = found_in([0, 2], times=np.array([0.0, 0.1, 0.3]))
    timed = frame_times(detections)
    assert timed.times.tolist() == [0.0, 0.1, 0.3] and timed.fps == pytest.approx(1 / 0.15)
    np.testing.assert_allclose(frame_times(detections, 10).times, [0, 0.1, 0.2])


def test_what_cannot_be_counted():
    with pytest.raises(ValueError, match=r"walk.json: does not say how many frames a second it has; give fps"):
        frame_times(found_in([0, 1]))
    with pytest.raises(ValueError, match="walk.json: its frame numbers span 2,000,000,001 frames; number them one"):
        frame_times(found_in([0, 1, 2 * 10**9]), 30)
    assert known_rate(found_in([0, 1, 2])) == 0
