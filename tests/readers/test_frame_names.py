import pytest

from mpm_mmpose.readers.frame_names import frames_of_names

NOON = 1632744000  # 2021-09-27 12:00:00 UTC


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["walk/000012", "walk/000013"], [("walk", 12), ("walk", 13)]),
        (["7", "10"], [("", 7), ("", 10)]),
        (["a_1", "a_2", "b_1"], [("a", 1), ("a", 2), ("b", 1)]),
        (["IMG (0)", "IMG (12)"], [("IMG", 0), ("IMG", 12)]),
        (["frame_12_resized", "frame_13_resized"], [("frame resized", 12), ("frame resized", 13)]),
        (["cam1_0001_x264", "cam1_0002_x264"], [("cam1 x264", 1), ("cam1 x264", 2)]),
        (["cam1_5", "cam2_5", "cam2_6"], [("cam1", 5), ("cam2", 5), ("cam2", 6)]),
        (["take3_0007"], [("take3", 7)]),
        (["1663854812345678901", "1663854812379012234"], [("", 1663854812345678901), ("", 1663854812379012234)]),
        # Dates and times of day are microseconds.
        (
            ["2021-09-27_12-00-00-033", "2021-09-27_12-00-01-066"],
            [("", NOON * 10**6 + 33000), ("", (NOON + 1) * 10**6 + 66000)],
        ),
        (["cam 20210927_120000123"], [("cam", NOON * 10**6 + 123000)]),
        (["Annotation 2021-09-27 120002"], [("Annotation", (NOON + 2) * 10**6)]),
        (["12-00-00.5", "12-00-01.25"], [("", 946728000500000), ("", 946728001250000)]),
        # Numbers that only look like them.
        (["walk_20210927_000001", "walk_20210927_000002"], [("walk_20210927", 1), ("walk_20210927", 2)]),
        (["120000", "120001"], [("", 120000), ("", 120001)]),
    ],
)
def test_video_and_frame(names, frames):
    assert frames_of_names(names) == frames


def test_a_name_without_a_number():
    assert frames_of_names(["walk_1", "cover"]) is None
