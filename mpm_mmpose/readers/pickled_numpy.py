"""What pickled numpy arrays are made of: stand-ins for the functions they name, which check before they allocate."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

_DTYPE = re.compile(r"[<>=|]?([biufc?]\d{0,2}|[SU]\d{0,9}|O8?)")


class Refused(ValueError):
    """A pickle asks for what no published archive needs."""


class Call:
    """An allowed global; nothing in it can be changed by a pickle, and ``run`` runs a checked stand-in for it."""

    __slots__ = ("name", "function")
    __hash__ = None

    def __init__(self, module: str, name: str) -> None:
        module = re.sub(r"^numpy\._core\b", "numpy.core", module)
        self.name = f"{'builtins' if module == '__builtin__' else module}.{name}"
        if self.name not in _ALLOWED:
            raise Refused(f"asks for {self.name}, which is refused; only numpy arrays and plain containers are read")
        self.function = _ALLOWED[self.name]

    def run(self, arguments: tuple) -> Any:
        """Result of the stand-in; raises Refused, or TypeError for a wrong number of arguments."""
        if self.function is None:
            raise Refused(f"calls {self.name}, which is refused; it may only be named as an array's type")
        return self.function(*arguments)


class PickledDtype:
    """A dtype on its way: the code, and the byte order that its state sets."""

    __hash__ = None

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if type(code) is not str or not _DTYPE.fullmatch(code):
            raise Refused("asks for an array type that is not plain; only numbers, text and objects are read")
        self.dtype = np.dtype(code)

    def set_state(self, state: tuple) -> None:
        """Take the byte order from a dtype's state; raises Refused."""
        # (version, order, subarray, names, fields, size, alignment, flags[, metadata])
        if state[2:5] != (None, None, None) or state[1] not in ("<", ">", "=", "|"):
            raise Refused("asks for an array type with fields; only numbers, text and objects are read")
        if state[1] in "<>":
            self.dtype = self.dtype.newbyteorder(state[1])


class PickledArray:
    """An array on its way: empty until its state comes."""

    __hash__ = None

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def set_state(self, state: tuple) -> None:
        """Become the array of an ndarray's state; raises Refused."""
        _version, shape, dtype, fortran, data = state
        dtype = _resolve(dtype)
        count = _count(shape)
        if dtype.hasobject:
            if type(data) is not list or len(data) != count:
                raise Refused(f"an array of shape {shape} has another number of objects")
            self.value = np.fromiter(data, dtype=object, count=count).reshape(shape)
        else:
            self.value = _from_bytes(data, dtype, shape, count).reshape(shape, order="F" if fortran else "C")


def _resolve(dtype: Any) -> np.dtype:
    if type(dtype) is not PickledDtype:
        raise Refused(f"gives a {type(dtype).__name__} as an array's type")
    return dtype.dtype


def _count(shape: Any) -> int:
    if type(shape) is not tuple or len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise Refused("asks for an array of a shape that cannot be")
    return math.prod(shape)


def _from_bytes(data: Any, dtype: np.dtype, shape: tuple, count: int) -> np.ndarray:
    data = data.encode("latin1") if type(data) is str else data  # Python 2 wrote bytes as text
    if type(data) not in (bytes, bytearray) or len(data) != count * dtype.itemsize or (count and not dtype.itemsize):
        raise Refused(f"an array of shape {shape} and type {dtype} has another number of bytes")
    array = np.frombuffer(data, dtype=dtype) if count else np.empty(count, dtype=dtype)
    if not is_text(array):
        raise Refused("holds characters that there are not")
    return array


def is_text(array: np.ndarray) -> bool:
    """Whether an array of text, contiguous, holds characters of Unicode; of numbers always. numpy checks nothing."""
    if array.dtype.kind != "U" or not array.nbytes:
        return True
    return bool(array.reshape(-1).view(array.dtype.str[0] + "u4").max() <= 0x10FFFF)


def _reconstruct(kind: Any, shape: Any, code: Any) -> PickledArray:
    if type(kind) is not Call or kind.name != "numpy.ndarray" or shape != (0,):
        raise Refused("numpy.core.multiarray._reconstruct is misused; arrays start as numpy.ndarray of shape (0,)")
    return PickledArray()


def _frombuffer(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    dtype, count = _resolve(dtype), _count(shape)
    if dtype.hasobject or order not in ("C", "F"):
        raise Refused("numpy.core.numeric._frombuffer is misused; it makes arrays of numbers or text")
    return _from_bytes(data, dtype, shape, count).reshape(shape, order=order)


def _scalar(dtype: Any, data: Any) -> Any:
    dtype = _resolve(dtype)
    if dtype.hasobject:
        raise Refused("numpy.core.multiarray.scalar is misused; an object is no scalar")
    return _from_bytes(data, dtype, (), 1)[0]


def _encode(text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise Refused("_codecs.encode is misused; it only turns Latin-1 text into bytes")
    return text.encode("latin1")


# What a pickle may name, under its Python 3 name: a stand-in for it, None for what may not be called.
_ALLOWED: dict[str, Callable | None] = {
    "numpy.ndarray": None,
    "numpy.dtype": PickledDtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "_codecs.encode": _encode,
    "builtins.bytes": lambda: b"",
    "collections.OrderedDict": lambda: OrderedDict(),
}
