"""What a checkpoint says of its model: plain data in its ``meta``, of which the model can be built without a config."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.models.pose_estimators import PoseLifter
from mmpose.registry import MODELS
from torch import nn

from ..limits import HIGHEST_FPS, LOWEST_FPS
from ..pose.keypoints import get_keypoint_set
from .loading import CheckpointError, check_fit, weights_of

#: The field of ``meta``.
FIELD = "mpm_model"
#: Rises when a description of before would be misread.
FORMAT_VERSION = 2
_LARGEST = 10_000  # frames of a window, channels, layers, ...: no number of a model is larger
_DEPTH = 10
_PACKAGE = __name__.partition(".")[0]
# What only training, test or the choice of encoders and decoders depends on; root_depth is overruled where nobody
# knows the true one.
_FREE = re.compile(
    r"type|.*drop|.*weight|.*_cfg|data_preprocessor|encode_masked_frames|inputs|outputs|modalities|root_depth"
)
_UNUSED = ("init_cfg", "train_cfg")


@dataclass(frozen=True)
class ModelDescription:
    """A model and what it was trained on.

    model: its config as plain data, the defaults of our own types filled in. keypoint_set: by name. window: T, frames;
    frame_step: frames between two of a window. fps: rate of the training data before frame_step, Hz, None where it is
    not known or not one.
    """

    model: dict
    keypoint_set: str
    window: int
    frame_step: int = 1
    fps: float | None = None
    format_version: int = FORMAT_VERSION

    def to_meta(self) -> dict:
        """Plain data for a checkpoint's ``meta[FIELD]``."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping, path: object) -> ModelDescription | None:
        """Back from a checkpoint's ``meta``; None where it says nothing. Raises CheckpointError (file, field, fix)."""
        if (said := meta.get(FIELD)) is None:
            return None

        def refuse(what: str) -> CheckpointError:
            return CheckpointError(f"{path}: field 'meta.{FIELD}' {what}; give another checkpoint")

        if not isinstance(said, dict):
            raise refuse(f"is a {type(said).__name__}, no dict")
        if said.get("format_version") != FORMAT_VERSION:
            raise CheckpointError(
                f"{path}: field 'meta.{FIELD}' is of format version {str(said.get('format_version'))[:20]!r}, this "
                f"program reads {FORMAT_VERSION}; use the version of mpm_mmpose that wrote it, or train it again"
            )
        if set(said) != {entry.name for entry in fields(cls)}:
            raise refuse(f"has not the fields {', '.join(entry.name for entry in fields(cls))}")
        for name in ("window", "frame_step"):
            if type(said[name]) is not int or not 1 <= said[name] <= _LARGEST:
                raise refuse(f"has {name} {str(said[name])[:20]!r}, no number of 1 to {_LARGEST}")
        rate = said["fps"]
        if rate is not None and (type(rate) not in (int, float) or not LOWEST_FPS <= rate <= HIGHEST_FPS):
            raise refuse(f"has fps {str(rate)[:20]!r}, no rate of {LOWEST_FPS:g} to {HIGHEST_FPS:g} Hz")
        try:
            model = plain(said["model"])
            get_keypoint_set(str(said["keypoint_set"]))
        except TypeError as error:
            raise refuse(f"has a model with {error}") from None
        except KeyError as error:
            raise refuse(f"has a keypoint_set of which {error.args[0]}") from None
        if not isinstance(model, dict):
            raise refuse("has a model that is no dict")
        backbone = model.get("backbone")
        sizes = dict(num_frames=said["window"], num_keypoints=len(get_keypoint_set(said["keypoint_set"])))
        for name, size in sizes.items() if isinstance(backbone, dict) else ():
            if backbone.get(name, size) != size:
                raise refuse(f"contradicts itself: its backbone has {name} {str(backbone[name])[:20]!r}, not {size}")
        return replace(cls(**said), model=model)


def describe(model: Mapping, dataset_meta: Mapping) -> ModelDescription:
    """The description of a model by its config and the ``metainfo`` of its training data.

    Raises TypeError where the config is not plain data, and KeyError where neither says the window.
    """
    config = complete(plain(model))
    backbone, preprocessor = (config.get(name) or {} for name in ("backbone", "data_preprocessor"))
    keypoint_set = dataset_meta.get("keypoint_set") or preprocessor.get("keypoint_set") or "h36m_17"
    rate = dataset_meta.get("fps")
    return ModelDescription(
        model=config,
        keypoint_set=keypoint_set,
        window=dataset_meta.get("window") or backbone["num_frames"],
        frame_step=dataset_meta.get("frame_step") or 1,
        fps=None if rate is None else float(rate),
    )


def plain(value: object, depth: int = 0) -> object:
    """A config as dicts, lists, text, numbers, True, False and None; raises TypeError for what is none of these."""
    if depth > _DEPTH:
        raise TypeError(f"more than {_DEPTH} levels")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, Mapping):
        if any(not isinstance(name, str) for name in value):
            raise TypeError("a key that is no text")
        return {name: plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    raise TypeError(f"a {type(value).__name__}, which is no plain data")


def complete(config: object) -> object:
    """A plain config with the defaults of our own types filled in, without what only a new training needs."""
    if isinstance(config, list):
        return [complete(item) for item in config]
    if not isinstance(config, dict):
        return config
    name = config.get("type")
    known = own_types().get(name.removeprefix("mmpose.")) if isinstance(name, str) else None
    given = dict(config, type=known.__name__) if known else config
    whole = (_defaults(known) if known else {}) | given
    if given.get("type") == "MaskedPoseEstimator":  # what its parts take and give is its modalities
        for part, field in (("backbone", "inputs"), ("head", "outputs")):
            whole[part] = whole[part] | {field: whole["modalities"]}
    return {name: complete(value) for name, value in whole.items() if name not in _UNUSED}


def own_types() -> dict[str, type]:
    """{name: class} of what a description may be built of: what this package registers, and mmpose's PoseLifter."""
    own = {name: cls for name, cls in MODELS.module_dict.items() if cls.__module__.split(".")[0] == _PACKAGE}
    return own | dict(PoseLifter=PoseLifter)


def build_described(description: ModelDescription, checkpoint: dict, path: object) -> nn.Module:
    """The described model with the weights of a checkpoint, in evaluation mode on the CPU.

    Only :func:`own_types` are built, and only in the size that the weights have. Raises CheckpointError.
    """
    config = {name: value for name, value in description.model.items() if name != "data_preprocessor"}
    for name, value in _walk(config):
        if name == "type" and (not isinstance(value, str) or value not in own_types()):
            raise CheckpointError(
                f"{path}: its model is built of {str(value)[:60]!r}, which is not of mpm_mmpose; give "
                "--model CONFIG of the training, which may name it"
            )
        if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _LARGEST):
            raise CheckpointError(f"{path}: its model has {name} {value}, which cannot be; give another checkpoint")
    state = weights_of(checkpoint, path)
    init_default_scope("mmpose")
    try:
        with torch.device("meta"):  # sizes alone: what is in the file may ask for any amount of memory
            shell = MODELS.build(dict(config))
        check_fit(shell, state, path, "the model that the file describes")
        model = MODELS.build(dict(config))
    except CheckpointError:
        raise
    except Exception as error:  # whatever a constructor makes of arguments that cannot be
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: its model cannot be built ({first[:200]}); give --model CONFIG") from None
    model.load_state_dict({name: state[name] for name in model.state_dict()})
    return model.eval()


def contradictions(theirs: Mapping, ours: Mapping, place: str = "") -> list[str]:
    """Where two complete configs of a model give other outputs for the same weights, each in words."""
    found = []
    for name in [name for name in theirs if name in ours and not _FREE.fullmatch(name)]:
        here = f"{place}{name}"
        if isinstance(theirs[name], dict) and isinstance(ours[name], dict):
            found += contradictions(theirs[name], ours[name], f"{here}.")
        elif theirs[name] != ours[name]:
            found.append(f"{here} is {theirs[name]!r} there and {ours[name]!r} here")
    return found


def check_same(description: ModelDescription, model: Mapping, path: object, config: object) -> None:
    """Raise CheckpointError where a config's model takes a checkpoint's weights for something else than they are."""
    try:
        ours = complete(plain(model))
    except TypeError:
        return  # nothing to compare with
    wrong = contradictions(description.model, ours)
    keypoint_set = (ours.get("data_preprocessor") or {}).get("keypoint_set", description.keypoint_set)
    if keypoint_set != description.keypoint_set:
        wrong.append(f"keypoint_set is {description.keypoint_set!r} there and {keypoint_set!r} here")
    if wrong:
        raise CheckpointError(
            f"{path}: was trained with another model than {config}: {'; '.join(wrong[:3])}; change the config (in "
            "tools --cfg-options model....), or give config and checkpoint of one training"
        )


def _defaults(cls: type) -> dict:
    """{argument: default} of a class, and of those that it hands its further arguments on to."""
    found: dict = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base.__module__.split(".")[0] != _PACKAGE:
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        found = {p.name: plain(p.default) for p in parameters if p.default is not p.empty} | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def _walk(config: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(config, dict):
        for key, value in config.items():
            yield from _walk(value, key)
    elif isinstance(config, list):
        for value in config:
            yield from _walk(value, name)
    else:
        yield name, config
