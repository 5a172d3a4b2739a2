"""Models by name, config and weights: what `MPMInferencer('mpm_h36m_243')` stands for. Imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError, unknown_name

BACKENDS = ("pytorch", "onnx")
_PACKAGE = Path(__file__).parents[1]
#: Beside the package in a checkout, inside of it in an installed wheel.
ROOTS = (_PACKAGE.parent, _PACKAGE / ".mim")


def is_exported(model: str | Path | None, weights: str | Path | None, backend: str | None = None) -> bool:
    """Whether an exported model is meant: by the backend, by the weights' name, or as neither is named, which is the
    one in the package. Raises UsageError for a backend that is not known.
    """
    if backend is not None:
        if backend not in BACKENDS:
            raise unknown_name("backend", backend, BACKENDS)
        return backend == "onnx"
    return Path(weights).suffix == ".onnx" if weights else model is None


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
            models[name] = (root / entry["Config"], _place(entry.get("Weights")))
    return models


def _place(weights: str | None) -> str | None:
    """Weights of the index: an address as it is, a file of the package where it is installed."""
    return weights if weights is None or "://" in weights else str(_PACKAGE.parent / weights)


def find_model(model: str | Path | None, weights: str | Path | None = None) -> tuple[Path | None, str]:
    """Config and weights of a name of the model index, or of a config file with weights.

    Without a model the config is None: weights trained with this package say what they are.
    Raises UsageError for a name that is not known (with the nearest) and for weights that are not there.
    """
    config = published = None
    if model is None:
        if weights is None:
            raise UsageError("give weights (--weights): a checkpoint of stage II, as tools/train.py leaves it")
    elif Path(model).suffix == ".py":
        config = Path(model)
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
