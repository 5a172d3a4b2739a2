"""Models of configs and weights, built."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models.pose_estimators import PoseLifter
from mmpose.registry import MODELS

from .. import register  # noqa: F401  (also configs of ours without custom_imports are built)
from .errors import UsageError


def build_lifter(config: str | Path, weights: str | Path | None, device: torch.device | str) -> PoseLifter:
    """The config's model with the weights of a checkpoint, in evaluation mode; its config is ``model.cfg``.

    Without weights it has random ones, to measure what it costs.
    Raises UsageError where the config is of another kind of model or the weights are not its own, ValueError or OSError
    for a file that cannot be read.
    """
    cfg = Config.fromfile(str(config))
    init_default_scope(cfg.get("default_scope", "mmpose"))
    if cfg.get("model", {}).get("type") != "PoseLifter":
        raise UsageError(f"{config}: its model is no PoseLifter; give a config of stage II, as configs/mpm/lift_*.py")
    model = MODELS.build(cfg.model)
    model.cfg, model.dataset_meta = cfg, {}
    if weights is None:
        return model.to(device).eval()
    try:
        checkpoint = CheckpointLoader.load_checkpoint(str(weights), map_location="cpu")
    except OSError:
        raise
    except Exception as error:  # whatever torch makes of a file that is no checkpoint
        # Only its first sentence: the next ones of torch's advise to trust the file.
        first = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise ValueError(f"{weights}: is no checkpoint that can be read ({first}); give another") from None
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else {}
    _check_state(model, state, config, weights)
    model.load_state_dict(state)
    # What the training data was like: the lifter wants its rate and keypoints.
    model.dataset_meta = checkpoint.get("meta", {}).get("dataset_meta", {})
    return model.to(device).eval()


def _check_state(model: PoseLifter, state: dict, config: str | Path, weights: str | Path) -> None:
    # mmengine only logs what is missing; the model would then predict with random numbers.
    own = model.state_dict()
    missing = [key for key in own if key not in state]
    extra = [key for key in state if key not in own]
    shapes = [key for key in own if key in state and own[key].shape != state[key].shape]
    for what, keys in (("lack", missing), ("have another shape of", shapes), ("have beside the model's", extra)):
        if keys:
            raise UsageError(
                f"{weights}: these weights {what} {len(keys)} tensors, the first of which is {keys[0]!r}; "
                f"they are not of {config}: give config and weights of one training"
            )
