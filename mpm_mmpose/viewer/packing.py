"""Arrays as bytes that a page unpacks: 16 bit integers, differences in time, gzip, base64."""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import Any

import numpy as np

#: Stands for NaN; what is known is kept between -LARGEST and LARGEST.
UNKNOWN, LARGEST = -32768, 32767
#: What a browser holds in one string, with room to spare; base64 of the packed bytes must fit.
MOST_BYTES = 300_000_000


class Packer:
    """Collects arrays one after the other in one block of bytes; what is returned for each says where it lies.

    Equal arrays lie there once: several predictions of one clip have one ground truth and one 2D.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._places: dict[tuple[str, int, bytes], int] = {}

    def measured(self, values: np.ndarray, unit: float, limit: float) -> dict[str, Any]:
        """Any (N, ...) as int16 multiples of ``unit``, or of the least that reaches the largest value.

        Values beyond ``limit`` are put there, so that one wild value does not take the precision of all others. What
        is not finite is unknown. Rows are differences to the row before, which gzip makes half as large.
        """
        values = np.clip(np.asarray(values, np.float64), -limit, limit)
        known = np.isfinite(values)
        largest = np.abs(values[known]).max(initial=0)
        unit = max(unit, largest / LARGEST)
        whole = np.full(values.shape, UNKNOWN, np.int16)
        whole[known] = np.round(values[known] / unit)
        # Differences wrap around in 16 bits, and so do the page's sums.
        differences = np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1]))
        row = int(np.prod(values.shape[1:], initial=1))
        return self._add(differences.astype("<i2"), "measured", row) | dict(unit=unit, row=row)

    def shares(self, values: np.ndarray) -> dict[str, Any]:
        """Values from 0 to 1 in steps of 1/255; what is not finite is 0."""
        return self._add(np.round(255 * np.clip(np.nan_to_num(values), 0, 1)).astype(np.uint8), "bytes")

    def whole(self, values: np.ndarray) -> dict[str, Any]:
        """Whole numbers as int32."""
        return self._add(np.asarray(values, "<i4"), "int32")

    def exact(self, values: np.ndarray) -> dict[str, Any]:
        """Numbers as float32, NaN among them."""
        return self._add(np.asarray(values, "<f4"), "float32")

    def base64(self) -> str:
        """All of it, compressed; the same bytes for the same arrays. ValueError where it is more than a page takes."""
        packed = gzip.compress(b"".join(self._parts), compresslevel=6, mtime=0)
        if len(packed) > MOST_BYTES:
            raise ValueError(
                f"a page takes up to {MOST_BYTES / 1e6:.0f} MB of compressed poses, and this scene has "
                f"{len(packed) / 1e6:.0f} MB; write a part of its frames, or .npz"
            )
        return base64.b64encode(packed).decode("ascii")

    def _add(self, array: np.ndarray, kind: str, row: int = 1) -> dict[str, Any]:
        data = np.ascontiguousarray(array).tobytes()
        # The page unpacks in place, so only what it unpacks alike may lie there once.
        key = kind, row, hashlib.sha256(data).digest()
        start = self._places.setdefault(key, self._size)
        if start == self._size:
            # Typed arrays of 32 bit must start at multiples of 4 bytes.
            padding = -len(data) % 4
            self._parts.append(data + bytes(padding))
            self._size += len(data) + padding
        return dict(kind=kind, start=start, length=array.size)
