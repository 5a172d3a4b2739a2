"""Checkpoints: read as data, of which nothing is executed or believed, and written whole or not at all."""

import errno
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from mmengine.fileio import LocalBackend, register_backend
from mmengine.fileio.backends import backends
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from .allowed_pickle import allow_mmengine_checkpoints

# Configs as text: Python, which MMEngine would execute.
_PROGRAMS = ("cfg", "config")


class CheckpointError(ValueError):
    """A file that cannot be used as a checkpoint, or not as this model's; the message is for users, in one line."""


def load_checkpoint(path: str | Path, map_location: str | torch.device = "cpu") -> dict:
    """What a checkpoint file holds, without its texts of configs; no code of the file is run.

    meta, where there is one, is a dict. Raises FileNotFoundError, or CheckpointError for what is no checkpoint.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")

    def load() -> object:
        _check_size(path)
        # Said each time: TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD, which many set, must not decide.
        return torch.load(path, map_location=map_location, weights_only=True)

    return _read(path, load)


def without_programs(checkpoint: dict, path: str | Path) -> dict:
    """The same checkpoint without the texts that MMEngine's ``Runner.resume`` and inferencers would execute.

    meta becomes a dict where it is None. Raises CheckpointError for what is no dict of weights.
    """
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{path}: holds a {type(checkpoint).__name__}, no weights by name; give a checkpoint")
    cleaned = dict(checkpoint)
    if "meta" in cleaned:
        meta = {} if cleaned["meta"] is None else cleaned["meta"]
        cleaned["meta"] = _without(meta, path, "meta")
    hub = cleaned.get("message_hub")
    if isinstance(hub, dict) and "runtime_info" in hub:
        info = _without(hub["runtime_info"], path, "message_hub.runtime_info")
        cleaned["message_hub"] = dict(hub, runtime_info=info)
    return cleaned


def weights_of(checkpoint: dict, path: str | Path) -> dict[str, Tensor]:
    """The weights by name, without the prefix ``module.``; raises CheckpointError for what are none."""
    state = checkpoint.get("state_dict", checkpoint)
    if not isinstance(state, Mapping) or not state:
        raise CheckpointError(f"{path}: field 'state_dict' holds no weights by name; give a checkpoint of a training")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            shown = name if isinstance(name, str) else type(name).__name__
            raise CheckpointError(f"{path}: {shown!r} of its weights is no tensor; give a checkpoint of a training")
    return {name.removeprefix("module."): value for name, value in state.items()}


def weights_misfit(model: nn.Module, state: Mapping[str, Tensor]) -> str:
    """What of the weights is not this model's, in words behind "these weights"; empty where all fit.

    A part of the model may name, in ``spare_weights``, what a checkpoint may have beside its own.
    """
    own, spare = model.state_dict(), _spare_weights(model)
    shared = [name for name in own if name in state]
    extra = [name for name in state if name not in own]
    for what, names in (
        ("lack", [name for name in own if name not in state]),
        ("have another shape of", [name for name in shared if state[name].shape != own[name].shape]),
        ("have beside the model's", [name for name in extra if not any(f"{name}.".startswith(one) for one in spare)]),
        ("have another kind of number in", [name for name in shared if not _alike(own[name], state[name])]),
    ):
        if names:
            first = names[0]
            shapes = f" ({_shape(state[first])}, not {_shape(own[first])})" if what == "have another shape of" else ""
            return f"{what} {len(names)} tensors, the first of which is {first!r}{shapes}"
    return ""


def check_fit(model: nn.Module, state: Mapping[str, Tensor], path: str | Path, whose: str) -> None:
    """Raise CheckpointError where the weights are not exactly those of the model; whose: what says what it is."""
    # mmengine only logs what is missing, and goes on with random numbers.
    if wrong := weights_misfit(model, state):
        raise CheckpointError(
            f"{path}: these weights {wrong}; they are not of {whose}: give config and checkpoint of one training"
        )


def _read(path: str | Path, load: Callable[[], object]) -> dict:
    try:
        loaded = load()
    except torch.OutOfMemoryError:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A damaged archive sends its reader to places before the beginning.
        raise CheckpointError(f"{path}: is no checkpoint that can be read, it is damaged; give another") from None
    except Exception as error:  # whatever torch makes of a file that is no checkpoint
        # torch puts its advice to trust the file before the reason, and advice to allow what it asks for behind it.
        said = str(error)
        said = said.partition("WeightsUnpickler error:")[2] or said.partition("\n\n")[2] or said
        reason = (said.strip() or type(error).__name__).splitlines()[0].partition(". ")[0]
        raise CheckpointError(f"{path}: is no checkpoint that can be read ({reason[:200]}); give another") from None
    return without_programs(loaded, path)


def _check_size(path: Path) -> None:
    """Refuse packed contents: torch packs nothing, and a small file could become any number of gigabytes."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [entry for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return  # the format before torch 1.6, or none; torch says which
    if packed:
        raise ValueError("its contents are compressed, which no checkpoint's are")


def _without(values: object, path: str | Path, field: str) -> dict:
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: field {field!r} is a {type(values).__name__}, no dict; give another checkpoint")
    return {name: value for name, value in values.items() if name not in _PROGRAMS}


def _spare_weights(model: nn.Module) -> list[str]:
    return [
        f"{part}.{name}." if part else f"{name}."
        for part, module in model.named_modules()
        for name in getattr(module, "spare_weights", ())
    ]


def _alike(own: Tensor, other: Tensor) -> bool:
    plain = other.layout == torch.strided and other.device.type != "meta" and not other.is_quantized
    return plain and own.is_floating_point() == other.is_floating_point() and own.is_complex() == other.is_complex()


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


@CheckpointLoader.register_scheme(prefixes="", force=True)
def load_from_local(filename: str, map_location: str | torch.device | None = None) -> dict:
    """What MMEngine loads local files with: its Runner, init_cfg and inferencers, and MMPose's and MMDetection's."""
    return load_checkpoint(filename, map_location)


@CheckpointLoader.register_scheme(prefixes=("http://", "https://"), force=True)
def load_from_http(filename: str, map_location: str | torch.device | None = None) -> dict:
    """The same for addresses."""
    return _read(filename, lambda: mmengine_checkpoint.load_from_http(filename, map_location))


def _load_url(*args: object, **options: object) -> object:
    # torch's own default is to run what the file says.
    return torch.hub.load_state_dict_from_url(*args, **options | dict(weights_only=True))


# Of MMEngine's other ways most end in this function (torchvision://, open-mmlab://, ...).
mmengine_checkpoint.load_url = _load_url


class AtomicLocalBackend(LocalBackend):
    """Local files that appear whole under their name, so an interrupt while saving leaves the previous one.

    Used by `CheckpointHook(backend_args=dict(backend='atomic_local'))`: mmengine writes checkpoints in place, and
    writes the newest one a second time when it is also the best.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes to a neighbouring temporary file, then rename it to `filepath`."""
        # The process id keeps two runs in one directory from renaming each other's half-written file.
        partial = f"{filepath}.{os.getpid()}.partial"
        try:
            super().put(obj, partial)
            # On the disk before it has its name: else a machine that loses power may keep the name alone.
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
            os.replace(partial, filepath)
        except OSError as error:  # as that the disk is full, which does not say where
            raise OSError(error.errno, error.strerror, str(filepath)) from error
        finally:
            Path(partial).unlink(missing_ok=True)


allow_mmengine_checkpoints()
if "atomic_local" not in backends:
    register_backend("atomic_local", AtomicLocalBackend)
