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

from .errors import TrainingStopped


class ProcessError(TrainingStopped):
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
        """Normalise with the mean and the biased variance over all ranks, and update the running statistics.

        Raises:
            ValueError: in training, one value per channel over all ranks.
        """
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
        if total <= 1:  # as nn.BatchNorm: the variance of one value is not known
            raise ValueError(
                f"expected more than 1 value per channel over all processes in training, got input {tuple(input.shape)}"
            )
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


def running_statistics(module: nn.Module) -> list[Tensor]:
    """Running means and variances (C,) of every BatchNorm that has them."""
    norms = [norm for norm in module.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    return [buffer for norm in norms for buffer in (norm.running_mean, norm.running_var)]


def average_over_ranks(tensors: list[Tensor]) -> None:
    """Replace the values of tensors, float32 of any shape, by their means over all ranks, in one message."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


# In mmengine's registry, not mmpose's: Runner looks wrappers up without a scope.
@MODEL_WRAPPERS.register_module()
class MPMDistributedDataParallel(MMDistributedDataParallel):
    """mmengine's wrapper, on CPU too, whose logged losses and running statistics are those of all ranks.

    Args:
        module: the model.
        device_ids: ignored without CUDA, because Runner always passes the local rank.
        sync_batchnorm: BatchNorm normalises with the statistics of all ranks, so that ranks with a part of the batch
            each compute and log what one process does with the whole batch. Otherwise each with those of its own part,
            and the running statistics are the mean over the ranks.
        gradient_as_bucket_view: gradients lie in the buffers that are sent, so they are neither copied nor held twice.
        kwargs: of mmengine's wrapper and torch's, such as static_graph.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: list[int] | None = None,
        sync_batchnorm: bool = True,
        gradient_as_bucket_view: bool = True,
        **kwargs: object,
    ) -> None:
        if sync_batchnorm:
            module = synchronise_batchnorm(module)
        super().__init__(
            module,
            device_ids=device_ids if torch.cuda.is_available() else None,
            gradient_as_bucket_view=gradient_as_bucket_view,
            **kwargs,
        )
        # Those of synchronised layers are the same on all ranks already.
        self._statistics = [] if sync_batchnorm else running_statistics(module)

    def train_step(self, data: dict | tuple | list, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train one step; return the mean over the ranks of what is logged (mmengine logs rank 0 alone).

        Raises:
            ValueError: static_graph with gradient accumulation, which torch answers with an internal assertion.
        """
        if self.static_graph and not optim_wrapper.should_sync():
            raise ValueError(
                "model_wrapper_cfg: static_graph=True needs gradients to be sent in every step; leave it out, or "
                "accumulative_counts of optim_wrapper"
            )
        log_vars = {name: value.detach().float() for name, value in super().train_step(data, optim_wrapper).items()}
        # All in one message. Averaged every step or at the end, running statistics become the same; averaged here,
        # checkpoints and tests on any rank find them so.
        average_over_ranks([*log_vars.values(), *self._statistics])
        return log_vars
