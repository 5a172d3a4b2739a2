"""Training in bfloat16 on CPUs that multiply it faster than float32 (AVX-512 BF16, AMX)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """mmengine's OptimWrapper with the model's forward pass in bfloat16 where that is safe; weights stay float32.

    mmengine's AmpOptimWrapper does the same and refuses to on a CPU. bfloat16 has the range of float32, so no loss is
    scaled.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast on the model's device."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
