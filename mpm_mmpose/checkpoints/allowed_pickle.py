"""What `torch.load(weights_only=True)` may meet in a checkpoint of mmengine's beside tensors: checked stand-ins.

A pickle names functions and says with which arguments they are called. Numpy's own believe these: the state of a dtype
that has an object field ends in a crash. So under their names stand others here, which check before they build.
"""

import pickle
from collections.abc import Callable

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from ..readers.pickled_numpy import PickledArray, PickledDtype

_STATISTICS = ("min", "max", "mean", "current")


class _Dtype(PickledDtype):
    """Unpickled as `numpy.dtype`."""

    def __setstate__(self, state: tuple) -> None:
        self.set_state(state)


class _Array(np.ndarray):
    """Unpickled as `numpy.ndarray`; pickled again it is one."""

    def __new__(cls, *_: object) -> "_Array":
        raise pickle.UnpicklingError(
            "numpy.ndarray is called, which is refused; it may only be named as an array's type"
        )

    def __setstate__(self, state: tuple) -> None:
        version, shape, dtype, fortran, data = state
        if type(dtype) is not _Dtype or dtype.dtype.hasobject:
            raise pickle.UnpicklingError("an array of other than numbers and text is refused")
        plain, checked = PickledDtype("b"), PickledArray()
        plain.dtype = dtype.dtype
        checked.set_state((version, shape, plain, fortran, data))
        super().__setstate__((1, checked.value.shape, checked.value.dtype, False, checked.value.tobytes()))

    def __reduce_ex__(self, protocol: int) -> tuple:
        return np.asarray(self).__reduce_ex__(protocol)


class _History(HistoryBuffer):
    """Unpickled as mmengine's `HistoryBuffer`, and one of them as soon as its numbers are in."""

    def __setstate__(self, state: dict) -> None:
        # Not its own __setstate__, which puts the file's functions among the statistics of all buffers.
        log, counts = (np.asarray(state[name]) for name in ("_log_history", "_count_history"))
        limit = state["max_length"]
        if log.ndim != 1 or log.shape != counts.shape or not all(a.dtype.kind in "biuf" for a in (log, counts)):
            raise pickle.UnpicklingError("the history of a logged value is no list of numbers")
        if type(limit) is not int or limit < 1:
            raise pickle.UnpicklingError("the history of a logged value has no length")
        self.__class__ = HistoryBuffer
        HistoryBuffer.__init__(self, log, counts, limit)


def _rebuild_array(kind: object, shape: object, code: object) -> _Array:
    if kind is not _Array or shape != (0,):
        raise pickle.UnpicklingError("numpy's _reconstruct is misused; arrays start as numpy.ndarray of shape (0,)")
    return np.ndarray.__new__(_Array, (0,), np.int8)


def _rebuild_scalar(dtype: object, data: object) -> np.generic:
    if type(dtype) is not _Dtype or dtype.dtype.hasobject or type(data) is not bytes:
        raise pickle.UnpicklingError("numpy's scalar is misused; a number or text of its own bytes is read")
    (value,) = np.frombuffer(data, dtype.dtype)
    return value


def _history_statistic(owner: type, name: str) -> Callable:
    # Unpickled as `builtins.getattr`: a HistoryBuffer's pickle fetches its own four methods with it, and nothing
    # else may be fetched, or a hostile file could walk from any allowed object to whatever it likes.
    if owner is _History and name in _STATISTICS:
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f"getattr({owner!r}, {name!r}) is not allowed in a checkpoint")


def _empty_bytes() -> bytes:
    # Unpickled as `builtins.bytes`: how pickles of empty numpy arrays, as in MMPose's metainfo, write their content.
    return b""


def allow_mmengine_checkpoints() -> None:
    """Let `torch.load(weights_only=True)` read what mmengine's Runner writes beside the weights.

    Adds log histories, and numpy's arrays and scalars of numbers or text, to torch's process-wide allow-list;
    everything else a file may ask for is refused as before.
    """
    allowed = [
        (_History, f"{HistoryBuffer.__module__}.HistoryBuffer"),
        (_Array, "numpy.ndarray"),
        (_Dtype, "numpy.dtype"),
        (_history_statistic, "builtins.getattr"),
        (_empty_bytes, "builtins.bytes"),
    ]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # numpy 1's name and numpy 2's
        allowed += [(_rebuild_array, f"{module}._reconstruct"), (_rebuild_scalar, f"{module}.scalar")]
    torch.serialization.add_safe_globals(allowed)
