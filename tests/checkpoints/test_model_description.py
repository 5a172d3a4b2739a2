import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.checkpoints.loading import CheckpointError, load_checkpoint
from mpm_mmpose.checkpoints.model_description import (
    FIELD,
    ModelDescription,
    build_described,
    check_same,
    complete,
    contradictions,
    describe,
    plain,
)

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
SHIPPED = [path for path in sorted(CONFIGS.glob("*.py")) if not path.name.startswith(("table_", "pretrain_"))]


@pytest.fixture
def checkpoint(trained_lifter):
    return load_checkpoint(trained_lifter[1])


@pytest.fixture
def said(checkpoint):
    return ModelDescription.from_meta(checkpoint["meta"], "a.pth")


def test_a_trained_checkpoint_says_what_its_model_is_and_was_trained_on(checkpoint, said):
    assert (said.keypoint_set, said.window, said.frame_step, said.fps) == ("h36m_17", 9, 2, 50.0)
    backbone, head = said.model["backbone"], said.model["head"]
    assert said.model["type"] == "PoseLifter" and "init_cfg" not in backbone
    assert (backbone["place_apart"], backbone["num_heads"], head["align"], head["strides"]) == (
        True,
        2,
        "first",
        [3, 3],
    )
    # Defaults are there, too: another version may have others.
    assert (backbone["encode_masked_frames"], head["root"]) == (False, 0)
    assert said.model["data_preprocessor"]["keypoint_set"] == "h36m_17"
    assert not any(isinstance(value, tuple) for value in head.values())


def test_the_model_is_built_of_it_without_a_config(trained_lifter, checkpoint, said):
    cfg = Config.fromfile(trained_lifter[0])
    init_default_scope("mmpose")
    expected = MODELS.build(cfg.model).eval()
    expected.load_state_dict(checkpoint["state_dict"])
    built = build_described(said, checkpoint, "a.pth")
    windows = torch.randn(2, 9, 17, 2, generator=torch.Generator().manual_seed(0))
    for ours, theirs in zip(
        built.head(built.backbone(windows)), expected.head(expected.backbone(windows)), strict=True
    ):
        assert torch.equal(ours, theirs) and ours.isfinite().all()


def test_defaults_of_classes_that_hand_arguments_on_are_filled_in():
    config = dict(type="PoseLifter", head=dict(type="mmpose.RefinedLiftingHead", num_frames=9, strides=(3, 3)))
    head = complete(plain(config))["head"]
    assert (head["type"], head["root_depth"], head["target_weight"], head["align"]) == (
        "RefinedLiftingHead",
        "true",
        0.0,
        "centre",
    )
    head = complete(dict(type="CompletionHead", num_frames=9))
    assert (head["depth"], head["outputs"], head["num_heads"]) == (2, ["3d"], 8)


def test_any_registered_model_of_ours_is_described_as_data(monkeypatch):
    """As a model form that is not written yet: its arguments are nobody's business here."""

    class WildBackbone(nn.Module):
        def __init__(self, frames, rays=True, width=8, init_cfg=None):
            super().__init__()
            self.layer, self.rays = nn.Linear(width, frames), rays

    class SequenceHead(nn.Module):
        def __init__(self, blended=0.5, train_cfg=None, test_cfg=None):
            super().__init__()
            self.blended = blended

    for cls in (WildBackbone, SequenceHead):
        cls.__module__ = "mpm_mmpose.models.wild"
        monkeypatch.setitem(MODELS.module_dict, cls.__name__, cls)
    backbone = dict(type="WildBackbone", frames=3, init_cfg=dict(type="Pretrained", checkpoint="work_dirs/a.pth"))
    config = dict(type="PoseLifter", backbone=backbone, head=dict(type="SequenceHead"), test_cfg=dict(flip_test=True))
    said = describe(config, dict(keypoint_set="h36m_17", window=243, frame_step=2, fps=25))
    assert said.model["backbone"] == dict(type="WildBackbone", frames=3, rays=True, width=8)
    said = ModelDescription.from_meta({FIELD: said.to_meta()}, "a.pth")
    state = {"backbone.layer.weight": torch.ones(3, 8), "backbone.layer.bias": torch.ones(3)}
    built = build_described(said, dict(state_dict=state), "a.pth")
    assert (built.backbone.rays, built.head.blended, built.backbone.layer.weight.sum()) == (True, 0.5, 24)
    assert (said.window, said.fps) == (243, 25.0)


@pytest.mark.parametrize("leaf", SHIPPED, ids=lambda path: path.stem)
def test_the_model_of_every_config_is_described_and_built_of_that(leaf):
    model = Config.fromfile(leaf).model
    said = ModelDescription.from_meta({FIELD: describe(model, {}).to_meta()}, "a.pth")
    check_same(said, model, "a.pth", leaf)
    if said.window > 27:  # sizes are all that differs
        return
    init_default_scope("mmpose")
    model.backbone.init_cfg = None
    torch.manual_seed(0)
    own = MODELS.build(model)
    built = build_described(said, dict(state_dict=own.state_dict()), "a.pth")
    assert str(built.backbone) == str(own.backbone) and str(built.head) == str(own.head)


def change(description, **values):
    return {FIELD: description.to_meta() | values}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict(format_version=3), "is of format version '3', this program reads 2"),
        (dict(window=0), "has window '0', no number of 1 to 10000"),
        (dict(window=True), "has window 'True'"),
        (dict(frame_step="2"), "has frame_step '2'"),
        (dict(fps=1e-9), "has fps '1e-09', no rate of 1 to 1000 Hz"),
        (dict(fps=float("nan")), "has fps 'nan'"),
        (dict(window=27), "contradicts itself: its backbone has num_frames '9', not 27"),
        (dict(keypoint_set="common_16"), "contradicts itself: its backbone has num_keypoints '17', not 16"),
        (dict(keypoint_set="h36m_18"), "has a keypoint_set of which .*h36m_18"),
        (dict(keypoint_set=["h36m_17"]), "has a keypoint_set of which "),
        (dict(model=[]), "has a model that is no dict"),
        (dict(model=dict(type=torch.ones(2))), "has a model with a Tensor, which is no plain data"),
        (dict(more=1), "has not the fields model, keypoint_set"),
    ],
)
def test_a_damaged_description_is_refused_by_field(said, values, message):
    with pytest.raises(CheckpointError, match=rf"^a\.pth: field 'meta\.mpm_model' {message}"):
        ModelDescription.from_meta(change(said, **values), "a.pth")


def test_no_description_is_none_and_nesting_ends():
    assert ModelDescription.from_meta({}, "a.pth") is None
    with pytest.raises(CheckpointError, match="is a list, no dict"):
        ModelDescription.from_meta({FIELD: []}, "a.pth")
    deep = dict()
    for _ in range(10_000):
        deep = dict(model=deep)
    said = dict(model=deep, keypoint_set="h36m_17", window=9, frame_step=1, fps=None, format_version=2)
    with pytest.raises(CheckpointError, match="more than 10 levels"):
        ModelDescription.from_meta({FIELD: said}, "a.pth")


def put(model, path, value):
    model = copy.deepcopy(model)
    part = model
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return model


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("head", "type"), "os.system", "its model is built of 'os.system', which is not of mpm_mmpose"),
        (("head", "type"), "ResNet", "its model is built of 'ResNet', which is not"),
        (("backbone",), dict(type="torch.load", f="x"), "its model is built of 'torch.load'"),
        (("head", "type"), 3, "its model is built of '3'"),
        (("head", "loss"), dict(a=[dict(type="os.getcwd")]), "its model is built of 'os.getcwd'"),
        (("backbone", "channels"), 10**9, "its model has channels 1000000000, which cannot be"),
        (("backbone", "drop"), float("nan"), "its model has drop nan, which cannot be"),
        (("backbone", "hidden_channels"), 9999, "these weights have another shape of"),
        (("backbone", "depth"), 500, "these weights lack"),
        (("head", "strides"), [3, 4], "its model cannot be built .*must be positive and multiply"),
        (("head", "unheard_of"), 1, "its model cannot be built .*unheard_of"),
        (("head",), None, "its model cannot be built|these weights have beside"),
    ],
)
def test_a_description_builds_nothing_else(checkpoint, said, path, value, message):
    said = ModelDescription(put(said.model, path, value), "h36m_17", 9, 2, 50.0)
    with pytest.raises(CheckpointError, match=rf"^a\.pth: {message}"):
        build_described(said, checkpoint, "a.pth")


def test_what_a_config_takes_the_weights_for_is_compared(trained_lifter, said):
    model = Config.fromfile(trained_lifter[0]).model
    check_same(said, model, "a.pth", "tiny.py")
    model.backbone.drop, model.head.target_weight, model.test_cfg = 0.5, 3.0, dict(flip_test=True)
    check_same(said, model, "a.pth", "tiny.py")  # of training and of how it is tested
    model.head.align, model.backbone.num_heads = "centre", 4
    with pytest.raises(
        CheckpointError,
        match=r"a\.pth: was trained with another model than tiny\.py: backbone\.num_heads is 2 there and 4 here; "
        "head.align is 'first' there and 'centre' here; change the config",
    ):
        check_same(said, model, "a.pth", "tiny.py")
    model = Config.fromfile(trained_lifter[0]).model
    model.data_preprocessor.keypoint_set = "mpi_inf_3dhp_17"
    with pytest.raises(CheckpointError, match="keypoint_set is 'h36m_17' there and 'mpi_inf_3dhp_17' here"):
        check_same(said, model, "a.pth", "tiny.py")


def test_pretrained_weights_are_of_a_model_with_fewer_parts():
    """As configs/mpm/completion_h36m_27_pretrained.py takes them: other types, fewer inputs and outputs."""
    theirs = complete(
        dict(
            type="MaskedPoseEstimator",
            backbone=dict(type="MPMBackbone", num_frames=9),
            head=dict(type="MaskedPoseHead", num_frames=9),
        )
    )
    ours = complete(
        dict(
            type="PoseLifter",
            backbone=dict(type="MPMBackbone", num_frames=9, inputs=["3d"]),
            head=dict(type="CompletionHead", num_frames=9, depth=1),
        )
    )
    assert contradictions(theirs, ours) == []
    assert contradictions(theirs, put(ours, ("head", "depth"), 2)) == ["head.depth is 1 there and 2 here"]


def test_pre_training_on_2d_alone_says_so_of_its_parts():
    model = complete(plain(Config.fromfile(CONFIGS / "pretrain_mocap_27_2d_only.py").model))
    assert (model["modalities"], model["backbone"]["inputs"], model["head"]["outputs"]) == (["2d"], ["2d"], ["2d"])


def test_plain_data():
    value = dict(a=(1, np.float32(2.5), None), b=dict(type=nn.Linear, on=np.bool_(True)))
    assert plain(value) == dict(a=[1, 2.5, None], b=dict(type="Linear", on=True))
    with pytest.raises(TypeError, match="a function, which is no plain data"):
        plain(dict(a=lambda: 0))
    with pytest.raises(TypeError, match="a key that is no text"):
        plain({1: 2})
