from mpm_mmpose.format_names import DETECTOR_SETS, FORMATS, KEYPOINT_FORMATS, suffix_of
from mpm_mmpose.readers import keypoints_2d
from mpm_mmpose.readers.keypoint_choice import SETS_BY_NUMBER


def test_keypoint_formats_are_those_that_are_read():
    read = {
        *keypoints_2d._JSON,
        *(format for format, _ in keypoints_2d._OTHER.values()),
        "openpose",
        "videopose3d",
        "yolo",
    }
    assert set(KEYPOINT_FORMATS) == read


def test_detector_sets_are_those_that_files_can_have():
    assert set(DETECTOR_SETS) == {name for names in SETS_BY_NUMBER.values() for name in names} | {"posetrack_17"}


def test_no_two_formats_have_one_suffix():
    assert len({suffix_of(format) for format in FORMATS}) == len(FORMATS)
    assert (suffix_of("video"), suffix_of("bvh")) == (".mp4", ".bvh")
