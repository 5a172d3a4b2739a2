import pytest

from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17
from mpm_mmpose.runtime.model_info import FORMAT_VERSION, ModelInfo

INFO = ModelInfo("2d", "target", "h36m_17", 27, 2, 29.97, True, "mpm_mmpose 0.1.0", "a.py", "b.pth")


MODEL = '{"type": "PoseLifter", "backbone": {"num_frames": 27, "place_apart": true}}'


@pytest.mark.parametrize(
    "changes", [{}, dict(fps=None, mask_tokens=False, output="sequence", input="3d"), dict(model=MODEL)]
)
def test_what_is_written_is_read(changes):
    info = ModelInfo(**(vars(INFO) | changes))
    metadata = info.to_metadata()
    assert all(isinstance(value, str) and name.startswith("mpm_") for name, value in metadata.items())
    assert ModelInfo.from_metadata(metadata | {"others": "do not matter"}, "x.onnx") == info


def test_files_of_before_there_was_a_model_in_them_are_read():
    metadata = {name: value for name, value in INFO.to_metadata().items() if name != "mpm_model"}
    assert ModelInfo.from_metadata(metadata, "x.onnx") == INFO


def test_what_a_reader_without_us_needs_is_said():
    said = INFO.to_metadata()
    assert said["mpm_keypoints"].split(",") == list(H36M_17.names) and said["mpm_root"] == "pelvis"
    assert said["mpm_target_frame"] == "13" and said["mpm_fps"] == "29.97"
    assert "2 * x_px / width - 1" in said["mpm_input_space"] and "y down" in said["mpm_output_space"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(mpm_format_version=None), "x.onnx: is no model of MPM .*export one: tools/deployment/export_onnx.py"),
        (dict(mpm_format_version="99"), f"its format version is 99, this program reads {FORMAT_VERSION}; export it"),
        (dict(mpm_keypoint_set="h36m_18"), "keypoint set 'h36m_18' is not known; use one of .*h36m_17"),
        (dict(mpm_keypoints=",".join(COMMON_16.names)), "says h36m_17 and lists other keypoints"),
        (dict(mpm_window="many"), "its metadata mpm_window is 'many', which is damaged"),
        (dict(mpm_mask_tokens="yes"), "mpm_mask_tokens is 'yes', which is damaged"),
        (dict(mpm_made_by=None), "mpm_made_by is None, which is damaged"),
        (dict(mpm_output="video"), "output 'video'"),
        (dict(mpm_frame_step="0"), "frame_step 0"),
        (dict(mpm_window="9" * 5000), "its metadata mpm_window is .* .5000 characters., which is damaged"),
        (dict(mpm_fps="1e9"), "x.onnx: its metadata mpm_fps: fps is 1e.09; give the frames a second, from 1 to 1000"),
        (dict(mpm_fps="nan"), "x.onnx: its metadata mpm_fps: fps is nan; give the frames a second"),
        (dict(mpm_model="{"), "mpm_model is damaged or of another window"),
        (dict(mpm_model='{"backbone": {"num_frames": 81}}'), "mpm_model is damaged or of another window"),
        (dict(mpm_model='{"backbone": []}'), "mpm_model is damaged or of another window"),
    ],
)
def test_other_files_are_refused_with_the_field(changes, message):
    metadata = {name: value for name, value in (INFO.to_metadata() | changes).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        ModelInfo.from_metadata(metadata, "x.onnx")
