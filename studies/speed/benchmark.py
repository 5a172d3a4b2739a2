"""Speed of training steps and of inference, beside a plain matrix product of the same precision.

Everything is timed in turn, round by round, because machines drift; medians are printed, and every figure as time,
windows a second, and share of the product's speed (FLOPs counted by torch.utils.flop_counter). Kept are the tensors
that a step's forward pass saves for its backward pass. Data are random and lie on the device. A training step is the
estimator's own: preprocessor with flip and masks, loss, backward, optimizer.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpm_mmpose.option_parser import OptionParser

from .benchmark_cases import CASES, SIDE, Case, plain_product, seconds

if TYPE_CHECKING:
    import torch

PRECISIONS = ("float32", "tf32", "bf16")
#: Kinds of operators by parts of their names; the first two do the FLOPs that are counted.
KINDS = {
    "products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "convolution"),
    "attention": ("scaled_dot_product",),
    "dropout": ("aten::random_", "aten::ge", "aten::mul", "aten::addcmul", "dropout"),
    "copies": ("aten::copy_", "aten::cat", "aten::fill_"),
    "normalisation": ("layer_norm", "batch_norm"),
    "activations": ("aten::clamp_min", "aten::threshold_backward", "aten::leaky_relu"),
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="default: the GPU where there is one")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=32, help="windows per step (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="of which medians are taken (default: %(default)s)")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="ROW", help="some rows only")
    parser.add_argument("--compile", action="store_true", help="torch.compile; one window in CUDA graphs as well")
    parser.add_argument("--save-memory", action="store_true", help="compute temporal layers anew in the backward pass")
    parser.add_argument("--no-dropout", action="store_true", help="set all dropout to 0, to see what it costs")
    parser.add_argument(
        "--profile", type=Path, metavar="DIR", help="write Chrome traces there, print the top ten costs"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args(argv)
    for name in ("batch", "rounds"):
        if getattr(args, name) < 1:
            parser.error(f"--{name}: give 1 or more, not {getattr(args, name)}")
    return args


def measure(args: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    """What --json prints."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    cases = {name: Case(name, args, device) for name in dict.fromkeys(args.cases)}
    actions: dict[str, Callable[[], Any]] = {"product": plain_product(args, device)}
    actions |= {name: case.run for name, case in cases.items()}
    times: dict[str, list[float]] = {name: [] for name in actions}
    memory = {}
    for number in range(args.rounds + 2):
        for name, action in actions.items():
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            took = seconds(action, device)
            if device.type == "cuda":
                memory[name] = torch.cuda.max_memory_allocated() / 2**30
            if number >= 2:  # the first ones warm up
                times[name].append(took)
    medians = {name: statistics.median(found) for name, found in times.items()}
    product = 2 * SIDE**3 / medians["product"]
    rows = {
        name: dict(
            seconds=medians[name],
            windows_per_s=case.batch / medians[name],
            gflop_a_window=case.flops / 1e9,
            share_of_product=case.flops * case.batch / medians[name] / product,
            **({"kept_MB_a_window": case.kept / 1e6} if case.kept else {}),
            **({"peak_GiB": memory[name]} if memory else {}),
        )
        for name, case in cases.items()
    }
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return dict(
        device=where,
        torch=torch.__version__,
        python=platform.python_version(),
        precision=args.precision,
        compiled=args.compile,
        save_memory=args.save_memory,
        dropout=not args.no_dropout,
        batch=args.batch,
        rounds=args.rounds,
        product_gflop_per_s=product / 1e9,
        rows=rows,
    )


def report(found: dict[str, Any]) -> str:
    """The table."""
    changed = ", compiled" * found["compiled"] + ", layers computed anew" * found["save_memory"]
    changed += ", no dropout" * (not found["dropout"])
    lines = [
        f"{found['device']}; torch {found['torch']}, Python {found['python']}; {found['precision']}{changed}; "
        f"batch {found['batch']}, medians of {found['rounds']}",
        f"product of two {SIDE} x {SIDE} matrices: {found['product_gflop_per_s']:,.0f} GFLOP/s",
        "",
    ]
    memory = any("peak_GiB" in row for row in found["rows"].values())
    lines += ["| | ms | windows/s | GFLOP a window | of the product | kept a window, MB |" + " peak GiB |" * memory]
    lines += ["|---|---:|---:|---:|---:|---:|" + "---:|" * memory]
    for name, row in found["rows"].items():
        cells = f"{1e3 * row['seconds']:.1f} | {row['windows_per_s']:.1f} | {row['gflop_a_window']:.2f}"
        last = f" {row['peak_GiB']:.1f} |" if memory else ""
        kept = f"{row['kept_MB_a_window']:.1f}" if "kept_MB_a_window" in row else "-"
        lines.append(f"| {name} | {cells} | {row['share_of_product']:.0%} | {kept} |{last}")
    return "\n".join(lines)


def write_profiles(args: argparse.Namespace, device: torch.device) -> None:
    """A Chrome trace a row below --profile; its ten greatest costs, and what would be left of them, printed."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    args.profile.mkdir(parents=True, exist_ok=True)
    product = plain_product(args, device)
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
    for name in dict.fromkeys(args.cases):
        case = Case(name, args, device)
        for _ in range(2):
            case.run()
        with profile(activities=activities, record_shapes=True) as profiled:
            seconds(case.run, device)
        trace = args.profile / f"{name.replace(' ', '_').replace(',', '')}.json"
        profiled.export_chrome_trace(str(trace))
        kind = "device" if device.type == "cuda" else "cpu"
        events = profiled.key_averages()
        print(f"\n{name}: {trace}\n{events.table(sort_by=f'self_{kind}_time_total', row_limit=10)}", file=sys.stderr)
        times = dict.fromkeys([*KINDS, "other"], 0.0)
        for event in events:
            # Operators alone: a GPU's kernels stand beside those that started them.
            if event.device_type == torch.autograd.DeviceType.CPU:
                which = next((which for which, parts in KINDS.items() if any(p in event.key for p in parts)), "other")
                times[which] += getattr(event, f"self_{kind}_time_total") / 1e6
        needed = times["products"] + times["attention"]
        bound = case.flops * case.batch / needed * statistics.median(seconds(product, device) for _ in range(5))
        print(
            f"{1e3 * sum(times.values()):.0f} ms: {', '.join(f'{k} {1e3 * t:.0f}' for k, t in times.items())}. "
            f"With products and attention alone this would reach {bound / (2 * SIDE**3):.0%} of the product.",
            file=sys.stderr,
        )


def main() -> None:
    """Measure and print."""
    args = parse_args()
    import torch
    from mmengine.registry import init_default_scope

    import mpm_mmpose.register  # noqa: F401

    init_default_scope("mmpose")
    try:
        device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        print(f"error: --device {args.device}: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        sys.exit(2)
    try:
        if args.profile:
            write_profiles(args, device)
        found = measure(args, device)
    except torch.OutOfMemoryError:
        print(
            f"error: {args.batch} windows do not fit into the memory of {device}; give --batch fewer", file=sys.stderr
        )
        sys.exit(1)
    print(json.dumps(found, indent=2) if args.json else report(found))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
