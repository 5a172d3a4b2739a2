"""How much a pickle may make: instructions, memory, and what its values are when they are written out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from .pickled_numpy import Call, PickledArray, PickledDtype, Refused

_DEPTH = 50
#: A million instructions take some tenths of a second; the published files have some thousands.
MOST_INSTRUCTIONS = 20_000_000
#: Bytes as Python's objects that a pickle of any size may make, and how many times its own.
_ALWAYS_ALLOWED, _MOST_TIMES = 2**28, 16
#: What a list, tuple or dict takes before anything is in it, with what is kept of it here; and a remembered value.
CONTAINER, REMEMBERED = 350, 130
# How often shared values may count again: a file's cameras belong to all its subjects.
_SHARED = 4


class Budget:
    """What may still be made from a pickle of ``size`` bytes; each method raises Refused where it is used up."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.instructions = MOST_INSTRUCTIONS
        self.objects = _ALWAYS_ALLOWED + _MOST_TIMES * size
        self.contents = 2 * size  # what is written once becomes text, then an array

    def instruction(self) -> None:
        """One more of the pickle's instructions."""
        self.instructions -= 1
        if self.instructions < 0:
            raise Refused(f"has more than {MOST_INSTRUCTIONS:,} instructions; no published archive has")

    def object(self, cost: int) -> None:
        """One more object of ``cost`` bytes."""
        self.objects -= cost
        if self.objects < 0:
            raise Refused("makes more lists, tables and names than any recording has")

    def content(self, made: Any) -> None:
        """Bytes or an array that an instruction made: text or a list can be taken up, and copied, again and again."""
        if isinstance(made, np.ndarray):
            self.contents -= made.size if made.dtype.hasobject else made.nbytes
        elif isinstance(made, bytes):
            self.contents -= len(made)
        if self.contents < 0:
            raise Refused("makes more of its contents than it holds; no array does")


class Finish:
    """Puts arrays in the places of what stands for them; lists, dicts and object arrays are changed in place.

    Values may be shared, and are then counted as often as they occur: a reader of the result goes through all of them.
    Raises Refused for what is nested too deep, contains itself, or is more than ``size`` bytes can hold.
    """

    def __init__(self, size: int) -> None:
        self.left = _ALWAYS_ALLOWED // 16 + _SHARED * size
        # By identity: the result, how many values and bytes it is; and what it was made of, which keeps it alive.
        self.done: dict[int, tuple[Any, int, Any]] = {}
        self.open: set[int] = set()

    def __call__(self, value: Any) -> Any:
        """The finished value."""
        return self._finish(value, 0)[0]

    def _finish(self, value: Any, depth: int) -> tuple[Any, int]:
        known = self.done.get(id(value))
        if known is not None:
            return known[:2]
        if depth > _DEPTH:
            raise Refused(f"is nested more than {_DEPTH} deep; only plain containers are read")
        if type(value) is Call:
            raise Refused(f"holds {value.name} itself; only numpy arrays and plain containers are read")
        if type(value) is PickledDtype:
            return value.dtype, 1
        result = value
        if type(value) is PickledArray:
            if value.value is None:
                raise Refused("holds an array without contents")
            result = value.value
        is_objects = isinstance(result, np.ndarray) and result.dtype.hasobject
        if not is_objects and type(value) not in (tuple, list, dict, OrderedDict):
            return result, 1 + (result.nbytes if isinstance(result, np.ndarray) else 0)
        if id(value) in self.open:
            raise Refused("contains itself; only plain containers are read")
        self.open.add(id(value))
        if is_objects:
            flat, size = result.reshape(-1), 1  # a view
            for index in range(flat.size):
                flat[index], more = self._finish(flat[index], depth + 1)
                size = self._grown(size, more)
        else:
            result, size = self._container(value, depth)
        self.open.discard(id(value))
        self.done[id(value)] = (result, size, value)
        return result, size

    def _container(self, value: Any, depth: int) -> tuple[Any, int]:
        size = 1
        finished = []
        for item in value if isinstance(value, tuple | list) else value.values():
            done, more = self._finish(item, depth + 1)
            size = self._grown(size, more)
            finished.append(done)
        if type(value) is tuple:
            return tuple(finished), size
        if type(value) is list:
            value[:] = finished
        else:
            value.update(zip(value, finished, strict=True))
        return value, size

    def _grown(self, size: int, more: int) -> int:
        if size + more > self.left:
            raise Refused("holds values that occur again and again, more than the file is large; no recording does")
        return size + more
