"""Options of a command line that change a config: none is taken that nothing in the config knows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import mmpose.registry
from mmengine.config import Config
from mmengine.registry import Registry, init_default_scope
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from ..errors import UsageError, unknown_name

# What MMEngine takes in a config beside the Runner's arguments, in a loader beside torch's, in some parts, and in any.
_OF_CONFIGS = (
    "runner_type find_unused_parameters activation_checkpointing efficient_conv_bn_eval compile custom_imports"
)
_OF_LOADERS = "batch_sampler num_batch_per_epoch disable_subprocess_warning"
_OF_PARTS = dict(
    optim_wrapper="optimizer constructor paramwise_cfg", param_scheduler="convert_to_iter_based epoch_length"
)
_ANYWHERE = {"priority", "type", "_delete_", "_scope_"}
_NEAR = 0.8  # of 1, how alike a name is to another that it is taken for a misspelling where any name may stand


def merge_options(cfg: Config, options: Mapping[str, object]) -> None:
    """Change a config in place by ``{"train_cfg.max_epochs": 2}``.

    Raises UsageError, with the nearest name, for a field that neither the config has nor the class takes that is built
    of this part; MMEngine would leave it without effect, or fail with a traceback later.
    """
    before = cfg.to_dict()
    try:
        cfg.merge_from_dict(dict(options))
    except (TypeError, KeyError, IndexError, AssertionError) as error:
        raise UsageError(f"--cfg-options: {' '.join(str(error.args[0]).split())[:200]}") from None
    init_default_scope(cfg.get("default_scope") or "mmpose")
    after = cfg.to_dict()
    for option in options:
        _check(option, before, after)


def check_loaders(cfg: Config) -> None:
    """Raise UsageError for dataloaders whose fields contradict each other, which torch says with a traceback."""
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        loader = cfg.get(name) or {}
        if loader.get("num_workers", 0) == 0 and loader.get("persistent_workers"):
            raise UsageError(
                f"{name}: num_workers=0 leaves nothing to be persistent; give {name}.persistent_workers=False with it"
            )


def _check(option: str, before: object, after: object) -> None:
    path = option.split(".")
    for depth, name in enumerate(path):
        where = ".".join(path[: depth + 1])
        if isinstance(before, Mapping):
            if depth == 0 and name.startswith("_"):
                raise UsageError(
                    f"--cfg-options: {name} only helps to write the config; change the fields that were made of it"
                )
            if name not in before:
                _check_new(name, where, before, _takes(path[:depth], after))
                return
            before, after = before[name], after[name]
        elif isinstance(before, Sequence) and not isinstance(before, str):
            before, after = before[int(name)], after[int(name)]
        else:
            return  # a value that a dict takes the place of, as init_cfg=None


def _check_new(name: str, where: str, part: Mapping, takes: tuple[set[str], bool]) -> None:
    names, any_other = takes
    known = {key for key in part if not key.startswith("_")} | names
    if name in known | _ANYWHERE or any_other and not get_close_matches(name, known, cutoff=_NEAR):
        return
    parent = where.removesuffix(name)
    raise unknown_name("--cfg-options: field", where, {parent + key for key in known})


def _takes(path: Sequence[str], part: Mapping) -> tuple[set[str], bool]:
    """Names that may stand in a part of a config, and whether others may, too."""
    if not path:
        return _parameters(Runner)[0] | set(_OF_CONFIGS.split()), False
    names, any_other = _parameters(_find(part.get("type")))
    if path[-1].endswith("_dataloader"):
        return _parameters(DataLoader)[0] | set(_OF_LOADERS.split()), False
    if path == ["train_cfg"] and "type" not in part:
        return _parameters(EpochBasedTrainLoop)[0] | {"by_epoch"}, False
    return names | set(_OF_PARTS.get(path[0], "").split()), any_other


def _find(name: object) -> object:
    """The class or function of this name in any of MMPose's registries."""
    if not isinstance(name, str):
        return name
    registries = (value for value in vars(mmpose.registry).values() if isinstance(value, Registry))
    return next((found for registry in registries if (found := registry.get(name)) is not None), None)


def _parameters(made: object) -> tuple[set[str], bool]:
    """Arguments that a class or function takes by name, and whether it takes any other."""
    inits = [made] if made is not None else []
    if inspect.isclass(made):
        inits = [base.__init__ for base in made.__mro__ if "__init__" in vars(base) and base not in (object, nn.Module)]
    names: set[str] = set()
    for init in inits:
        parameters = inspect.signature(init).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names, False
    return names, True
