import builtins

import numpy as np
import pytest
from exported_models import make_info

from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.runtime import OnnxModel
from mpm_mmpose.runtime.onnx_model import choose_providers

T, K = 9, 17


@pytest.fixture
def windows():
    windows = np.random.default_rng(0).normal(size=(4, T, K, 2)).astype(np.float32)
    windows[1, T // 2, 3] = np.nan
    return windows


def test_masked_keypoints_are_a_mask_and_zero(model_file, windows):
    poses = OnnxModel(model_file).targets(windows, flip_test=False)
    middle = windows[:, T // 2]
    expected = np.concatenate((np.nan_to_num(middle) + [0.25, 0], np.isnan(middle[..., :1])), axis=-1)
    np.testing.assert_allclose(poses, expected, atol=1e-6)
    assert poses[1, 3].tolist() == [0.25, 0, 1]


def test_flip_test_is_the_mean_with_left_and_right_exchanged(model_file, windows):
    poses = OnnxModel(model_file).targets(windows, flip_test=True)
    # The shift of the plain and of the mirrored input cancel, and the mask is mirrored with its keypoint.
    np.testing.assert_allclose(poses[..., :2], np.nan_to_num(windows[:, T // 2]), atol=1e-6)
    assert poses[1, 3, 2] == 1 and poses[..., 2].sum() == 1


def test_whole_windows(write_model, windows):
    model = OnnxModel(write_model(output="sequence"))
    np.testing.assert_allclose(model.sequences(windows, False)[..., 1], np.nan_to_num(windows[..., 1]), atol=1e-6)
    assert TrackLifter(model).mode == "blended" and TrackLifter(model, mode="exact").mode == "exact"
    np.testing.assert_array_equal(model.targets(windows, True), model.sequences(windows, True)[:, T // 2])


def test_a_file_of_targets_gives_no_sequences(model_file, windows):
    model = OnnxModel(model_file)
    with pytest.raises(ValueError, match="gives poses of the target; export it with --output sequence"):
        model.sequences(windows, False)
    with pytest.raises(ValueError, match="mode 'blended' needs poses of the sequence"):
        TrackLifter(model, mode="blended")


def test_the_lifter_takes_what_the_file_says(write_model):
    lifter = TrackLifter(OnnxModel(write_model(fps=12.5, frame_step=3)))
    assert (lifter.fps, lifter.frame_step, lifter.window, lifter.mode) == (12.5, 3, T, "exact")
    assert lifter.keypoint_set == H36M_17.name
    with pytest.raises(ValueError, match="the model is of h36m_17; give keypoint_set='h36m_17', not 'common_16'"):
        TrackLifter(OnnxModel(write_model()), keypoint_set="common_16")


def test_providers_by_name(model_file):
    assert OnnxModel(model_file, ["CPUExecutionProvider"]).session.get_providers() == ["CPUExecutionProvider"]
    message = "provider 'CPUExecutionProvidr' is not known; did you mean 'CPUExecutionProvider'?"
    with pytest.raises(UsageError, match=message):
        OnnxModel(model_file, ["CPUExecutionProvidr"])


def test_the_gpu_comes_first_unless_others_are_asked_for():
    available = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert choose_providers(available, None) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert choose_providers(available, available[:1]) == available[:1]
    assert choose_providers(available[2:], None) == ["CPUExecutionProvider"]


def test_files_that_are_no_models(write_model, tmp_path):
    with pytest.raises(UsageError, match="none.onnx: no such file; give what tools/deployment/export_onnx.py wrote"):
        OnnxModel(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("this is no model")
    with pytest.raises(ValueError, match="text.onnx: is no model that ONNX Runtime can open"):
        OnnxModel(tmp_path / "text.onnx")
    with pytest.raises(ValueError, match="is no model of MPM"):
        OnnxModel(write_model(metadata=dict(author="somebody else")))
    with pytest.raises(UsageError, match="gives features, which are no poses"):
        OnnxModel(write_model(output="features"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(window=81), r"it takes {'keypoints': \(81, 17, 2\), .* and takes {'keypoints': \(9, 17, 2\)"),
        (dict(keypoint_set="common_16"), r"\(9, 16, 2\), .* gives \(16, 3\) per window, and takes .* gives \(17, 3\)"),
        (dict(output="sequence"), r"gives \(9, 17, 3\) per window, and takes .* gives \(17, 3\); export it again"),
        (dict(input="3d"), r"\(9, 17, 3\), .* takes {'keypoints': \(9, 17, 2\)"),
        (dict(mask_tokens=False), r"it takes {'keypoints': \(9, 17, 2\)} and .* 'masked': \(9, 17\)"),
    ],
)
def test_a_file_that_contradicts_itself(write_model, changes, message):
    with pytest.raises(ValueError, match=message):
        OnnxModel(write_model(make_info(**changes).to_metadata()))


def test_without_onnx_runtime_the_package_is_named(model_file, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="pip install onnxruntime"):
        OnnxModel(model_file)
