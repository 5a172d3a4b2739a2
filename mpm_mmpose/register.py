"""Importing this module registers our models, data sets, metrics and hooks, and makes checkpoints readable."""

import os

from .dependencies import check_dependencies

check_dependencies()

# PyTorch's own switch, read when it makes its first large tensor: on Linux CPUs, pages of 2 MB instead of 4 kB.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from . import evaluation, models  # noqa: E402, F401
from .checkpoints import content_hook, loading  # noqa: E402, F401
from .data import (  # noqa: E402, F401
    chunk_dataset,
    device_dataset,
    masked_pose_dataset,
    mixed_dataset,
    mocap_dataset,
    window_dataset,
)
from .training import (  # noqa: E402, F401
    activation_checkpointing,
    checkpoint_hook,
    compilation,
    data_workers,
    distributed,
    float32_precision,
    half_precision,
    hooks,
    log_hook,
    statistics,
    work_dir,
)
