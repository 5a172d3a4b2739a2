"""Importing this module registers our models, data sets, metrics and hooks, and makes checkpoints readable."""

from .dependencies import check_dependencies

check_dependencies()

from . import checkpoint, compilation, distributed, evaluation, hooks, models  # noqa: E402, F401
from .datasets import (  # noqa: E402, F401
    chunk_dataset,
    device_dataset,
    masked_pose_dataset,
    mixed_dataset,
    mocap_dataset,
    window_dataset,
)
