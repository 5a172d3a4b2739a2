"""Models of configs and weights, built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models.pose_estimators import PoseLifter
from mmpose.registry import MODELS

from .. import register  # noqa: F401  (also configs of ours without custom_imports are built)
from ..checkpoints.loading import CheckpointError, check_fit, load_checkpoint, weights_of
from ..checkpoints.model_description import ModelDescription, build_described, check_same, complete, describe, plain
from ..errors import UsageError
from ..limits import HIGHEST_FPS
from ..messages import brief
from ..pose.keypoints import get_keypoint_set


def build_lifter(config: str | Path | None, weights: str | Path | None, device: torch.device | str) -> PoseLifter:
    """A model with the weights of a checkpoint, in evaluation mode; what it is says ``model.description``.

    Without a config the model is the one that the checkpoint says it is; a config overrules it where both can be meant.
    Without weights it is the config's with random ones, to measure what it costs.
    Raises UsageError where the model is of another kind or the weights are not its own, ValueError or OSError for a
    file that cannot be read.
    """
    checkpoint = None if weights is None else _load(weights)
    meta = {} if checkpoint is None else checkpoint.get("meta", {})
    description = ModelDescription.from_meta(meta, weights)
    if config is not None:
        model, description = _configured(config, checkpoint, weights, description)
    elif description is None:
        raise UsageError(
            f"{weights}: does not say what model it is of; give the config that it was trained with as model (--model)"
        )
    else:
        _check_stage(description.model, weights)
        model = build_described(description, checkpoint, weights)
    # What the training data was like: the lifter wants its rate and keypoints.
    model.description, model.dataset_meta = description, _data_of(meta, weights)
    return model.to(device).eval()


def _load(weights: str | Path) -> dict:
    if "://" in str(weights):
        return CheckpointLoader.load_checkpoint(str(weights), map_location="cpu")
    return load_checkpoint(weights)


def _configured(
    config: str | Path, checkpoint: dict | None, weights: str | Path | None, description: ModelDescription | None
) -> tuple[PoseLifter, ModelDescription]:
    """The config's model, and its description: what the checkpoint says, else what the config says."""
    cfg = Config.fromfile(str(config))
    init_default_scope(cfg.get("default_scope", "mmpose"))
    _check_stage(cfg.get("model", {}), config)
    model = MODELS.build(cfg.model)
    if description is None:
        dataset = (cfg.get("test_dataloader") or {}).get("dataset", {})
        meta = {} if checkpoint is None else _data_of(checkpoint.get("meta", {}), weights)
        said = {name: meta[name] for name in ("keypoint_set", "fps") if meta.get(name)}
        try:
            description = describe(cfg.model, said | dict(frame_step=dataset.get("frame_step", 1)))
        except (TypeError, KeyError):
            raise UsageError(f"{config}: its model is none of ours; give a PoseLifter with an MPMBackbone") from None
    if checkpoint is not None:
        state = weights_of(checkpoint, weights)
        try:
            check_fit(model, state, weights, str(config))
            check_same(description, cfg.model, weights, config)
        except CheckpointError as error:
            raise UsageError(str(error)) from None
        model.load_state_dict({name: state[name] for name in model.state_dict()})
    return model, replace(description, model=complete(plain(cfg.model)))


def _data_of(meta: Mapping, weights: str | Path | None) -> dict:
    """``dataset_meta`` of a checkpoint; ValueError (file, field) where it says what no data are like."""
    data = meta.get("dataset_meta") or {}
    if not isinstance(data, dict):
        raise ValueError(f"{weights}: field 'dataset_meta' is {brief(data)}, no table; train or convert it again")
    if (keypoint_set := data.get("keypoint_set")) is not None:
        try:
            get_keypoint_set(keypoint_set)
        except (KeyError, TypeError):
            raise ValueError(f"{weights}: field 'keypoint_set' is {brief(keypoint_set)}, which is not known") from None
    for name, largest in (("fps", HIGHEST_FPS), ("frame_step", 10_000)):
        value = data.get(name)
        if value is not None and (not isinstance(value, Real) or not 1 <= value <= largest):
            raise ValueError(f"{weights}: field {name!r} is {brief(value)}, and 1 to {largest:g} are possible")
    return data


def _check_stage(model: Mapping, file: str | Path) -> None:
    if model.get("type") not in ("PoseLifter", "mmpose.PoseLifter"):
        raise UsageError(f"{file}: its model is no PoseLifter; give one of stage II, as of configs/mpm/lift_*.py")
