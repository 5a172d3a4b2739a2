from pathlib import Path

import pytest
from mmengine.config import Config

from mpm_mmpose.errors import UsageError
from mpm_mmpose.training.config_options import check_loaders, merge_options

CONFIGS = Path(__file__).parents[2] / "configs/mpm"


@pytest.fixture
def cfg():
    return Config.fromfile(CONFIGS / "lift_mocap_27.py")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("epochs", "'epochs' is not known"),
        ("train_cfg.max_epoch", "did you mean 'train_cfg.max_epochs'"),
        ("train_dataloader.batchsize", "did you mean 'train_dataloader.batch_size'"),
        ("train_dataloader.dataset.max_window", "did you mean 'train_dataloader.dataset.max_windows'"),
        ("modl.backbone.depth", "did you mean 'model'"),
        ("model.backbone.dept", "did you mean 'model.backbone.depth'"),
        ("default_hooks.chekpoint.interval", "did you mean 'default_hooks.checkpoint'"),
        ("default_hooks.checkpoint.intervall", "did you mean 'default_hooks.checkpoint.interval'"),
        ("optim_wrapper.optimizer.learning_rate", "'optim_wrapper.optimizer.learning_rate' is not known"),
        ("param_scheduler.1.gamma", "Index 1 exceeds the length of list"),
        ("param_scheduler.0.gama", "did you mean 'param_scheduler.0.gamma'"),
        ("_loader.num_workers", "_loader only helps to write the config"),
    ],
)
def test_a_field_that_nothing_knows_is_refused_with_the_nearest(cfg, option, said):
    with pytest.raises(UsageError) as error:
        merge_options(cfg, {option: 1})
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "option",
    [
        "train_cfg.max_epochs",
        "train_dataloader.dataset.max_windows",
        "train_dataloader.prefetch_factor",
        "model.backbone.place_apart",
        "optim_wrapper.accumulative_counts",
        "optim_wrapper.clip_grad.max_norm",
        "optim_wrapper.paramwise_cfg",
        "model_wrapper_cfg.static_graph",
        "default_hooks.checkpoint.max_keep_ckpts",
        "default_hooks.checkpoint.published_keys",
        "default_hooks.early_stopping.type",
        "custom_hooks.0.priority",
        "randomness.deterministic",
        "experiment_name",
        "val_evaluator.dump",
        "param_scheduler.0.gamma",
    ],
)
def test_what_the_config_or_a_class_in_it_knows_is_taken(cfg, option):
    merge_options(cfg, {option: 1})
    part = cfg
    for name in option.split("."):
        part = part[int(name)] if name.isdigit() else part[name]
    assert part == 1


def test_a_part_of_another_class_takes_what_that_class_takes(cfg):
    merge_options(cfg, {"optim_wrapper.type": "AmpOptimWrapper", "optim_wrapper.dtype": "bfloat16"})
    assert cfg.optim_wrapper.dtype == "bfloat16"


def test_loaders_that_contradict_themselves_are_refused(cfg):
    check_loaders(cfg)
    cfg.val_dataloader.num_workers = 0
    with pytest.raises(UsageError, match="val_dataloader: num_workers=0 .* val_dataloader.persistent_workers=False"):
        check_loaders(cfg)
