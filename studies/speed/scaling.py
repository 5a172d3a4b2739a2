"""Time, cost and bytes a second of pre-training on many GPUs: tables of docs/scaling.md, and what is saturated first.

Operations and messages of a step and the memory for the order of windows are measured on this machine; the size of a
window follows from the store's format. GPUs, network, storage and prices are assumptions: the options, with defaults.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
from collections.abc import Callable

from mpm_mmpose.option_parser import OptionParser

from .measure_communication import CONFIGS, measure, report
from .scaling_model import GIGA, PASSES, Machine, Workload, hours, network_bytes, nodes, step

FRAMES = 243
NUMBER = 17  # keypoints
LARGE, ONLY_2D = "18.5 M windows", "2D only"
ORDER_OF = 10_000_000  # windows whose order is drawn to see what it takes
ORDER = f"""
import re, mmengine.dataset
def memory(name):
    return 1024 * int(re.search(name + ":\\\\s*(\\\\d+)", open("/proc/self/status").read())[1])
before = memory("VmRSS")
iter(mmengine.dataset.DefaultSampler(range({ORDER_OF}), seed=0))
print((memory("VmHWM") - before) / {ORDER_OF})
"""
STRIDE = 8  # what to take every how many-th window of, where their order takes too much memory


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = OptionParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 64, 512], help="numbers of GPUs")
    parser.add_argument("--batch", type=int, default=1024, help="windows per step over all GPUs: the recipe's")
    parser.add_argument("--batch-a-gpu", type=int, default=256, help="windows per step and GPU: the other choice")
    parser.add_argument("--windows", type=float, default=18.5e6, help="of the paper's Large, 2D and 3D")
    parser.add_argument("--epochs", type=float, default=15, help="over them: the paper's")
    parser.add_argument("--windows-2d", type=float, default=1e9, help="with 2D only")
    parser.add_argument("--epochs-2d", type=float, default=1, help="over them")
    assumed = parser.add_argument_group("assumptions")
    for field in dataclasses.fields(Machine):
        option = f"--{field.name.replace('_', '-')}"
        assumed.add_argument(option, type=type(field.default), default=field.default, help="assumed")
    args = parser.parse_args(argv)
    for name, value in vars(args).items():
        if any(number <= 0 for number in (value if isinstance(value, list) else [value])):
            parser.error(f"--{name.replace('_', '-')}: give more than 0")
    return args


def read_workloads(args: argparse.Namespace) -> tuple[list[Workload], list[dict]]:
    """The two, and what was measured of their models."""
    two, three, score, unknown = 8 * NUMBER, 12 * NUMBER, 4 * NUMBER, NUMBER  # bytes a frame
    wanted = [
        # name, config, windows, epochs, bytes of a frame in the store, in a window, on the device
        (LARGE, "pretrain_h36m_3dhp_amass", args.windows, args.epochs, two + three, two + three, two + three),
        # Detections have scores, which tell what a detector missed.
        (ONLY_2D, "pretrain_h36m_amass_2d_only", args.windows_2d, args.epochs_2d, two + score, two + unknown, 0),
    ]
    workloads, rows = [], []
    for name, config, windows, epochs, stored, cut, device in wanted:
        synced, own = (measure(CONFIGS / f"{config}.py", sync) for sync in (True, False))
        rows += [synced, own]
        workloads.append(
            Workload(
                name=name if name == LARGE else f"{windows / 1e9:g} billion windows, {name}",
                windows=int(windows),
                epochs=epochs,
                flops=synced["flops_a_window"],
                frame_bytes=stored,
                window_bytes=FRAMES * cut,
                device_bytes=device or cut,
                gradients=tuple(synced["gradients"]),
                batchnorm=tuple(synced["batchnorm"]),
                other=tuple(synced["other"]),
                other_each=tuple(own["other"]),
            )
        )
    return workloads, rows


def measure_order() -> float:
    """Bytes a window that a process needs at the most to draw the order of an epoch's windows."""
    done = subprocess.run([sys.executable, "-c", ORDER], capture_output=True, text=True, check=True)
    return float(done.stdout)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def each(args: argparse.Namespace, workload: Workload, row: Callable[[int, int], list[str]]) -> list[list[str]]:
    """Rows of the numbers of GPUs, with the recipe's batch and with as many windows a GPU."""
    found = []
    for gpus in args.gpus:
        for batch in dict.fromkeys((args.batch, args.batch_a_gpu * gpus)):
            found.append([workload.name, f"{gpus}", f"{batch:,}", *row(gpus, batch)])
    return found


def rates(args: argparse.Namespace, machine: Machine, workload: Workload) -> list[list[str]]:
    """Bytes a second, each for a node, and the loaders that a GPU needs."""

    def row(gpus: int, batch: int) -> list[str]:
        # As fast as GPUs and messages allow, to see what has to be brought to them.
        part = step(workload, machine, gpus, batch)
        steps = 1 / (part.compute + part.messages)
        cut = steps * batch / nodes(machine, gpus) * workload.window_bytes
        sent = steps * sum(network_bytes(machine, gpus, size) for size in workload.gradients)
        workers = steps * batch / gpus * workload.window_bytes / (machine.worker_gb_s * GIGA)
        whole = steps * batch / nodes(machine, gpus) * workload.frame_bytes * FRAMES
        cells = [f"{value / GIGA:.2f}" for value in (whole, cut * PASSES, sent)]
        return [f"{steps * batch:,.0f}", *cells, f"{workers:.1f}"]

    return each(args, workload, row)


def times(args: argparse.Namespace, machine: Machine, workload: Workload) -> list[list[str]]:
    """Milliseconds of a step, hours and dollars."""

    def row(gpus: int, batch: int) -> list[str]:
        synced, own = (step(workload, machine, gpus, batch, sync) for sync in (True, False))
        wall = hours(workload, batch, synced.total)
        cells = [f"{1e3 * part:.2f}" for part in (synced.products, synced.messages, synced.loader, synced.total)]
        alone = f"{hours(workload, batch, own.total):,.2f}"
        return [*cells, f"{wall:,.2f}", f"{wall * gpus * machine.price:,.0f}", synced.held_up_by, alone]

    return each(args, workload, row)


def sizes(machine: Machine, workload: Workload, order: float) -> list[str]:
    """What has to be in memory."""
    node = order * workload.windows * machine.gpus_a_node
    values = [
        workload.store_bytes / GIGA,
        workload.store_bytes / (machine.storage_gb_s * GIGA) / 60,
        workload.windows * workload.device_bytes / GIGA,
        order * workload.windows / GIGA,
        node / GIGA,
        (node / STRIDE + workload.store_bytes) / GIGA,
    ]
    return [workload.name, *(f"{value:,.1f}" for value in values)]


def main() -> None:
    """Measure and print."""
    args = parse_args()
    machine = Machine(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Machine)})
    workloads, measured = read_workloads(args)
    order = measure_order()
    print("Measured: what a step sends, and operations a window.\n")
    print(report(measured))
    print()
    for workload in workloads:
        print(f"- {workload.name}: {workload.flops / 1e9:.2f} GFLOP, {workload.window_bytes:,} bytes a window")
    print(f"- order of the windows of an epoch: {order:.0f} bytes a window in every process")
    print("\nAssumed: " + ", ".join(f"{name} {value:g}" for name, value in dataclasses.asdict(machine).items()))
    head = ["", "GPUs", "batch"]
    needs = ["windows/s", "storage if nothing stays in memory, GB/s", "memory, GB/s", "network, GB/s", "workers a GPU"]
    print("\nA second of training needs, in each node:\n")
    print(table(head + needs, [row for workload in workloads for row in rates(args, machine, workload)]))
    costs = ["products, ms", "messages, ms", "loader, ms", "step, ms", "hours", "$", "first saturated"]
    print("\nTime and cost; the last column with BatchNorm's statistics of each rank:\n")
    rows = [row for workload in workloads for row in times(args, machine, workload)]
    print(table([*head, *costs, "hours, each rank"], rows))
    places = ["store, GB", "reading it once, min", "on each GPU, GB", "order, GB a process", "GB a node"]
    print(f"\nMemory; the last column is store and order in a node if every {STRIDE}th window is taken:\n")
    print(
        table(["", *places, f"GB a node, stride={STRIDE}"], [sizes(machine, workload, order) for workload in workloads])
    )


if __name__ == "__main__":
    main()
