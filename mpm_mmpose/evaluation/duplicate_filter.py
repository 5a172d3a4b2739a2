"""Which windows were counted already."""

from __future__ import annotations

import numpy as np


class SeenWindows:
    """A set of window indices, one bit each: 540,000 windows take 68 kB."""

    def __init__(self) -> None:
        self._bits = np.zeros(0, np.uint8)

    def add(self, windows: np.ndarray) -> np.ndarray:
        """Add indices (N,), 0 or more; returns (N,) bool, True for those that are new, each once."""
        new = np.zeros(len(windows), bool)
        new[np.unique(windows, return_index=True)[1]] = True
        self._reserve(int(windows.max(initial=-1)) // 8 + 1)
        byte, bit = windows >> 3, (1 << (windows & 7)).astype(np.uint8)
        new &= (self._bits[byte] & bit) == 0
        np.bitwise_or.at(self._bits, byte, bit)
        return new

    def update(self, other: SeenWindows) -> int:
        """Add all of another set; returns how many were in both."""
        self._reserve(len(other._bits))
        mine = self._bits[: len(other._bits)]
        both = int(np.unpackbits(mine & other._bits).sum())
        mine |= other._bits
        return both

    def _reserve(self, size: int) -> None:
        if size > len(self._bits):
            # Twice as much as needed, so that growing with every batch copies little.
            self._bits = np.concatenate([self._bits, np.zeros(2 * size - len(self._bits), np.uint8)])
