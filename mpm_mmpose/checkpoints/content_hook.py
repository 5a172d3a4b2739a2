"""The hook that makes checkpoints say what they are, and looks at those that a training or a test is to go on from."""

import logging
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import HOOKS, MODELS
from torch import nn

from .loading import check_fit, load_checkpoint, weights_of
from .model_description import FIELD, ModelDescription, check_same, describe
from .training_state import check_optimizer, check_schedulers, names_only, resumable


@HOOKS.register_module()
class CheckpointContentHook(Hook):
    """What is in a checkpoint: written with what the model is, and read as data that has to fit.

    Written into ``meta``: a :class:`~mpm_mmpose.checkpoints.model_description.ModelDescription`; names of other
    checkpoints lose their folders. Read, before anything of it is used: weights that are not exactly the model's, a
    model that takes them for something else, or a state that is not of this training, end the run with a
    CheckpointError. Of what a checkpoint names only files in the work directory are taken.
    """

    priority = "VERY_HIGH"

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at what was read; what a resumed training takes of it is put in its place."""
        path = runner._load_from or "the checkpoint"
        _check(_model(runner), runner.cfg, checkpoint, path)
        if not runner._resume:
            return
        checkpoint.update(resumable(checkpoint, path, _folder(runner)))
        if "optimizer" in checkpoint and isinstance(runner.optim_wrapper, OptimWrapper):
            check_optimizer(checkpoint["optimizer"], runner.optim_wrapper.optimizer, path)
        if "param_schedulers" in checkpoint and isinstance(runner.param_schedulers, list):
            check_schedulers(checkpoint["param_schedulers"], runner.param_schedulers, path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write what the model is."""
        hub = checkpoint["message_hub"]
        hub["runtime_info"] = names_only(hub["runtime_info"])
        dataset_meta = checkpoint["meta"].get("dataset_meta") or {}
        try:
            description = describe(runner.cfg.get("model", {}), dataset_meta)
        except (TypeError, KeyError) as error:
            # A model of somebody's own, which a config has to build.
            print_log(f"the checkpoint does not say what its model is: {error}", "current", logging.DEBUG)
            return
        checkpoint["meta"][FIELD] = description.to_meta()


def check_before(cfg: Config) -> None:
    """Look at the config's ``load_from`` before a Runner says or writes anything; the hook looks at what it reads.

    Raises FileNotFoundError or CheckpointError.
    """
    path = cfg.load_from
    if "://" in path:
        return
    checkpoint = load_checkpoint(path)
    init_default_scope(cfg.get("default_scope") or "mmpose")
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    _check(model, cfg, checkpoint, path)


def _check(model: nn.Module, cfg: Config, checkpoint: dict, path: str) -> None:
    config = Path(cfg.filename).name if cfg.filename else "this config"
    check_fit(model, weights_of(checkpoint, path), path, config)
    description = ModelDescription.from_meta(checkpoint.get("meta", {}), path)
    if description is not None and "model" in cfg:
        check_same(description, cfg.model, path, config)


def _model(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _folder(runner: Runner) -> Path:
    """Where the training leaves its checkpoints."""
    out = next((hook.out_dir for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
    work_dir = Path(runner.work_dir)
    return work_dir if out in (None, runner.work_dir) else Path(out) / work_dir.name
