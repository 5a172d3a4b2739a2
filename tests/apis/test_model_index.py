from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.apis.model_names import find_model, list_models
from mpm_mmpose.errors import UsageError

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
TINY = f"""
_base_ = ["{CONFIGS}/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small config, its model with random weights, and a checkpoint as training leaves it."""
    folder = tmp_path_factory.mktemp("tiny")
    config, weights = folder / "tiny.py", folder / "tiny.pth"
    config.write_text(TINY)
    init_default_scope("mmpose")
    model = MODELS.build(Config.fromfile(config).model)
    meta = dict(dataset_meta=dict(fps=50.0, keypoint_set="h36m_17"))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), weights)
    return config, weights, model


def test_every_entry_has_its_config_and_no_weights_are_made_up():
    models = list_models()
    assert models["mpm_h36m_243"][0] == CONFIGS / "lift_h36m_243.py"
    for name, (config, weights) in models.items():
        assert config.is_file(), name
        assert Config.fromfile(config, import_custom_modules=False).model.type == "PoseLifter"
        assert weights is None or Path(weights).is_file()


def test_the_index_names_the_data_that_the_configs_train_on():
    """Those of the pre-training that a config starts from as well."""

    def stores(cfg):
        text = str(cfg.train_dataloader)
        init = cfg.model.get("backbone", {}).get("init_cfg")
        if init:
            text += stores(Config.fromfile(CONFIGS / f"{Path(init.checkpoint).parent.name}.py"))
        return text

    names = {
        "h36m": "Human3.6M",
        "amass": "AMASS",
        "mpi_inf_3dhp": "MPI-INF-3DHP",
        "mocap": "motion capture",
        "open": "CMU motion",
    }
    for entry in yaml.safe_load((CONFIGS / "metafile.yml").read_text())["Models"]:
        text = stores(Config.fromfile(CONFIGS / Path(entry["Config"]).name))
        trained_on = {name for store, name in names.items() if f"data/stores/{store}" in text}
        assert trained_on == set(entry["Metadata"]["Training Data"]), entry["Name"]


def test_a_name_or_a_config_with_weights(tiny):
    config, weights, _ = tiny
    assert find_model("mpm_h36m_243", weights) == (CONFIGS / "lift_h36m_243.py", str(weights))
    assert find_model(config, weights) == (config, str(weights))
    assert find_model(config, "https://host/a.pth")[1] == "https://host/a.pth"


def test_weights_of_the_package_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, weights = find_model("wild_27")
    assert config == CONFIGS / "wild_27.py" and Path(weights).is_file()
    description = build_lifter(config, weights, "cpu").description
    assert (description.window, description.fps, description.keypoint_set) == (27, 30.0, "h36m_17")


def test_the_files_of_the_package_are_what_their_checksums_say():
    import hashlib

    from mpm_mmpose.runtime.shipped import shipped_model

    folder = shipped_model().parent
    for line in (folder / "wild_27.sha256").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_what_is_not_there_is_named(tiny):
    config, weights, _ = tiny
    with pytest.raises(UsageError, match="model 'mpm_h36m_244' is not known; did you mean 'mpm_h36m_243'"):
        find_model("mpm_h36m_244", weights)
    with pytest.raises(UsageError, match="mpm_h36m_243: there are no published weights; train it"):
        find_model("mpm_h36m_243")
    with pytest.raises(UsageError, match=r"no\.pth: no such file of weights"):
        find_model(config, "no.pth")
    with pytest.raises(UsageError, match=r"no\.py: no such config file"):
        find_model("no.py", weights)


def test_built_with_the_weights_and_what_they_were_trained_on(tiny):
    config, weights, original = tiny
    model = build_lifter(config, weights, "cpu")
    assert not model.training and model.dataset_meta == dict(fps=50.0, keypoint_set="h36m_17")
    for name, value in original.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    said = model.description
    assert (said.window, said.frame_step, said.fps, said.keypoint_set) == (9, 1, 50.0, "h36m_17")
    assert said.model["head"]["align"] == "centre" and said.model["backbone"]["place_apart"] is False


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda state: state.pop("head.target_norm.weight"), "lack 1 tensors, the first of which is 'head.target_norm"),
        (lambda state: state.update(more=torch.zeros(1)), "have beside the model's 1 tensors.*'more'"),
        (
            lambda state: state.update({"head.target_norm.weight": torch.zeros(3)}),
            "have another shape of 1 tensors.*'head.target_norm.weight'",
        ),
    ],
)
def test_weights_of_another_model_are_refused(tiny, tmp_path, edit, message):
    config, weights, _ = tiny
    state = torch.load(weights)["state_dict"]
    edit(state)
    torch.save(dict(state_dict=state), tmp_path / "a.pth")
    with pytest.raises(UsageError, match=rf"a\.pth: these weights {message}"):
        build_lifter(config, tmp_path / "a.pth", "cpu")


def test_what_is_no_checkpoint_or_no_lifter(tiny, tmp_path):
    config, weights, _ = tiny
    (tmp_path / "a.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"a\.pth: is no checkpoint that can be read"):
        build_lifter(config, tmp_path / "a.pth", "cpu")
    with pytest.raises(UsageError, match=r"pretrain_mocap_27\.py: its model is no PoseLifter"):
        build_lifter(CONFIGS / "pretrain_mocap_27.py", weights, "cpu")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (7, "field 'dataset_meta' is 7, no table"),
        (dict(fps=1e30), "field 'fps' is 1e.30, and 1 to 1000 are possible"),
        (dict(fps="x"), "field 'fps' is 'x'"),
        (dict(keypoint_set="h36m_18"), "field 'keypoint_set' is 'h36m_18', which is not known"),
        (dict(frame_step=0), "field 'frame_step' is 0"),
    ],
)
def test_data_that_cannot_be(tiny, tmp_path, data, message):
    config, weights, _ = tiny
    checkpoint = torch.load(weights, weights_only=True)
    torch.save(checkpoint | dict(meta=dict(dataset_meta=data)), tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=f"bad.pth: {message}"):
        build_lifter(config, tmp_path / "bad.pth", "cpu")
