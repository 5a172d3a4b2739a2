"""What benchmark.py times: training steps, inference and the plain product, on random data that lie on the device."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CONFIGS = Path(__file__).parents[2] / "configs" / "mpm"
SIDE = 2048  # of the matrices of the product
FEW = 32  # windows to count with: plain attention takes too much memory for the batch of a GPU
#: Row, config, and what is done with its model.
CASES = {
    "pre-training step": ("pretrain_h36m_amass.py", "step"),
    "lifting training step": ("lift_h36m_243.py", "step"),
    "lifting inference": ("lift_h36m_243.py", "predict"),
    "lifting, one window": ("lift_h36m_243.py", "one"),
}


class Case:
    """One row: a model on the device, and what is timed of it."""

    def __init__(self, name: str, args: argparse.Namespace, device: torch.device) -> None:
        import torch
        from mmengine.config import Config
        from mmengine.optim import build_optim_wrapper
        from mmpose.registry import MODELS

        from mpm_mmpose.training.activation_checkpointing import checkpoint_layers
        from mpm_mmpose.training.compilation import compile_parts

        config, self.kind = CASES[name]
        cfg = Config.fromfile(CONFIGS / config)
        cfg.model.backbone.init_cfg = None
        if args.no_dropout:
            for part in (cfg.model.backbone, cfg.model.head):
                part.update(dict.fromkeys(("drop", "attn_drop"), 0.0))
            cfg.model.backbone.mlp_drop = 0.0
        torch.manual_seed(0)
        self.model = MODELS.build(cfg.model).to(device)
        self.device, self.bf16 = device, args.precision == "bf16"
        self.batch = 1 if self.kind == "one" else args.batch
        self.data = self._random_batch(cfg.model.backbone.num_frames)
        self.few = {name: value[:FEW] for name, value in self.data.items()}
        if self.kind == "step":
            kind = "AmpOptimWrapper" if self.bf16 else "OptimWrapper"
            wrapper = cfg.optim_wrapper | dict(type=kind) | (dict(dtype="bfloat16") if self.bf16 else {})
            self.optimizer = build_optim_wrapper(self.model.train(), wrapper)
        else:
            self.model.eval()
        self.flops = self._flops()  # of the plain model: neither compiled nor repeated products are counted rightly
        if args.save_memory:
            checkpoint_layers(self.model)
        self.kept = self._kept() if self.kind == "step" else None
        if args.compile:
            graphs = self.kind == "one" and device.type == "cuda"
            compile_parts(self.model, **(dict(mode="reduce-overhead") if graphs else {}))

    def run(self) -> None:
        """What is timed, once."""
        self._run(self.data)

    def _run(self, data: dict[str, torch.Tensor]) -> None:
        import torch

        if self.kind == "step":
            self.model.train_step(dict(data), self.optimizer)
            return
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            self.model.head.forward(self.model.extract_feat(data["keypoints"]))

    def _flops(self) -> int:
        """Of one window: matrix products, forward and, in a step, backward."""
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.utils.flop_counter import FlopCounterMode

        counter = FlopCounterMode(display=False)
        # The counter knows no fused attention of the CPU; as plain matrix products it is counted in full.
        with sdpa_kernel(SDPBackend.MATH), counter:
            self._run(self.few)
        return counter.get_total_flops() // len(self.few["window"])

    def _kept(self) -> int:
        """Bytes that one window keeps from the forward for the backward pass."""
        import torch

        weights = {weight.untyped_storage().data_ptr() for weight in self.model.parameters()}
        storages = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                storages[storage.data_ptr()] = storage  # held, so that no other tensor gets its address
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            self._run(self.few)
        return sum(storage.nbytes() for storage in storages.values()) // len(self.few["window"])

    def _random_batch(self, frames: int) -> dict[str, torch.Tensor]:
        import torch

        shape, draw = (self.batch, frames, 17), torch.Generator().manual_seed(0)
        batch = dict(
            keypoints=torch.rand(*shape, 2, generator=draw) - 0.5,
            keypoints_3d=torch.rand(*shape, 3, generator=draw) + torch.tensor([0.0, 0.0, 4.0]),
            intrinsics=torch.tensor([[2.3, 2.3, 0, 0, 0, 0, 0, 0, 0]]).repeat(self.batch, 1),
            action=torch.zeros(self.batch, dtype=torch.long),
            window=torch.arange(self.batch),
        )
        return {name: value.to(self.device) for name, value in batch.items()}


def plain_product(args: argparse.Namespace, device: torch.device) -> Callable[[], Any]:
    """The matrix product that everything is compared with."""
    import torch

    dtype = torch.bfloat16 if args.precision == "bf16" else torch.float32
    left, right = (torch.randn(SIDE, SIDE, device=device, dtype=dtype) for _ in range(2))
    return lambda: left @ right


def seconds(action: Callable[[], Any], device: torch.device) -> float:
    """Wall clock of one call, until the device is done."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
