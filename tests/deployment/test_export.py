import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from mpm_mmpose.apis import MPMInferencer, UsageError
from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.deployment import export as module
from mpm_mmpose.deployment import precision
from mpm_mmpose.deployment.export import (
    TOLERANCE,
    build_graph,
    export_model,
    load_exported,
    random_windows,
    write_graph,
)
from mpm_mmpose.lifting.window_model import WindowModel
from mpm_mmpose.lifting.windows import cut_windows
from mpm_mmpose.pose.geometry import normalize_screen, to_rays
from mpm_mmpose.readers import read_motion
from mpm_mmpose.runtime import OnnxModel
from mpm_mmpose.runtime.shipped import shipped_model
from studies.quickstart.synthetic_motion import generate_motion

CONFIGS = Path(__file__).parents[2] / "configs/mpm"


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A function that exports a kind once and gives the file."""
    folder = tmp_path_factory.mktemp("exported")

    def export(kind: str, output: str = "target") -> str:
        path = folder / f"{kind}_{output}.onnx"
        if not path.is_file():
            export_model(*trained(kind), path, output=output)
        return path

    return export


@pytest.fixture(scope="module")
def clip():
    return next(project_views(generate_motion("walking", 1.5, 30, 0), cameras=1))


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("lift", "target"),
        ("apart", "target"),
        ("lift_all", "sequence"),
        ("occluded", "target"),
        ("completion", "target"),
    ],
)
def test_a_thousand_random_windows_as_pytorch_has_them(trained, exported, kind, output):
    path = exported(kind, output)
    model = OnnxModel(path)
    plain = WindowModel(build_lifter(*trained(kind), "cpu"), "h36m_17")
    arguments = random_windows(model.info, 1000, seed=7)
    windows = arguments[0].numpy().copy()
    if model.mask_tokens:
        windows[arguments[1].numpy()] = np.nan
    assert np.isnan(windows).any() == (kind != "lift_all")
    for flip_test in (False, True):
        if output == "target":
            ours, theirs = (one.targets(windows, flip_test) for one in (model, plain))
        else:
            ours, theirs = (one.sequences(windows, flip_test) for one in (model, plain))
        assert theirs.std() > 0.05 and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert (ours[..., 0, :] == 0).all()


def test_features_are_the_encoders(trained, exported):
    path = exported("lift", "features")
    graph, info = build_graph(*trained("lift"), "features")
    arguments = random_windows(info, 5, seed=1)
    with torch.no_grad():
        expected = build_lifter(*trained("lift"), "cpu").backbone(arguments[0], keypoint_mask=arguments[1])
    np.testing.assert_allclose(load_exported(path, "onnx")(*arguments), expected, atol=1e-4)


@pytest.mark.parametrize("format", ["torch_export", "torchscript"])
def test_formats_of_pytorch(trained, tmp_path, format):
    path = tmp_path / f"model{module.SUFFIXES[format]}"
    info, difference = export_model(*trained("lift"), path, format=format)
    assert difference <= 1e-6
    graph, _ = build_graph(*trained("lift"))
    extra = {"mpm.json": ""}
    if format == "torch_export":
        torch.export.load(path, extra_files=extra)
    else:
        torch.jit.load(path, _extra_files=extra)
    assert json.loads(extra["mpm.json"]) == info.to_metadata()
    for batch in (1, 3, 70):
        arguments = random_windows(info, batch, seed=batch)
        with torch.no_grad():
            assert torch.equal(load_exported(path, format)(*arguments), graph(*arguments))


def test_the_file_says_what_it_is_and_not_where_it_was_made(trained, exported):
    path = exported("lift")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    batch = shapes["poses"][0]
    assert isinstance(batch, str)
    assert shapes == dict(keypoints=[batch, 9, 17, 2], masked=[batch, 9, 17], poses=[batch, 17, 3])
    assert {opset.domain: opset.version for opset in model.opset_import}[""] == 18
    info = OnnxModel(path).info
    assert (info.window, info.fps, info.frame_step, info.mask_tokens) == (9, 25.0, 1, True)
    assert (info.config, info.checkpoint) == ("lift.py", "lift.pth")
    config, _ = trained("lift")
    assert str(config.parent).encode() not in path.read_bytes() and b".py:" not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir() if file.suffix == ".data"] == []


def test_the_inferencer_gives_the_same(trained, exported, clip):
    keypoints = clip.keypoints.copy()
    keypoints[10:14, 3] = np.nan
    keypoints[20:30] = np.nan
    video = dict(width=clip.width, height=clip.height, fps=clip.fps, keypoint_set="h36m_17")
    config, weights = trained("lift")
    (theirs,) = MPMInferencer(config, weights, device="cpu")(keypoints, **video)
    inferencer = MPMInferencer(backend="onnx", weights=exported("lift"), providers=["CPUExecutionProvider"])
    (ours,) = inferencer(keypoints, **video)
    a, b = ours.people[0], theirs.people[0]
    assert a.masked[10:14, 3].all() and (a.masked == b.masked).all() and np.isfinite(a.keypoints_3d[:10]).all()
    np.testing.assert_allclose(a.keypoints_3d, b.keypoints_3d, atol=1e-4)


def test_the_inferencer_completes_the_same(trained, exported, clip):
    poses = clip.keypoints_3d.copy()
    poses[:, 11:14] = np.nan
    config, weights = trained("completion")
    ours, theirs = (
        next(inferencer(poses, "complete", fps=30)).people[0].keypoints_3d
        for inferencer in (
            MPMInferencer(backend="onnx", weights=exported("completion")),
            MPMInferencer(config, weights, device="cpu"),
        )
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_wrong_use_of_the_inferencer(trained, exported):
    with pytest.raises(UsageError, match="backend 'tensorrt' is not known; there are onnx, pytorch"):
        MPMInferencer(backend="tensorrt")
    with pytest.raises(UsageError, match="backend 'onnx': give the exported model as weights"):
        MPMInferencer("mpm_mocap_27", backend="onnx")
    with pytest.raises(UsageError, match="providers are ONNX Runtime's: give backend='onnx'"):
        MPMInferencer(*trained("lift"), providers=["CPUExecutionProvider"])
    with pytest.raises(
        UsageError, match=r"lift_target.onnx: is an exported model; give backend='onnx' \(--backend onnx\)"
    ):
        MPMInferencer("mpm_mocap_27", exported("lift"), backend="pytorch")
    with pytest.raises(UsageError, match="give weights"):
        MPMInferencer(backend="pytorch")


def test_wrong_use(trained, tmp_path):
    files = trained("refined")
    with pytest.raises(UsageError, match="refines its target pose with the camera, which is no input"):
        export_model(*files, tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="give a file that ends in .pt2"):
        export_model(*files, tmp_path / "a.onnx", format="torch_export")
    with pytest.raises(UsageError, match="format 'onx' is not known; did you mean 'onnx'"):
        export_model(*files, tmp_path / "a.onnx", format="onx")
    with pytest.raises(UsageError, match="precision int8 is for ONNX"):
        export_model(*files, tmp_path / "a.ts", format="torchscript", precision="int8")
    with pytest.raises(UsageError, match="precision 'int4' is not known"):
        export_model(*files, tmp_path / "a.onnx", precision="int4")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_gives_other_numbers_is_not_kept(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_difference", lambda *_: 2 * TOLERANCE)
    with pytest.raises(ValueError, match="differs from PyTorch by 2.0e-04; nothing was kept"):
        export_model(*trained("lift"), tmp_path / "a.ts", format="torchscript")
    monkeypatch.setattr(module, "_difference", lambda *_: float("nan"))
    with pytest.raises(ValueError, match="differs from PyTorch by nan"):
        export_model(*trained("lift"), tmp_path / "a.ts", format="torchscript")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_real_size_on_recorded_motion(motion_dir, tmp_path):
    graph, info = build_graph(CONFIGS / "lift_h36m_243.py", None)
    torch.nn.init.normal_(graph.head.target_out.weight, std=0.05)  # poses of the size of people
    write_graph(graph, info, tmp_path / "model.onnx", "onnx")
    clip = next(project_views(read_motion(sorted(motion_dir.glob("bandai-1/*.bvh"))[0]), cameras=1))
    shown = normalize_screen(clip.keypoints, clip.width, clip.height)
    windows = cut_windows(shown, np.linspace(0, len(shown) - 1, 16).astype(int) - 121, 243, 1)
    with torch.no_grad():
        expected = graph(torch.from_numpy(windows)).numpy()
    poses = OnnxModel(tmp_path / "model.onnx").targets(windows, flip_test=False)
    assert expected.std() > 0.1
    np.testing.assert_allclose(poses, expected, atol=1e-4)


def test_large_features_may_differ_by_more(trained, monkeypatch):
    """Features have no unit: those of trained models go to some hundreds, where float32 is off by 1e-4."""
    graph, info = build_graph(*trained("lift"), "features")
    expected = torch.tensor([[[300.0, -1.0]]])
    for off, difference in ((3e-3, 1e-5), (0.3, 1e-3)):
        monkeypatch.setattr(module, "load_exported", lambda *_, off=off: lambda *_: expected + off)
        found = module._difference(lambda *_: expected, info, Path("a.onnx"), "onnx")
        assert found == pytest.approx(difference, rel=1e-2)


def test_weights_stored_in_half_precision_are_smaller_and_nearly_the_same(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "FEWEST", 64)  # the model of the tests is small
    files = trained("lift")
    whole, short = (tmp_path / name for name in ("whole.onnx", "short.onnx"))
    export_model(*files, whole)
    _, difference = export_model(*files, short, precision="stored_float16")
    assert short.stat().st_size < 0.8 * whole.stat().st_size
    assert 0 < difference < 0.01


@pytest.mark.parametrize(("precision", "most", "output"), [("float16", 2e-3, "target"), ("int8", 1e-2, "sequence")])
def test_the_shipped_model_in_other_precisions(tmp_path, precision, most, output):
    """On people who walk, in the mean, as docs/deployment.md has it on recorded ones."""
    weights = shipped_model().with_suffix(".pth")
    export_model(CONFIGS / "wild_27.py", weights, tmp_path / "a.onnx", output=output, precision=precision)
    (clip,) = project_views(generate_motion("walking", 2.0, 30, 0), cameras=1)
    windows = cut_windows(to_rays(clip.keypoints, clip.intrinsics), np.arange(30), 27, 1)
    found, expected = (OnnxModel(file).targets(windows, False) for file in (tmp_path / "a.onnx", None))
    distance = np.linalg.norm(found - expected, axis=-1).mean()
    assert 0 < distance < most  # m
