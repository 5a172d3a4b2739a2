"""The header of a ``.npy`` file, which numpy parses as Python and which can therefore fail in any way."""

from __future__ import annotations

import math
import warnings
from typing import IO, NamedTuple

import numpy as np


class Header(NamedTuple):
    """What a ``.npy`` file says of its array; nbytes: what that takes."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the contents."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(where: str, file: IO[bytes], again: str = "fetch the file again") -> Header:
    """The header at which ``file`` stands; ValueError (``where``, ``again``) where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote, or that are no good Python
            version = np.lib.format.read_magic(file)
            if version != (1, 0):  # later ones are for arrays with many fields, and allow headers of 4 GiB
                raise ValueError(f"version {version}")
            header = Header(*np.lib.format.read_array_header_1_0(file))
        if min(header.shape, default=0) < 0 or len(header.shape) > 32:
            raise ValueError(f"shape {header.shape}")
    except Exception as error:  # tokenize.TokenError, SyntaxError, RecursionError, KeyError, ...
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{where}: has no valid .npy header ({reason}); {again}") from None
    return header
