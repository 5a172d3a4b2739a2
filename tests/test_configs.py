import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS, METRICS, MODELS

from mpm_mmpose.data import PoseSequence, write_store
from mpm_mmpose.pose.keypoints import get_keypoint_set
from studies.tables.paper import contents

CONFIGS = Path(__file__).parents[1] / "configs" / "mpm"
LEAVES = sorted(CONFIGS.glob("*.py"))
PRETRAINING = [leaf for leaf in LEAVES if "pretrain" in leaf.stem and "pretrained" not in leaf.stem]
LIFTING = [leaf for leaf in LEAVES if leaf not in PRETRAINING]


def name(path):
    return path.stem


SMALL_LOADER = dict(batch_size=3, num_workers=0, persistent_workers=False, pin_memory=False)


def all_stores(node):
    if isinstance(node, dict):
        if "store" in node:
            yield from [node["store"]] if isinstance(node["store"], str) else node["store"]
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from all_stores(value)


STORES = sorted({store for leaf in LEAVES for store in all_stores(Config.fromfile(leaf).to_dict())})


@pytest.fixture
def tiny_stores(tmp_path, monkeypatch):
    """A working directory with every store that a config asks for, two short clips each."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for store in STORES:
        poses = [rng.normal(0, 0.3, (frames, 17, 3)).astype(np.float32) + [0, 0, 4] for frames in (4, 2)]
        sequences = [
            PoseSequence(
                name=f"clip {i}",
                keypoints_3d=pose.astype(np.float32),
                keypoints=(1000 * pose[..., :2] / pose[..., 2:] + 500).astype(np.float32),
                intrinsics=np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0], np.float32),
                width=1000,
                height=1002,
                fps=50,
                action=["walk", "wave"][i],
                keypoint_set="mpi_inf_3dhp_17" if "mpi_inf_3dhp" in store else "h36m_17",
            )
            for i, pose in enumerate(poses)
        ]
        write_store(store, sequences)
    return tmp_path


@pytest.mark.parametrize("leaf", LEAVES, ids=name)
def test_leaves_are_thin_and_bases_disjoint(leaf):
    assert len(leaf.read_text().splitlines()) <= 40
    config = Config.fromfile(leaf, import_custom_modules=False)
    assert config.default_scope == "mmpose"
    bases = [CONFIGS / path for path in re.findall(r"_base_/\S+\.py", leaf.read_text())]
    keys = [key for base in bases for key in Config.fromfile(base, import_custom_modules=False)]
    assert len(keys) == len(set(keys))
    # A leaf with base files of its own, or one that changes another leaf.
    assert len(bases) == 4 or re.findall(r'_base_ = \["\w+\.py"\]', leaf.read_text())


@pytest.mark.parametrize("leaf", LEAVES, ids=name)
def test_every_leaf_trains_a_step_and_is_tested(leaf, tiny_stores):
    config = Config.fromfile(leaf)
    init_default_scope(config.default_scope)
    torch.manual_seed(0)
    config.model.backbone.depth = 1  # the others are like the first one, and take their time
    model = MODELS.build(config.model)
    assert (config.model.type == "MaskedPoseEstimator") == (leaf in PRETRAINING)
    frames = config.model.backbone.num_frames
    loaders = {split: config.get(f"{split}_dataloader") for split in ("train", "val", "test")}
    loaders = {split: Runner.build_dataloader(c | SMALL_LOADER, seed=0) for split, c in loaders.items() if c}
    assert (len(loaders) == 3) == (leaf in LIFTING)
    for loader in loaders.values():
        batch = next(iter(loader))
        shapes = {key: tuple(batch[key].shape) for key in ("keypoints", "keypoints_3d") if key in batch}
        windows = min(3, len(loader.dataset))
        expected = dict(keypoints=(windows, frames, 17, 2), keypoints_3d=(windows, frames, 17, 3))
        assert shapes == {key: shape for key, shape in expected.items() if key in shapes}
        assert "keypoints_3d" in shapes or "2d_only" in leaf.stem

    optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    before = {key: value.clone() for key, value in model.named_parameters()}
    losses = model.train().train_step(next(iter(loaders["train"])), optim_wrapper)
    assert torch.isfinite(losses["loss"])
    still = {key for key, value in model.named_parameters() if torch.equal(value, before[key])}
    # Refinement trains the lifter through the refined target pose, as released: nothing reaches the sequence.
    untrained = ["head.sequence_"] if "refine" in leaf.stem else []
    # Whole frames are dropped, so that no keypoint's token is put anywhere; it starts, and stays, at the mean.
    untrained += ["backbone.keypoint_token_"] if "whitened" in leaf.stem or leaf.stem == "quickstart_pretrain" else []
    assert all(key.startswith(tuple(untrained)) for key in still)

    if "val" in loaders:
        assert config.test_evaluator == config.val_evaluator
        metric = METRICS.build(config.val_evaluator)
        metric.dataset_meta = loaders["val"].dataset.metainfo
        for batch in loaders["val"]:
            metric.process(batch, [sample.to_dict() for sample in model.eval().val_step(batch)])
        metrics = metric.evaluate(len(loaders["val"].dataset))
        # A checkpoint is chosen by clips that are not tested on, or not at all.
        tested_on = config.val_dataloader.dataset.store == config.test_dataloader.dataset.store
        assert config.default_hooks.checkpoint.save_best in ([None] if tested_on else metrics)


def is_ours(leaf):
    """Whether a config is not the paper's but this project's own."""
    return any(word in leaf.stem for word in ("quickstart", "whitened", "wild"))


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if not is_ours(leaf)], ids=name)
def test_recipe_of_the_paper(leaf):
    """What is printed in section 4.2, transcribed in studies/tables/paper.json."""
    config = Config.fromfile(leaf, import_custom_modules=False)
    init_default_scope(config.default_scope)
    recipe = contents()["recipe"]
    stage = "pretrain" if leaf in PRETRAINING else "finetune"
    assert config.optim_wrapper.optimizer.type == recipe["optimizer"]
    (scheduler,) = config.param_scheduler
    assert (scheduler.type, scheduler.gamma, scheduler.by_epoch) == ("ExponentialLR", recipe["decay_an_epoch"], True)
    rate = 1e-4 if "refine" in leaf.stem else recipe["learning_rate"][stage]  # the released code's rate of refinement
    assert config.optim_wrapper.optimizer.lr == rate
    where = "pretrain" if leaf in PRETRAINING else "mpi_inf_3dhp" if "lift_3dhp" in leaf.stem else "human36m"
    assert config.train_cfg.max_epochs == recipe["epochs"][where]
    model = MODELS.build(config.model)
    assert len(model.backbone.temporal.layers) == recipe["shared_layers"]
    if leaf in PRETRAINING:
        masking = config.model.data_preprocessor.masking
        assert (masking.masked_keypoints, masking.frame_ratio) == (recipe["masked_keypoints"], recipe["frame_ratio"])
        assert model.loss_weights == {"2d": recipe["loss_weights"]["m2m"], "3d": recipe["loss_weights"]["m3m"]}
    elif type(model.head).__name__ == "LiftingHead":
        weights = recipe["loss_weights"]
        assert (model.head.target_weight, model.head.sequence_weight) == (weights["ft"], weights["ft_seq"])
    # The paper gives no batch size; the released code's is 1024, here in one process or in four.
    assert recipe["batch"] is None and config.train_dataloader.batch_size in (1024, 256)


@pytest.mark.parametrize("leaf", [leaf for leaf in LIFTING if "Pretrained" in leaf.read_text()], ids=name)
def test_fine_tuning_starts_from_the_checkpoint_of_its_pretraining(leaf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(leaf)
    init_default_scope(config.default_scope)
    checkpoint = Path(config.model.backbone.init_cfg.checkpoint)
    source = Config.fromfile(CONFIGS / f"{checkpoint.parent.name}.py")
    assert checkpoint.name == f"epoch_{source.train_cfg.max_epochs}.pth"

    pretrained = MODELS.build(source.model)
    checkpoint.parent.mkdir(parents=True)
    torch.save(dict(state_dict=pretrained.state_dict()), checkpoint)
    model = MODELS.build(config.model)
    model.init_weights()
    for part in ("backbone", "head"):
        if getattr(model, part).init_cfg:
            ours, theirs = getattr(model, part).state_dict(), getattr(pretrained, part).state_dict()
            taken = {key for key in ours if key in theirs and torch.equal(ours[key], theirs[key])}
            assert taken == {key for key in ours if not key.startswith("refine.")}
            unused = ("2d", "3d", "token") if part == "backbone" else ()
            assert all(any(word in key for word in unused) for key in set(theirs) - set(ours))


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if "load_from" in leaf.read_text()], ids=name)
def test_leaves_without_training_take_all_weights_of_what_they_test(leaf):
    config = Config.fromfile(leaf)
    init_default_scope(config.default_scope)
    checkpoint = Path(config.load_from)
    source = Config.fromfile(CONFIGS / f"{checkpoint.parent.name}.py")
    assert checkpoint.name == f"epoch_{source.train_cfg.max_epochs}.pth"
    tested, trained = (MODELS.build(cfg.model).state_dict() for cfg in (config, source))
    assert {key: value.shape for key, value in tested.items()} == {key: trained[key].shape for key in tested}


def test_three_data_sets_train_together_with_what_one_lacks_masked(tiny_stores):
    config = Config.fromfile(CONFIGS / "pretrain_h36m_3dhp_amass.py")
    init_default_scope(config.default_scope)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = dataset.__getitems__(range(len(dataset)))
    inputs = MODELS.build(config.model.data_preprocessor | dict(flip=False))(batch, training=True)["inputs"]
    nose = get_keypoint_set("h36m_17").index("nose")
    for size in (2, 3):
        unknown = ~inputs[f"known_{size}d"]
        assert unknown[..., nose].float().mean() == 1 / 3  # a third of the windows is of MPI-INF-3DHP
        assert not unknown[..., [i for i in range(17) if i != nose]].any()
        assert inputs[f"masks_{size}d"].keypoint_mask[unknown].all()


def test_missing_data_says_what_is_expected_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(CONFIGS / "pretrain_h36m_amass.py")
    init_default_scope(config.default_scope)
    with pytest.raises(FileNotFoundError, match=r"data/stores/h36m_train.*tools/dataset_converters"):
        Runner.build_dataloader(config.train_dataloader)
