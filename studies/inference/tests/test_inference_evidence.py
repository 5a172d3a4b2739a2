import importlib

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store

from ...quickstart.synthetic_motion import generate_motion

CONFIG = """
default_scope = "mmpose"
width = dict(num_frames=9, channels=16, hidden_channels=16, num_heads=2)
model = dict(
    type="PoseLifter",
    backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), mask_tokens={tokens}, **width),
    head=dict(type="LiftingHead", strides=(3, 3), **width),
    data_preprocessor=dict(type="LiftingPreprocessor"),
)
"""


def load(name):
    return importlib.import_module(f"studies.inference.{name}").main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store of two short clips, and two small lifters that learned nothing."""
    init_default_scope("mmpose")
    path = tmp_path_factory.mktemp("evidence")
    motions = [generate_motion(kind, 1.0, 30, 0) for kind in ("walking", "waving")]
    write_store(path / "store", [sequence for motion in motions for sequence in project_views(motion, cameras=2)])
    for name, tokens in (("masked", True), ("plain", False)):
        (path / f"{name}.py").write_text(CONFIG.format(tokens=tokens))
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(path / f"{name}.py").model)
        torch.save(dict(state_dict=model.state_dict(), meta={}), path / f"{name}.pth")
    return path


def lifter(folder, name, prefix=""):
    return [f"--{prefix}model", str(folder / f"{name}.py"), f"--{prefix}weights", str(folder / f"{name}.pth")]


def test_the_page_has_all_studies_the_command_and_the_machine(folder, capsys):
    page = folder / "page.md"
    arguments = [str(folder / "store"), *lifter(folder, "masked"), *lifter(folder, "plain", "plain-")]
    arguments += ["--out", str(page), "--clips", "2", "--frames", "20", "--maskings", "2"]
    assert load("inference_evidence")(arguments) == 0
    text = page.read_text()
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Low confidence as masks",
        "## Spread and error",
        "## Look-ahead of `MPMStream`",
        "## Smoothing",
    ]
    assert f"--out {page} --clips 2" in text and "2 clips that the model was not trained on, 40 frames" in text
    assert "torch" in text and "CPU cores" in text and "lifter trained without masks |" in text
    pictures = sorted(file.name for file in (folder / "images").iterdir())
    assert pictures == [f"inference_{name}.png" for name in ("calibration", "filters", "look_ahead", "unsure")]
    assert all(f"](images/{name})" in text for name in pictures)
    assert str(page) in capsys.readouterr().out


def test_wrong_use_is_said(folder, capsys):
    main = load("inference_evidence")
    arguments = [str(folder / "store"), "--out", str(folder / "a.md")]
    assert main([*arguments, *lifter(folder, "plain")]) == 1
    assert "has no mask tokens" in capsys.readouterr().err
    assert main([*arguments, "--model", "mpm_h36m_234", "--weights", "x.pth"]) == 2
    assert main([str(folder / "nowhere"), *arguments[1:], *lifter(folder, "masked")]) == 1
    assert "no pose store here" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main([*arguments, *lifter(folder, "masked"), "--plain-model", "x.py"])
    assert stop.value.code == 2 and "go together" in capsys.readouterr().err
    assert not (folder / "a.md").exists()


def test_benchmark_writes_its_section(folder, monkeypatch):
    """With MMPose's networks and our full size left out, which take minutes."""
    from .. import speed_page

    configs = {name: folder / "masked.py" for name in (speed_page.FULL, "lift_mocap_27")}
    monkeypatch.setattr(speed_page, "MMPOSE", {})
    build = speed_page.untrained
    monkeypatch.setattr(speed_page, "untrained", lambda path: build(configs[path.stem]))
    page = folder / "performance.md"
    page.write_text("# Page\n\n## Speed of inference\n\nold\n\n## After\n\nkept\n")
    arguments = [str(folder / "store"), *lifter(folder, "masked"), "--page", str(page), "--frames", "500"]
    assert load("benchmark_inference")([*arguments, "--clips", "2"]) == 0
    text = page.read_text()
    assert text.startswith("# Page\n\n## Speed of inference\n\n```\n") and text.endswith("\n\n## After\n\nkept\n")
    assert "\nold\n" not in text and text.count("## Speed") == 1
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| MPM, lift_h36m_243")]
    exact, blended = (float(row[1].replace(",", "")) for row in rows)
    assert blended > 1.5 * exact > 0 and "the aim is 20 times." in text
    assert "What blending costs in accuracy" in text and "detector's noise: MPJVE, mm a frame" in text
