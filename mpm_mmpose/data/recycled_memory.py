"""Memory of batches that nobody holds any more, to be filled again."""

from __future__ import annotations

import math
import weakref
from collections import deque

import numpy as np

KEPT = 4  # 2D and 3D of two batches: one is cut while the one before is still in use


class RecycledMemory:
    """Gives out float32 arrays, in memory of earlier ones where these are gone.

    A batch of 1024 windows of 243 frames is 85 MB; the system clears new memory before it gives it away, which takes as
    long as cutting the windows. Memory comes back when the array that was given out is collected: whoever uses the
    memory must hold that very object, as a tensor of ``torch.from_numpy`` does, and not only a view of it.
    """

    def __init__(self) -> None:
        self.free: deque[np.ndarray] = deque(maxlen=KEPT)

    def __reduce__(self) -> tuple:
        return type(self), ()  # another process starts with none

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        """An array of ``shape`` with anything in it."""
        memory = self._take(math.prod(shape))
        array = memory.reshape(shape)
        weakref.finalize(array, self.free.append, memory).atexit = False
        return array

    def _take(self, size: int) -> np.ndarray:
        for _ in range(len(self.free)):
            try:
                memory = self.free.popleft()
            except IndexError:  # another thread took it
                break
            if memory.size == size:
                return memory
            self.free.append(memory)
        return np.empty(size, dtype=np.float32)
