"""Say what an init_cfg of type 'Pretrained' takes from a checkpoint; mmengine logs nothing of that."""

import logging

from mmengine.logging import print_log
from mmengine.model import BaseModule, PretrainedInit
from mmengine.runner import CheckpointLoader
from torch import nn

from ..checkpoints.loading import CheckpointError, weights_of


def starts_pretrained(module: nn.Module) -> bool:
    """Whether a module's init_cfg takes its weights from a checkpoint."""
    return bool(_pretrained(module))


def report_pretrained(module: BaseModule) -> None:
    """Log how many weights of a module its 'Pretrained' init_cfg will fill, which not, and which are left over.

    Raises:
        CheckpointError: if the checkpoint holds none of the weights, or one of another shape (another window length,
            width or keypoint set), which mmengine would pass over with a warning.
    """
    for config in _pretrained(module):
        _report(module, config["checkpoint"], config.get("prefix"))


def _pretrained(module: nn.Module) -> list[dict]:
    configs = getattr(module, "init_cfg", None)  # what is no BaseModule has none
    configs = configs if isinstance(configs, (list, tuple)) else [configs]
    return [config for config in configs if config and config["type"] in ("Pretrained", PretrainedInit)]


def _report(module: BaseModule, path: str, prefix: str | None) -> None:
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location="cpu", logger="current")
    weights = weights_of(checkpoint, path)
    if prefix:
        prefix = prefix if prefix.endswith(".") else prefix + "."
        weights = {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}
    wanted = module.state_dict()
    taken = [key for key in wanted if key in weights]
    name = type(module).__name__
    if not taken:
        raise CheckpointError(
            f"{path}: none of the {len(wanted)} weights of {name} found with prefix={prefix!r} in init_cfg; "
            "a checkpoint of a whole model needs prefix='backbone.'"
        )
    for key in taken:
        found, expected = tuple(weights[key].shape), tuple(wanted[key].shape)
        if found != expected:
            raise CheckpointError(
                f"{path}: {prefix or ''}{key} has shape {found}, {name} expects {expected}; "
                "num_frames, num_keypoints, channels, hidden_channels, place_apart and tokens_per_keypoint "
                "must be those of the checkpoint"
            )
    left = [key for key in wanted if key not in weights]
    unused = sorted(set(weights) - set(wanted))
    print_log(
        f"{name}: {len(taken)} of {len(wanted)} weights taken from {path}"
        f"\n  left as initialised ({len(left)}): {', '.join(left) or 'none'}"
        f"\n  in the checkpoint but not used ({len(unused)}): {', '.join(unused) or 'none'}",
        logger="current",
        level=logging.INFO,
    )
