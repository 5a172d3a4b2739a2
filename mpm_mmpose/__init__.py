"""MPM for MMPose: :mod:`mpm_mmpose.register` makes MMPose know it; what needs no PyTorch is imported without it."""

import sys

from .version import __version__

__all__ = ["__version__"]

# Configs may name the package itself in their custom_imports; MMEngine, which imports it then, is there already.
if "mmengine" in sys.modules:
    from . import register  # noqa: F401
