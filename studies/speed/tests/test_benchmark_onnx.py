from pathlib import Path

import pytest
import torch
from exported_models import make_info
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import write_store
from mpm_mmpose.deployment import precision
from studies.quickstart.synthetic_motion import generate_motion
from studies.speed import benchmark_onnx, exported

TINY = f"""
_base_ = ["{Path(__file__).parents[3]}/configs/mpm/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens=True),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


@pytest.fixture
def files(tmp_path):
    config, weights = tmp_path / "tiny.py", tmp_path / "tiny.pth"
    config.write_text(TINY)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), weights)
    return config, weights


def run(capsys, *arguments):
    try:
        status = benchmark_onnx.main(list(map(str, arguments)))
    except SystemExit as exit:
        status = exit.code
    said = capsys.readouterr()
    return status, said.out, said.err


def test_benchmark_tells_times_and_errors_of_all_precisions(files, tmp_path, capsys):
    write_store(tmp_path / "store", list(project_views(generate_motion("walking", 1.0, 30, 0), cameras=1)))
    options = ["--store", tmp_path / "store", "--rounds", 2, "--batches", 1, 4]
    status, out, err = run(capsys, *files, *options)
    assert (status, err) == (0, "")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == [
        "PyTorch float32",
        *(f"ONNX Runtime {name}" for name in precision.PRECISIONS),
    ]
    distances = [float(row[-2]) for row in rows[2:]]
    assert distances[0] == 0 and distances[1] < 0.1 and 0 < distances[2] < 5
    assert all(float(row[-1]) > 10 for row in rows[2:]) and all("(" in row[2] for row in rows[2:])
    assert "9 frames; 1 threads of" in out


def test_a_benchmark_of_random_weights_has_no_errors(files, tmp_path, capsys):
    status, _, err = run(capsys, files[0], "--store", tmp_path)
    assert status == 2 and "--store needs a CHECKPOINT" in err


def test_models_of_rays_are_shown_rays(tmp_path):
    sequences = list(project_views(generate_motion("walking", 1.0, 30, 0), cameras=1))
    write_store(tmp_path / "store", sequences)
    shown = []

    def run(windows, masked):
        shown.append(windows)
        return torch.zeros(len(windows), 17, 3)

    info = make_info(input="rays", window=9)
    exported._errors({"a": run}, info, tmp_path / "store", 100)
    rays = torch.cat(shown)[:, 4]
    points = torch.from_numpy(sequences[0].keypoints_3d)[: len(rays)]
    torch.testing.assert_close(rays, points[..., :2] / points[..., 2:], atol=5e-3, rtol=0)
