"""Times all that docs/performance.md sets an aim for, and writes the table of what is reached into a page.

On a CPU: float32, batch 32. On a GPU: bfloat16, compiled, batch 1024, beside float32 as PyTorch runs it. Runs
benchmark.py several times and benchmark_loop.py once, each in a process of its own; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from mpm_mmpose.option_parser import OptionParser

from ..command import command_of

ROOT = Path(__file__).parents[2]
STEPS = ("pre-training step", "lifting training step")
INFERENCE, ONE = "lifting inference", "lifting, one window"
MEMORY = "lifting training step, layers computed anew: peak memory"
#: Of the speed of the plain product in the same precision.
SHARES = {
    "CPU": {STEPS[0]: 0.65, STEPS[1]: 0.60, INFERENCE: 0.80},
    "GPU": {STEPS[0]: 0.20, STEPS[1]: 0.20, INFERENCE: 0.25},
}
LATENCY_MS = {"CPU": 60, "GPU": 3}
TIMES_FLOAT32, LOOP_MORE, PEAK_GB = 5, 0.05, 12


class Row(NamedTuple):
    """One aim, what each run found, and whether all reached it."""

    what: str
    aim: str
    found: str
    reached: bool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True, metavar="FILE.md", help="where to put the section")
    parser.add_argument("--device", help="default: the GPU where there is one")
    parser.add_argument("--batch", type=int, help="windows per step (default: 32 on a CPU, 1024 on a GPU)")
    parser.add_argument("--runs", type=int, default=3, help="of each benchmark (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="in each run, of which medians are taken (default: 5)")
    args = parser.parse_args(argv)
    for name in ("batch", "runs", "rounds"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            parser.error(f"--{name}: give 1 or more, not {getattr(args, name)}")
    return args


def run(tool: str, *options: object) -> dict[str, Any]:
    """What a benchmark prints with --json; raises CalledProcessError where it fails, after it said why."""
    command = [sys.executable, "-m", f"studies.speed.{tool}", *map(str, options), "--json"]
    print(shlex.join(command[1:]), file=sys.stderr, flush=True)
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return json.loads(printed[printed.index("{\n") :])


def rows_of_speed(kind: str, runs: list[dict[str, Any]]) -> list[Row]:
    """Shares of the product, and the time of one window."""
    rows = []
    for name, aim in SHARES[kind].items():
        shares = [found["rows"][name]["share_of_product"] for found in runs]
        text = ", ".join(f"{share:.0%}" for share in shares)
        rows.append(Row(f"{name}: share of the product", f"{aim:.0%}", text, min(shares) >= aim))
    times = [1e3 * found["rows"][ONE]["seconds"] for found in runs]
    limit = LATENCY_MS[kind]
    return [*rows, Row(ONE, f"under {limit} ms", ", ".join(f"{t:.1f} ms" for t in times), max(times) < limit)]


def rows_against_float32(runs: list[dict[str, Any]], plain: dict[str, Any]) -> list[Row]:
    """How many times as fast as float32 run step by step."""
    rows = []
    for name in STEPS:
        times = [plain["rows"][name]["seconds"] / found["rows"][name]["seconds"] for found in runs]
        text = ", ".join(f"{t:.1f}" for t in times)
        rows.append(
            Row(f"{name}: times as fast as float32, eager", str(TIMES_FLOAT32), text, min(times) >= TIMES_FLOAT32)
        )
    return rows


def rows_of_loop(found: dict[str, Any]) -> list[Row]:
    """What the data set, its loader and hooks add to a step."""
    more = {name: times["loop"] / times["bare"] - 1 for name, times in found.items()}
    return [
        Row(f"whole loop, {name}: more than the bare step", f"{LOOP_MORE:.0%}", f"{add:.1%}", add <= LOOP_MORE)
        for name, add in more.items()
    ]


def row_of_memory(found: dict[str, Any]) -> Row:
    """Peak memory of a step that computes its temporal layers anew."""
    peak = found["rows"][STEPS[1]]["peak_GiB"] * 2**30 / 1e9
    return Row(f"{MEMORY}, batch {found['batch']}", f"under {PEAK_GB} GB", f"{peak:.1f} GB", peak < PEAK_GB)


def section(kind: str, rows: list[Row], runs: list[dict[str, Any]], command: str) -> str:
    """The section of the page."""
    first = runs[0]
    products = ", ".join(f"{found['product_gflop_per_s']:,.0f}" for found in runs)
    lines = [
        f"## Aims and what is reached: {kind}",
        "",
        f"```\n{command}\n```",
        "",
        f"Measured on {datetime.date.today()}; {first['device']}; Python {first['python']}, torch {first['torch']}; "
        f"{first['precision']}{', compiled' * first['compiled']}, batch {first['batch']}, medians of {first['rounds']} "
        f"rounds. The plain product, in turn with the rest: {products} GFLOP/s. One figure a run of the benchmark.",
        "",
        "| | aim | found | reached |",
        "|---|---:|---:|---|",
        *(f"| {row.what} | {row.aim} | {row.found} | {'yes' if row.reached else '**no**'} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def measure(args: argparse.Namespace, command: str) -> str:
    """Run all benchmarks; the section of the page."""
    import torch

    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    kind = "CPU" if device == "cpu" else "GPU"
    batch = args.batch or (32 if kind == "CPU" else 1024)
    same = ("--device", device, "--batch", batch, "--rounds", args.rounds)
    if kind == "CPU":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the loop's Runner would take a GPU
    fast = () if kind == "CPU" else ("--precision", "bf16", "--compile")
    runs = [run("benchmark", *same, *fast) for _ in range(args.runs)]
    rows = rows_of_speed(kind, runs)
    if kind == "GPU":
        rows += rows_against_float32(runs, run("benchmark", *same, "--cases", *STEPS))
        rows.append(row_of_memory(run("benchmark", *same, *fast, "--save-memory", "--cases", STEPS[1])))
    in_loop = ("--amp", "--compile") if kind == "GPU" else ()
    rows += rows_of_loop(run("benchmark_loop", "--batch", batch, "--steps", 10 if args.batch is None else 2, *in_loop))
    return section(kind, rows, runs, command)


def main(argv: list[str] | None = None) -> int:
    """Measure and write; returns the exit status."""
    args = parse_args(argv)
    command = command_of(__spec__.name, argv or sys.argv[1:])
    try:
        text = measure(args, command)
    except subprocess.CalledProcessError as error:
        print(
            f"error: {error.cmd[2]} ended with status {error.returncode}; nothing was written",
            file=sys.stderr,
        )
        return error.returncode
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    from ..inference.speed_page import write_section

    print(f"wrote {write_section(args.page, text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
