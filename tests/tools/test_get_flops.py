"""FLOPs against counts by hand, and what the command prints and refuses."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/analysis_tools/get_flops.py"
LIFTER = """
model = dict(
    type="PoseLifter",
    backbone=dict(
        type="MPMBackbone", num_frames=9, channels=16, hidden_channels=24, depth=2, inputs=("2d",), mask_tokens=False
    ),
    head=dict(type="LiftingHead", num_frames=9, strides=(3, 3), channels=16, hidden_channels=24),
)
"""


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("get_flops", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def measured(tool, tmp_path, capsys):
    def measured(text, *arguments):
        (tmp_path / "config.py").write_text(text)
        assert tool.main([str(tmp_path / "config.py"), "--json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    return measured


def linear(inputs, outputs, rows):
    return 2 * inputs * outputs * rows


def attention(frames, channels):
    """Projections, and two products of all frames with all frames."""
    return linear(channels, 4 * channels, frames) + 4 * frames * frames * channels


def test_lifter_costs_what_its_sums_say(measured):
    found = measured(LIFTER)
    layer = attention(9, 16) + 2 * linear(16, 24, 9)
    strided = [attention(t, 16) + linear(16, 24, t) + linear(3 * 24, 16, t // 3) for t in (9, 3)]
    expected = {
        "backbone.encoder_2d": linear(34, 32, 9),
        "backbone.spatial": 2 * linear(32, 32, 9) + linear(32, 16, 9),
        "backbone.temporal": 2 * layer,
        "backbone.temporal.layers.0.attention": attention(9, 16),
        "head.decoder": sum(strided),
        "head.decoder.layers.1": strided[1],
        "head.target_out": linear(16, 51, 1),
        "head.sequence_out": linear(16, 51, 9),
        "head.target_norm": 0,
    }
    assert {name: found["modules"][name]["flops"] for name in expected} == expected
    parts = ["encoder_2d", "spatial", "temporal"]
    assert found["modules"]["backbone"]["flops"] == sum(expected[f"backbone.{part}"] for part in parts)
    # Neither is called itself: mmpose calls the head's method, and a list only holds its layers.
    parts = ["decoder", "target_out", "sequence_out"]
    assert found["modules"]["head"]["flops"] == sum(expected[f"head.{part}"] for part in parts)
    assert found["modules"]["head.decoder.layers"]["flops"] == sum(strided)
    assert found["flops"] == found["modules"]["backbone"]["flops"] + found["modules"]["head"]["flops"]
    assert found["modules"]["backbone.encoder_2d"]["parameters"] == 34 * 32 + 32 + 2 * 32
    assert found["output_frames"] == 1
    assert found["flops_per_output_frame"] == found["flops"]


def test_pretraining_encodes_visible_frames_and_gives_all(measured):
    width = dict(num_frames=10, num_keypoints=16, channels=16, hidden_channels=24)
    model = dict(
        type="MaskedPoseEstimator",
        data_preprocessor=dict(type="PretrainPreprocessor", keypoint_set="common_16"),
        backbone=dict(type="MPMBackbone", depth=1, **width),
        head=dict(type="MaskedPoseHead", **width),
    )
    found = measured(f"model = {model}")
    assert found["modules"]["backbone.encoder_3d"]["flops"] == linear(48, 32, 4)  # 6 of 10 frames are masked
    # Both modalities pass through the shared layers.
    assert found["modules"]["backbone.temporal"]["flops"] == 2 * (attention(4, 16) + 2 * linear(16, 24, 4))
    assert found["modules"]["head.decoder_3d.layers"]["flops"] == attention(10, 16) + 2 * linear(16, 24, 10)
    assert found["output_frames"] == 10
    assert found["flops_per_output_frame"] == found["flops"] / 10


def test_convolutional_lifter_of_mmpose(measured):
    found = measured("""
model = dict(
    type="PoseLifter",
    backbone=dict(type="TCN", in_channels=34, stem_channels=8, num_blocks=1, kernel_sizes=(3, 3), use_stride_conv=True),
    head=dict(type="TemporalRegressionHead", in_channels=8, num_joints=17, loss=dict(type="MPJPELoss")),
)
""")
    assert found["input_shape"] == [1, 9, 17, 2]
    assert found["modules"]["backbone.expand_conv"]["flops"] == linear(3 * 34, 8, 3)
    assert found["modules"]["head"]["flops"] == linear(8, 51, 1)
    assert found["output_frames"] == 1


def test_sequence_lifter_of_mmpose(measured):
    found = measured("""
model = dict(
    type="PoseLifter",
    backbone=dict(type="DSTFormer", in_channels=3, feat_size=16, depth=1, num_heads=2, seq_len=27),
    head=dict(type="MotionRegressionHead", in_channels=16, embedding_size=8, loss=dict(type="MPJPELoss")),
)
""")
    assert found["modules"]["backbone.joints_embed"]["flops"] == linear(3, 16, 27 * 17)
    assert found["output_frames"] == 27
    assert found["flops_per_output_frame"] == found["flops"] / 27


def test_table_of_a_config_of_this_project(tool, capsys):
    assert tool.main([str(ROOT / "configs/mpm/lift_h36m_243.py"), "--depth", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # 7,009,382 in the release, of which 1,024 are never used and not here.
    assert lines[1].split() == ["PoseLifter", "7,008,358", "2,043,073,536"]
    assert [line.split()[0] for line in lines[2:4]] == ["backbone", "head"]
    assert lines[-1] == "one output frame costs 2,043,073,536 FLOPs"


def test_overrides_reach_the_model(measured):
    shallow = measured(LIFTER, "--cfg-options", "model.backbone.depth=1", "model.head.num_keypoints=16")
    assert "backbone.temporal.layers.1" not in shallow["modules"]
    assert shallow["modules"]["head.target_out"]["parameters"] == 16 * 48 + 48


def test_wrong_use_says_what_is_wrong(tool, tmp_path, capsys):
    assert tool.main([str(tmp_path / "absent.py")]) == 2
    assert "absent.py: [Errno 2] No such file" in capsys.readouterr().err
    (tmp_path / "empty.py").write_text("")
    assert tool.main([str(tmp_path / "empty.py")]) == 2
    assert "empty.py: the config has no model" in capsys.readouterr().err
    (tmp_path / "other.py").write_text('model = dict(type="PoseLifter", backbone=dict(type="ResNet"))')
    assert tool.main([str(tmp_path / "other.py")]) == 2
    assert "backbone ResNet does not tell its input: give --shape" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool.main(["config.py", "--shape", "243"])
    assert "'243' is not three numbers" in capsys.readouterr().err


@pytest.mark.parametrize("script", ["analysis_tools/get_flops.py", "model_converters/mpm_official.py"])
def test_help_does_not_wait_for_imports(script):
    lines = (
        "import runpy, sys",
        f"sys.argv = ['{script}', '--help']",
        "try: runpy.run_path(sys.argv[0], run_name='__main__')",
        "except SystemExit: print('torch' in sys.modules, 'numpy' in sys.modules)",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tools")
    assert "usage:" in done.stdout and done.stdout.endswith("False False\n")
