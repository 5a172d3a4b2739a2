"""Unpickling that executes nothing: plain containers and numpy arrays come out, everything else is refused.

A pickle is a program. Here only the instructions that build plain values run, the few functions that numpy's arrays and
Python 2's strings need are re-implemented with checked arguments, and numpy itself sees only sizes that were compared
with the bytes that are there.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from .pickled_numpy import Call, PickledArray, PickledDtype, Refused

# Instructions that call something, ask for data from elsewhere, or make what no published archive holds.
_REFUSED = (
    *("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"),
    *("NEXT_BUFFER", "READONLY_BUFFER", "EMPTY_SET", "ADDITEMS", "FROZENSET"),
)
_KEYS = (str, bytes, int, float, bool, np.str_)
_DEPTH = 50


def restricted_load(file: IO[bytes], size: int) -> Any:
    """Load one pickle, any protocol, of ``size`` bytes at most.

    Allowed: None, bool, numbers, text, bytes, list, tuple, dict, OrderedDict, and numpy arrays and scalars of plain
    types or of such objects. Arrays may be read-only.
    Raises ValueError naming the refused global or instruction, or the damage.
    """
    reader = _Bounded(file, size)
    try:
        return _finish(_Unpickler(reader, size).load(), 0, {})
    except Refused:
        raise
    except Exception as error:  # pickle raises nearly anything on damaged input
        raise ValueError(f"damaged pickle ({type(error).__name__}: {error})") from None


class _Bounded:
    """A file that is never asked for more bytes than there are, whatever lengths are written in it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.left = file, size

    def _take(self, number: int) -> None:
        if number > self.left:
            raise Refused(f"cut off, or damaged: {number} bytes are announced and {self.left} are there")
        self.left -= number

    def read(self, number: int) -> bytes:
        self._take(number)
        return self.file.read(number)

    def readline(self) -> bytes:
        line = self.file.readline(self.left + 1)
        self._take(len(line))
        return line


class _Unpickler(pickle._Unpickler):
    # Python's own machine, not the one in C: its instructions are a table, and its memo a dict, so that no index in the
    # file becomes memory.
    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: _Bounded, size: int) -> None:
        super().__init__(file, encoding="latin1")
        self.allowance = 2 * size  # what is written once becomes text, then an array

    def _spend(self, made: Any) -> None:
        # Instructions can take up the same text or list again and again, and have it copied each time.
        if isinstance(made, np.ndarray):
            self.allowance -= made.size if made.dtype.hasobject else made.nbytes
        elif isinstance(made, bytes):
            self.allowance -= len(made)
        if self.allowance < 0:
            raise Refused("makes more of its contents than it holds; no array does")

    def find_class(self, module: str, name: str) -> Call:
        return Call(module, name)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        call = self.stack[-1]
        if type(call) is not Call or type(arguments) is not tuple:
            raise Refused(f"calls a {type(call).__name__}; only numpy arrays and plain containers are read")
        self.stack[-1] = call.run(arguments)
        self._spend(self.stack[-1])

    def load_build(self) -> None:
        state = self.stack.pop()
        built = self.stack[-1]
        if type(built) not in (PickledArray, PickledDtype):
            raise Refused(f"sets the state of a {type(built).__name__}; only numpy arrays have one here")
        built.set_state(state)
        if type(built) is PickledArray:
            self._spend(built.value)

    def load_setitems(self) -> None:
        self._put(self.pop_mark(), self.stack[-1])

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._put([key, value], self.stack[-1])

    def load_dict(self) -> None:
        items, target = self.pop_mark(), {}
        self._put(items, target)
        self.append(target)

    def _put(self, items: list, target: Any) -> None:
        if type(target) not in (dict, OrderedDict):
            raise Refused(f"sets items of a {type(target).__name__}; only a dict has some here")
        for key, value in zip(items[::2], items[1::2], strict=True):
            for part in key if type(key) is tuple else (key,):
                if type(part) not in _KEYS:  # hashing deep tuples of shared tuples would never end
                    raise Refused(f"has a {type(part).__name__} in the key of a dict; only names and numbers are read")
            target[key] = value

    def load_bytearray8(self) -> None:
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    def load_frame(self) -> None:
        # A frame is a hint for reading ahead; without it nothing is read twice, and readline sees the same bytes.
        self.read(8)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.FRAME[0]] = load_frame


def _refuse(instruction: str) -> Callable:
    def load(self: _Unpickler) -> None:
        raise Refused(f"uses the instruction {instruction}; only numpy arrays and plain containers are read")

    return load


for _name in _REFUSED:
    _Unpickler.dispatch[getattr(pickle, _name)[0]] = _refuse(_name)


def _finish(value: Any, depth: int, done: dict[int, tuple]) -> Any:
    """The value with arrays in the places of what stood for them; lists, dicts and object arrays are changed in place.

    ``done`` holds what was met before, by identity, and keeps it alive: things may be shared, or contain themselves.
    """
    if id(value) in done:
        return done[id(value)][0]
    if depth > _DEPTH:
        raise Refused(f"is nested more than {_DEPTH} deep; only plain containers are read")
    if type(value) is Call:
        raise Refused(f"holds {value.name} itself; only numpy arrays and plain containers are read")
    result = value
    if type(value) is PickledDtype:
        result = value.dtype
    elif type(value) is PickledArray:
        if value.value is None:
            raise Refused("holds an array without contents")
        result = value.value
    done[id(value)] = (result, value)
    if type(value) is tuple:
        result = tuple(_finish(item, depth + 1, done) for item in value)
        done[id(value)] = (result, value)
    elif type(value) is list:
        value[:] = [_finish(item, depth + 1, done) for item in value]
    elif type(value) in (dict, OrderedDict):
        for key in value:
            value[key] = _finish(value[key], depth + 1, done)
    elif isinstance(result, np.ndarray) and result.dtype.hasobject:
        flat = result.reshape(-1)  # a view
        for index in range(flat.size):
            flat[index] = _finish(flat[index], depth + 1, done)
    return result
