"""What one training step sends between processes: messages and bytes, by what they carry.

Counted in a step of the config's model under this project's wrapper, from PyTorch's own profile of the messages that it
hands over: one process and the CPU are enough, since how much is sent does not depend on the number of processes, nor
on the batch. On GPUs SyncBatchNorm sends the same statistics in half as many messages.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mpm_mmpose.option_parser import OptionParser

CONFIGS = Path(__file__).parents[2] / "configs" / "mpm"
DEFAULT = ("pretrain_h36m_3dhp_amass", "pretrain_h36m_amass_2d_only", "lift_h36m_243")
FLOAT = 4  # bytes; everything is sent as float32
WINDOWS = 2


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = [CONFIGS / f"{name}.py" for name in DEFAULT]
    parser.add_argument("configs", nargs="*", type=Path, default=default, help=f"default: {', '.join(DEFAULT)}")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args(argv)
    for config in args.configs:
        if not config.is_file():
            parser.error(f"argument configs: no such file: {config}")
    return args


def measure(config: Path, sync_batchnorm: bool) -> dict[str, Any]:
    """Parameters, operations a window, and the bytes of each message of a step: `gradients`, `batchnorm`, `other`.

    `other` is one message: what is logged and, without synchronised BatchNorm, the running statistics.
    """
    import torch.distributed as dist
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS
    from torch.profiler import ProfilerActivity, profile

    import mpm_mmpose.register  # noqa: F401
    from mpm_mmpose.training.distributed import MPMDistributedDataParallel

    init_default_scope("mmpose")
    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    batch = random_batch(cfg.model.backbone.num_frames)
    flops = operations(model, batch) // WINDOWS
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        wrapped = MPMDistributedDataParallel(model, sync_batchnorm=sync_batchnorm, broadcast_buffers=False)
        optim_wrapper = build_optim_wrapper(wrapped, cfg.optim_wrapper)
        for _ in range(2):  # after which gradients have their final places in messages
            wrapped.train_step(batch, optim_wrapper)
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiled:
            wrapped.train_step(batch, optim_wrapper)
        found = wrapped._get_ddp_logging_data()
    finally:
        dist.destroy_process_group()
    sent = [
        FLOAT * event.input_shapes[0][0]
        for event in sorted(profiled.events(), key=lambda event: event.time_range.start)
        if event.name.startswith("gloo:")
    ]
    buckets = [int(size) for size in found["rebuilt_bucket_sizes"].split(", ")]
    rest = list(sent)
    for size in (*buckets, sent[-1]):
        rest.remove(size)
    return dict(
        config=config.stem,
        sync_batchnorm=sync_batchnorm,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        flops_a_window=flops,
        gradients=buckets,
        batchnorm=rest,
        other=[sent[-1]],
    )


def random_batch(frames: int) -> dict[str, Any]:
    """Two windows, with all that a lifting or pre-training preprocessor may ask for."""
    import torch

    draw = torch.Generator().manual_seed(0)
    return dict(
        keypoints=torch.rand(WINDOWS, frames, 17, 2, generator=draw) - 0.5,
        keypoints_3d=torch.rand(WINDOWS, frames, 17, 3, generator=draw) + torch.tensor([0.0, 0.0, 4.0]),
        intrinsics=torch.tensor([[2.3, 2.3, 0, 0, 0, 0, 0, 0, 0]]).repeat(WINDOWS, 1),
        action=torch.zeros(WINDOWS, dtype=torch.long),
        window=torch.arange(WINDOWS),
    )


def operations(model: Any, batch: dict[str, Any]) -> int:
    """Floating-point operations of the matrix products of a training step, as studies/speed/benchmark.py."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        losses = model(**model.data_preprocessor(batch, training=True), mode="loss")
        model.parse_losses(losses)[0].backward()
    model.zero_grad()
    return counter.get_total_flops()


def report(rows: list[dict[str, Any]]) -> str:
    """The table."""
    lines = ["| config | BatchNorm | parameters | gradients | BatchNorm's | logs, statistics | a step, a GPU |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        parts = [row[name] for name in ("gradients", "batchnorm", "other")]
        cells = [f"{sum(part) / 1e6:.3f} MB in {len(part)}" if part else "-" for part in parts]
        statistics = "of all ranks" if row["sync_batchnorm"] else "of each rank"
        whole = f"{sum(map(sum, parts)) / 1e6:.3f} MB in {sum(map(len, parts))}"
        lines.append(f"| `{row['config']}` | {statistics} | {row['parameters']:,} | {' | '.join(cells)} | {whole} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    args = parse_args()
    rows = [measure(config, sync) for config in args.configs for sync in (True, False)]
    print(json.dumps(rows, indent=2) if args.json else report(rows))


if __name__ == "__main__":
    sys.exit(main())
