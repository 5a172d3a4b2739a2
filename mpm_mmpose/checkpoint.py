"""Checkpoints that are read with `weights_only=True` and written whole or not at all."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mmengine.fileio import LocalBackend, register_backend
from mmengine.fileio.backends import backends
from mmengine.logging import HistoryBuffer

_STATISTICS = ("min", "max", "mean", "current")
_DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()


def _history_statistic(owner: type, name: str) -> Callable:
    # Unpickled as `builtins.getattr`: a HistoryBuffer's pickle fetches its own four methods with it, and nothing
    # else may be fetched, or a hostile file could walk from any allowed object to whatever it likes.
    if owner is HistoryBuffer and name in _STATISTICS:
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f"getattr({owner!r}, {name!r}) is not allowed in a checkpoint")


def _empty_bytes() -> bytes:
    # Unpickled as `builtins.bytes`: how pickles of empty numpy arrays, as in MMPose's metainfo, write their content.
    return b""


def allow_mmengine_checkpoints() -> None:
    """Let `torch.load(weights_only=True)` read what mmengine's Runner writes beside the weights.

    Adds log histories, numeric numpy arrays and numpy scalars to torch's process-wide allow-list; everything else a
    file may ask for is refused as before.
    """
    allowed = [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        (_history_statistic, "builtins.getattr"),
        (_empty_bytes, "builtins.bytes"),
    ]
    allowed += [type(np.dtype(name)) for name in _DTYPES]
    rebuild_array, rebuild_scalar = np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # numpy 1's name and numpy 2's
        allowed += [(rebuild_array, f"{module}._reconstruct"), (rebuild_scalar, f"{module}.scalar")]
    torch.serialization.add_safe_globals(allowed)


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
