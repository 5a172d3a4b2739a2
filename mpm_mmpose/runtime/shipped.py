"""The exported model that is in the package."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError

#: Beside this file, for a user who does not name a model.
FOLDER = Path(__file__).parent / "models"
DEFAULT = "wild_27.onnx"


def shipped_model() -> Path:
    """Its file; UsageError where this copy of the package has none."""
    path = FOLDER / DEFAULT
    if not path.is_file():
        raise UsageError(
            f"this copy of mpm_mmpose has no model in it ({path}); give one: an exported model, or a config and "
            "its weights"
        )
    return path
