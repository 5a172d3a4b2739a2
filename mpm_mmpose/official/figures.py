"""Files of figures that the authors' code computes."""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class Figures:
    """The arrays of one file, as tensors of one precision.

    Raises:
        FileNotFoundError, ValueError: There is no such file, it is no .npz of plain arrays, or an array is not in it.
    """

    def __init__(self, path: str | Path) -> None:
        self.dtype = torch.float32
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                self.arrays = {name: arrays[name] for name in arrays.files}
        except (ValueError, EOFError, AttributeError, zipfile.BadZipFile):
            raise ValueError(f"{path}: not an .npz file of plain arrays") from None

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def __getitem__(self, name: str) -> Tensor:
        value = torch.from_numpy(self.array(name))
        return value.to(self.dtype) if value.is_floating_point() else value

    def array(self, name: str) -> np.ndarray:
        """The array as it is in the file; raises ValueError where there is none."""
        if name not in self.arrays:
            raise ValueError(f"there is no array {name}")
        return self.arrays[name]
