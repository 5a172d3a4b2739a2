"""How exactly a GPU multiplies float32 matrices."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class TF32Hook(Hook):
    """float32 matrix products of the run use TF32 on GPUs that have it: 10 bits of mantissa instead of 23.

    Without this hook products are exact, as PyTorch's default is. CPUs stay exact.
    """

    def before_run(self, runner: Runner) -> None:
        """Allow TF32."""
        self._before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = True

    def after_run(self, runner: Runner) -> None:
        """Leave the process as it was."""
        torch.backends.cuda.matmul.allow_tf32 = self._before
