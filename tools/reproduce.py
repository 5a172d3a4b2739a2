"""Run what a table or figure of the paper needs and print it: the paper's figures, ours, intervals, and what differs.

Finished steps are kept in the folder of results and used again, by other tables too; an interrupted command goes on
where it was.
"""

import argparse
import os
import shlex
import sys
import warnings
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser, positive

sys.path.insert(0, str(Path(__file__).parents[1]))  # for studies, which are no part of the package

# As in studies.tables, whose import would take seconds.
TABLES = ("1", "2", "3", "4", "5", "6", "A", "B", "C", "D", "E", "S1", "S2", "S3", "S4", "S5", "S6", "S7")
# Figures and the table whose data, or whose picture, they are.
FIGURES = {"5": "6", "6": "C", "E": "E"}
STUDIES = ("S1", "S2", "S3", "S4", "S5", "S6", "S7")
BUDGETS = ("paper", "cpu", "ci")


def parse_args() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--table", type=str.upper, choices=TABLES, help="of the paper; S1 to S7: our studies")
    wanted.add_argument(
        "--figure", type=str.upper, choices=FIGURES, help="of the paper; 6 and E are the pictures of tables C and E"
    )
    parser.add_argument(
        "--check-data",
        action="store_true",
        help="say which stores the table (without --table: all of the paper's) needs and what is missing; run nothing",
    )
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="some of its rows only (a wrong name lists them)")
    parser.add_argument(
        "--data",
        nargs="+",
        default=[],
        metavar="STORE",
        help="stores instead of those of the configs (data/stores/...): TRAIN [TRAIN ...] TEST; "
        "or NAME=STORE for single ones, for example h36m_test=/data/h36m_test",
    )
    parser.add_argument(
        "--budget",
        choices=BUDGETS,
        default="paper",
        help="how much to train: 'paper' as the configs say, 'cpu' some hundred steps of half the width, "
        "'ci' two steps, to see that it runs (default: %(default)s)",
    )
    parser.add_argument("--seeds", type=positive(int), default=1, metavar="N", help="repeat with seeds 0 to N-1")
    parser.add_argument(
        "--steps",
        nargs=2,
        type=positive(int),
        metavar=("PRETRAIN", "FINETUNE"),
        help="training steps, in place of the budget's",
    )
    parser.add_argument("--batch", type=positive(int), metavar="N", help="windows per step over all processes")
    parser.add_argument("--frames", type=int, choices=(9, 27, 81, 243), help="frames of a window, in all rows")
    parser.add_argument("--gpus", type=positive(int), default=1, metavar="N", help="processes of a training")
    parser.add_argument(
        "--dump", type=Path, metavar="DIR", help="write the rows' trainings as config files and end; the paper's budget"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("work_dirs/reproduce"), help="folder of all results (default: %(default)s)"
    )
    args = parser.parse_args()
    if not (args.table or args.figure or args.check_data):
        parser.error("the following arguments are required: --table or --figure")
    if args.figure == "5" and (args.rows or args.seeds > 1):
        parser.error("--figure 5 has one seed and no rows to choose: leave out --rows and --seeds")
    if args.figure:
        args.table = FIGURES[args.figure]
    for text in args.data:
        path = Path(text.split("=", 1)[-1])
        if not path.is_dir():
            parser.error(f"--data: no such store: {path}")
    return parser, args


def check(numbers: list[str], stores: object, root: Path) -> None:
    """Print what is there and what is not, and end: 0 where all is there, else 1."""
    from studies.tables.check import check_data

    try:
        text, good = check_data(numbers, stores, root / "configs/mpm")
    except ValueError as error:
        sys.exit(f"error: {error}")
    print(text)
    sys.exit(0 if good else 1)


def main() -> None:
    """Run the steps and print the table."""
    parser, args = parse_args()
    # OpenMP's threads spin while they wait, which makes steps far slower where other programs want the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    print("Loading PyTorch and MMPose ...", flush=True)
    warnings.filterwarnings("ignore", module="mmengine|mmcv|mmdet|mmpose|torch")
    from dataclasses import replace

    from mpm_mmpose.training.errors import TrainingStopped
    from studies.tables.budget import BUDGETS as budgets
    from studies.tables.data import Stores
    from studies.tables.figures import reproduce_figure_5
    from studies.tables.reproduce import reproduce
    from studies.tables.running import FailedStepError
    from studies.tables.tables import TABLES as tables

    try:
        stores = Stores(args.data)
    except ValueError as error:
        parser.error(str(error))
    root = Path(__file__).parents[1]
    if args.check_data:
        numbers = [args.table] if args.table else [number for number in TABLES if number not in STUDIES]
        check(numbers, stores, root)
    table = tables[args.table]
    if unknown := [row for row in args.rows or () if row not in table.rows]:
        parser.error(
            f"--rows: table {args.table} has no {', '.join(unknown)}; it has {', '.join(table.rows) or 'none'}"
        )
    if args.dump:
        from studies.tables.leaves import write_configs

        for path in write_configs(table, args.rows or list(table.rows), root / "configs/mpm", args.dump):
            print(f"wrote {path}")
        return
    changes = dict(batch=args.batch, frames=args.frames)
    if args.steps:
        changes |= dict(pretrain_steps=args.steps[0], finetune_steps=args.steps[1])
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        changes["name"] = f"{args.budget}, changed: {', '.join(changes)}"
    budget = replace(budgets[args.budget], **changes)
    command = shlex.join(["uv", "run", "tools/reproduce.py", *sys.argv[1:]])
    name = "figure_5" if args.figure == "5" else f"table_{args.table.lower()}"
    try:
        if args.figure == "5":
            text = reproduce_figure_5(stores, budget, root, args.out, args.gpus, command)
        else:
            rows = args.rows or list(table.rows)
            text = reproduce(args.table, rows, stores, budget, root, args.out, args.seeds, args.gpus, command)
    except (ValueError, OSError, TrainingStopped, FailedStepError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from the last finished epoch", file=sys.stderr)
        sys.exit(130)
    written = sorted(path.suffix for path in args.out.glob(f"{name}.*"))
    print(f"\n{text}\nWritten to {args.out}/{name}: {', '.join(written)}")


if __name__ == "__main__":
    main()
