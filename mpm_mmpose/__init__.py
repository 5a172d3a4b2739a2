"""MPM for MMPose: importing this package registers its models, data sets, metrics and hooks."""

from .dependencies import check_dependencies
from .version import __version__

check_dependencies()

from . import checkpoint, datasets, distributed, evaluation, hooks, models  # noqa: E402

__all__ = ["__version__", "checkpoint", "datasets", "distributed", "evaluation", "hooks", "models"]
