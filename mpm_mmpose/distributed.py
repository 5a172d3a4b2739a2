"""Distributed training on GPUs (NCCL) and on machines without one (gloo)."""

import gc
import os

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.modules.batchnorm import _BatchNorm


class ProcessError(RuntimeError):
    """The processes asked for cannot run on this machine."""


def start_processes(launcher: str) -> None:
    """Join the process group where mmengine's Runner cannot: with torchrun on a machine without CUDA.

    Runner keeps a group that exists already and opens one itself otherwise.

    Raises:
        ProcessError: more processes than GPUs on this machine, a launcher that needs CUDA without CUDA, or no launcher.
    """
    if launcher == "none" or dist.is_initialized():
        return
    if launcher == "pytorch" and "RANK" not in os.environ:
        raise ProcessError("--launcher pytorch is for processes that torchrun started: use tools/dist_train.sh")
    if torch.cuda.is_available():
        local_rank = int(os.environ.get("LOCAL_RANK", 0))
        if local_rank >= torch.cuda.device_count():
            raise ProcessError(
                f"process {local_rank} of this machine has no GPU: {torch.cuda.device_count()} found. "
                "Start one process a GPU (second argument of tools/dist_train.sh)."
            )
        return
    if launcher != "pytorch":
        raise ProcessError(
            f"--launcher {launcher} needs CUDA; tools/slurm_train.sh, with torchrun underneath, does not"
        )
    # mmengine's own pytorch launcher calls torch.cuda.set_device whatever the backend.
    dist.init_process_group("gloo")


def stop_processes() -> None:
    """Leave the process group together and with its threads ended.

    Ranks that exit at different times, or whose gloo threads outlive the group, abort at interpreter exit now and then.
    """
    if dist.is_initialized():
        # The wrapped model of a finished Runner hangs in reference cycles and would keep the group's threads running.
        gc.collect()
        dist.barrier()
        dist.destroy_process_group()


class CPUSyncBatchNorm(_BatchNorm):
    """BatchNorm over the samples of all ranks, for CPU tensors, which torch's SyncBatchNorm refuses.

    Input (N, C, ...), any float unit; statistics, buffers and state-dict keys as `nn.BatchNorm1d/2d/3d`. Ranks may
    hold different N. In evaluation it is the ordinary layer.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected an input (N, C, ...), got shape {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """Normalise with the mean and the biased variance over all ranks, and update the running statistics."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        axes = [0, *range(2, input.dim())]
        shape = [1, -1] + [1] * (input.dim() - 2)
        values = input.to(torch.promote_types(input.dtype, torch.float32))  # autocast may hand bfloat16 over
        number = values.new_tensor([values.numel() / values.shape[1]])
        # all_reduce of torch.distributed.nn carries gradients between the ranks, as SyncBatchNorm does.
        sums = all_reduce(torch.cat([values.sum(axes), number]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        centred = values - mean.view(shape)
        variance = all_reduce(centred.square().sum(axes)) / total
        if self.track_running_stats:
            self._update(mean.detach(), variance.detach() * total / (total - 1))
        result = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            result = result * self.weight.view(shape) + self.bias.view(shape)
        return result.to(input.dtype)

    def _update(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        momentum = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(unbiased_variance, momentum)


def synchronise_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every BatchNorm by one over all ranks that shares its parameters and buffers; returns the module."""
    if next(module.parameters()).is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, _on_cpu(child))
        elif next(child.parameters(), None) is not None:
            synchronise_batchnorm(child)
    return module


def _on_cpu(norm: _BatchNorm) -> CPUSyncBatchNorm:
    synced = CPUSyncBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    synced._parameters.update(norm._parameters)
    synced._buffers.update(norm._buffers)
    return synced.train(norm.training)


# In mmengine's registry, not mmpose's: Runner looks wrappers up without a scope.
@MODEL_WRAPPERS.register_module()
class MPMDistributedDataParallel(MMDistributedDataParallel):
    """mmengine's wrapper, on CPU too, with BatchNorm statistics and logged losses of all ranks.

    Two ranks with half the batch each then compute and log what one process does with the whole batch. `device_ids`
    is ignored without CUDA, because Runner always passes the local rank.
    """

    def __init__(
        self, module: nn.Module, device_ids: list[int] | None = None, sync_batchnorm: bool = True, **kwargs: object
    ) -> None:
        if sync_batchnorm:
            module = synchronise_batchnorm(module)
        super().__init__(module, device_ids=device_ids if torch.cuda.is_available() else None, **kwargs)

    def train_step(self, data: dict | tuple | list, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train one step; return the mean over the ranks of what is logged (mmengine logs rank 0 alone)."""
        log_vars = super().train_step(data, optim_wrapper)
        values = torch.stack([value.detach().float() for value in log_vars.values()])
        dist.all_reduce(values)
        return dict(zip(log_vars, values / dist.get_world_size(), strict=True))
