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

from ..messages import brief
from .pickle_budget import CONTAINER, REMEMBERED, Budget, Finish
from .pickled_numpy import Call, PickledArray, PickledDtype, Refused

# Instructions that call something, ask for data from elsewhere, or make what no published archive holds.
_REFUSED = (
    *("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"),
    *("NEXT_BUFFER", "READONLY_BUFFER", "EMPTY_SET", "ADDITEMS", "FROZENSET"),
)
_NAMES = (str, bytes, np.str_)
_LONGEST_NAME = 500
_KEYS = (*_NAMES, int, float, bool)


def restricted_load(file: IO[bytes], size: int) -> Any:
    """Load one pickle, any protocol, of ``size`` bytes at most.

    Allowed: None, bool, numbers, text, bytes, list, tuple, dict, OrderedDict, and numpy arrays and scalars of plain
    types or of such objects. Arrays may be read-only. What it makes is bounded (:mod:`.pickle_budget`).
    Raises ValueError naming the refused global or instruction, or the damage.
    """
    try:
        return Finish(size)(_Unpickler(_Bounded(file, size)).load())
    except Refused:
        raise
    except Exception as error:  # pickle raises nearly anything on damaged input
        raise ValueError(f"damaged pickle ({type(error).__name__}: {error})") from None


class _Bounded:
    """A file that is never asked for more bytes than there are, whatever lengths are written in it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.left = file, size
        self.budget = Budget(size)

    def _take(self, number: int) -> None:
        if number > self.left:
            raise Refused(f"cut off, or damaged: {number} bytes are announced and {self.left} are there")
        self.left -= number

    def read(self, number: int) -> bytes:
        self.budget.instruction()  # each of them begins with a byte that is read
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

    def __init__(self, file: _Bounded) -> None:
        super().__init__(file, encoding="latin1")
        self.budget = file.budget

    def find_class(self, module: str, name: str) -> Call:
        return Call(module, name)

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        call = self.stack[-1]
        if type(call) is not Call or type(arguments) is not tuple:
            raise Refused(f"calls a {type(call).__name__}; only numpy arrays and plain containers are read")
        self.stack[-1] = call.run(arguments)
        self.budget.content(self.stack[-1])

    def load_build(self) -> None:
        state = self.stack.pop()
        built = self.stack[-1]
        if type(built) not in (PickledArray, PickledDtype):
            raise Refused(f"sets the state of a {type(built).__name__}; only numpy arrays have one here")
        built.set_state(state)
        if type(built) is PickledArray:
            self.budget.content(built.value)

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
                # Large numbers, and numbers in pairs, can be chosen so that all of them are in one place of the table.
                if type(part) in _NAMES and len(part) > _LONGEST_NAME:
                    raise Refused(f"has the key {brief(part)} in a dict; names are shorter")
                if type(part) not in _NAMES and (type(key) is tuple or not abs(part) < 2**60):
                    raise Refused(f"has the key {brief(key)} in a dict; only names and small numbers are read")
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


def _costly(load: Callable, cost: int) -> Callable:
    def spend(self: _Unpickler) -> None:
        self.budget.object(cost)
        load(self)

    return spend


for _names, _cost in (
    (("EMPTY_LIST", "LIST", "EMPTY_DICT", "DICT", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"), CONTAINER),
    (("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"), REMEMBERED),
):
    for _name in _names:
        _code = getattr(pickle, _name)[0]
        _Unpickler.dispatch[_code] = _costly(_Unpickler.dispatch[_code], _cost)
