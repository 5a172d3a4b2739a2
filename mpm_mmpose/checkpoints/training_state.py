"""What a resumed training takes from a checkpoint beside the weights, looked at before it is taken."""

import math
import random
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

from .loading import CheckpointError

_MOST_STEPS = 2**53
_BEST = re.compile(r"best_[^/\\]+\.pth")
_SUPERSEDED = "superseded_best_ckpts"  # files that ResumableCheckpointHook removes once their successor is there
# numpy reads its key at this place without asking whether it is one
_NUMPY_STATES = 624
_DEPTH = 8
# What torch's optimizers keep of a parameter that is not of its shape: one number, or (Adafactor) a row or column.
_ONE_NUMBER, _FACTORS = ("step", "mu_product", "eta", "mu"), ("row_var", "col_var")


def resumable(checkpoint: Mapping, path: str | Path, folder: str | Path) -> dict:
    """The fields ``meta``, ``message_hub`` and ``random_states`` of a checkpoint as a training may take them.

    Numbers are numbers, and what names a file names one in ``folder``, where the training leaves its own: MMEngine
    removes the best model of before by its name. A best model that is not there is forgotten, with its score.
    Raises CheckpointError for a checkpoint that no training can go on from.
    """
    meta = checkpoint.get("meta")
    hub = checkpoint.get("message_hub")
    parts = ("log_scalars", "runtime_info", "resumed_keys")
    if not isinstance(meta, dict) or not isinstance(hub, dict) or any(not isinstance(hub.get(p), dict) for p in parts):
        raise CheckpointError(
            f"{path}: holds weights and no state of a training, so none can go on from it; give it as load_from, or "
            "as init_cfg's checkpoint, to start with its weights"
        )
    meta = dict(meta)
    for name in ("epoch", "iter"):
        meta[name] = _count(meta.get(name), path, f"meta.{name}", _MOST_STEPS)
    if meta.get("seed") is not None:
        meta["seed"] = _count(meta["seed"], path, "meta.seed", 2**32 - 1)
    if not _is_plain(meta.get("dataset_meta")):
        del meta["dataset_meta"]
    scalars = {name: value for name, value in hub["log_scalars"].items() if type(value) is HistoryBuffer}
    info = _own_files({name: value for name, value in hub["runtime_info"].items() if _is_plain(value)}, Path(folder))
    known = scalars.keys() | info.keys()
    keys = {name: bool(value) for name, value in hub["resumed_keys"].items() if name in known}
    cleaned = dict(meta=meta, message_hub=dict(log_scalars=scalars, runtime_info=info, resumed_keys=keys))
    if checkpoint.get("random_states") is not None:
        _check_random_states(checkpoint["random_states"], path)
    return cleaned


def names_only(runtime_info: Mapping) -> dict:
    """The same, with the names of checkpoints without their folders: a work directory may be copied or renamed."""
    return {
        name: Path(value).name if _names_file(name) and isinstance(value, str) else value
        for name, value in runtime_info.items()
    }


def check_optimizer(state: object, optimizer: torch.optim.Optimizer, path: str | Path) -> None:
    """Raise CheckpointError where the state (as ``state_dict`` gives it) is not that of this optimizer.

    torch compares numbers of parameters alone; its fused steps then read beyond the end of smaller moments.
    """
    own, fields = optimizer.state_dict(), ("state", "param_groups")
    wrong = f"{path}: field 'optimizer' is not of this training"
    if not isinstance(state, dict) or any(not isinstance(state.get(name), type(own[name])) for name in fields):
        raise CheckpointError(f"{wrong}: it has no state and param_groups; give another checkpoint")
    groups, params = state["param_groups"], [param for group in optimizer.param_groups for param in group["params"]]
    numbers = [[len(group["params"]) for group in own["param_groups"]], []]
    for group in groups:
        if not isinstance(group, dict) or not isinstance(group.get("params"), list):
            raise CheckpointError(f"{wrong}: a group has no params; give another checkpoint")
        numbers[1].append(len(group["params"]))
    if numbers[0] != numbers[1]:
        raise CheckpointError(
            f"{wrong}: it has groups of {numbers[1]} parameters, this training of {numbers[0]}; resume with the config "
            "that it was trained with"
        )
    ids = [index for group in groups for index in group["params"]]
    if any(type(index) is not int for index in ids) or set(state["state"]) - set(ids) or len(set(ids)) != len(ids):
        raise CheckpointError(f"{wrong}: its moments are of no parameters; give another checkpoint")
    for index, param in zip(ids, params, strict=True):
        for name, value in _items(state["state"].get(index, {}), wrong):
            if not (_is_one(value) if name in _ONE_NUMBER else name in _FACTORS or _is_moment(value, param)):
                raise CheckpointError(
                    f"{wrong}: {name} of parameter {index} has another shape or kind than the parameter "
                    f"({tuple(param.shape)}); resume with the config that it was trained with"
                )
    for group, ours in zip(groups, own["param_groups"], strict=True):
        _check_like({name: value for name, value in group.items() if name != "params"}, ours, wrong, "param_groups")


def check_schedulers(states: object, schedulers: list, path: str | Path) -> None:
    """Raise CheckpointError where the states are not of schedulers like these; they overwrite what these hold."""
    wrong = f"{path}: field 'param_schedulers' is not of this training"
    if not isinstance(states, list) or any(not isinstance(state, dict) for state in states):
        raise CheckpointError(f"{wrong}: it is no list of states; give another checkpoint")
    for state, scheduler in zip(states, schedulers, strict=False):
        own = scheduler.state_dict()
        if unknown := sorted(str(name) for name in state if name not in own):
            raise CheckpointError(f"{wrong}: {type(scheduler).__name__} has no {unknown[0]!r}; resume with its config")
        _check_like(state, own, wrong, type(scheduler).__name__)


def _count(value: object, path: str | Path, field: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= most:
        raise CheckpointError(f"{path}: field {field!r} is no number of 0 to {most}; give another checkpoint")
    return int(value)


def _names_file(name: object) -> bool:
    return isinstance(name, str) and name.startswith(("best_ckpt", "last_ckpt"))


def _own_files(info: dict, folder: Path) -> dict:
    """Runtime info whose names of files are those in ``folder``."""
    info = {name: value for name, value in names_only(info).items() if isinstance(name, str)}
    for name in [name for name in info if _names_file(name)]:
        found = folder / str(info[name])
        if name.startswith("last_ckpt"):
            info[name] = str(found)
            continue
        score = name.replace("best_ckpt", "best_score", 1)
        if _BEST.fullmatch(str(info[name])) and found.is_file() and _is_number(info.get(score)):
            info[name] = str(found)
        else:
            info.pop(name)
            info.pop(score, None)
    kept = info.get("keep_ckpt_ids")
    if not isinstance(kept, list) or not all(type(step) is int and 0 <= step <= _MOST_STEPS for step in kept):
        info.pop("keep_ckpt_ids", None)
    old = info.get(_SUPERSEDED)
    if isinstance(old, list):
        info[_SUPERSEDED] = [name for name in old if isinstance(name, str) and _BEST.fullmatch(name)]
    else:
        info.pop(_SUPERSEDED, None)
    return info


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and math.isfinite(value)


def _is_plain(value: object, depth: int = 0) -> bool:
    if isinstance(value, list | tuple | dict):
        items = value.values() if isinstance(value, dict) else value
        return depth < _DEPTH and all(_is_plain(item, depth + 1) for item in items)
    return value is None or isinstance(value, str | bool | int | float | np.generic | np.ndarray | Tensor)


def _check_random_states(states: object, path: str | Path) -> None:
    """Put them into generators of their own first; CheckpointError where these refuse them."""
    try:
        for state in states:
            torch.Generator().set_state(state["torch"].cpu())
            algorithm, keys, place, *normal = state["numpy"]
            if keys.shape != (_NUMPY_STATES,) or not 0 <= place <= _NUMPY_STATES:
                raise ValueError("numpy")
            np.random.RandomState().set_state((algorithm, keys.cpu().numpy().astype(np.uint32), place, *normal))
            random.Random().setstate(state["python"])
    except Exception:  # torch, numpy and Python have each their own for what is no state
        raise CheckpointError(f"{path}: field 'random_states' is damaged; give another checkpoint") from None


def _items(state: object, wrong: str) -> list[tuple[object, object]]:
    if not isinstance(state, dict):
        raise CheckpointError(f"{wrong}: the state of a parameter is a {type(state).__name__}; give another checkpoint")
    return list(state.items())


def _is_one(value: object) -> bool:
    return value.numel() == 1 if isinstance(value, Tensor) else isinstance(value, int | float)


def _is_moment(value: object, param: Tensor) -> bool:
    if value is None:  # of an option that is off
        return True
    return isinstance(value, Tensor) and value.shape == param.shape and value.is_floating_point()


def _check_like(values: Mapping, ours: Mapping, wrong: str, where: str) -> None:
    """Raise CheckpointError for a value of another kind than the one that it would take the place of."""
    for name, value in values.items():
        if name in ours and not _is_like(value, ours[name]):
            raise CheckpointError(f"{wrong}: {name} in {where} is {str(value)[:40]!r}; give another checkpoint")


def _is_like(value: object, ours: object) -> bool:
    if isinstance(ours, bool) or ours is None:
        return value is None or isinstance(value, bool | int | float)
    if isinstance(value, bool):
        return False
    if isinstance(ours, int | float):
        return isinstance(value, int | float | np.number) and math.isfinite(value)
    if isinstance(ours, list | tuple):
        return isinstance(value, list | tuple) and all(isinstance(item, int | float) for item in value)
    return isinstance(value, type(ours))
