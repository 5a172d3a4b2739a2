"""Models by name, config and weights: what `MPMInferencer('mpm_h36m_243')` stands for."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models.pose_estimators import PoseLifter
from mmpose.registry import MODELS

from .. import register  # noqa: F401  (also configs of ours without custom_imports are built)
from .errors import UsageError, unknown_name

_PACKAGE = Path(__file__).parents[1]
#: Beside the package in a checkout, inside of it in an installed wheel.
ROOTS = (_PACKAGE.parent, _PACKAGE / ".mim")


def list_models() -> dict[str, tuple[Path, str | None]]:
    """{name or alias: (config, weights)} of configs/mpm/metafile.yml; weights are a path or address, None without."""
    import yaml

    root = next((root for root in ROOTS if (root / "configs/mpm/metafile.yml").is_file()), None)
    if root is None:
        raise FileNotFoundError("configs/mpm/metafile.yml: is neither beside nor in the package; install it again")
    index = yaml.safe_load((root / "configs/mpm/metafile.yml").read_text(encoding="utf-8"))
    models = {}
    for entry in index["Models"]:
        for name in (entry["Name"], *entry.get("Alias", ())):
            models[name] = (root / entry["Config"], entry.get("Weights"))
    return models


def find_model(model: str | Path, weights: str | Path | None = None) -> tuple[Path, str]:
    """Config and weights of a name of the model index, or of a config file with weights.

    Raises UsageError for a name that is not known (with the nearest) and for weights that are not there.
    """
    if Path(model).suffix == ".py":
        config, published = Path(model), None
        if not config.is_file():
            raise UsageError(f"{config}: no such config file; give one of configs/mpm, or a name of the model index")
    else:
        models = list_models()
        if str(model) not in models:
            raise unknown_name("model", str(model), models)
        config, published = models[str(model)]
    weights = weights or published
    if weights is None:
        raise UsageError(
            f"{model}: there are no published weights; train it (tools/train.py {config}) and give the checkpoint as "
            "weights"
        )
    check_weights(weights)
    return config, str(weights)


def check_weights(weights: str | Path) -> None:
    """Raise UsageError for a path, which is no address, that is no file."""
    if "://" not in str(weights) and not Path(weights).is_file():
        raise UsageError(f"{weights}: no such file of weights; give the checkpoint that training left")


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
