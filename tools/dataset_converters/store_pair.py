"""The options and the work of commands that make two stores of a data set, one for training and one for testing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from converter_command import is_there, run

if TYPE_CHECKING:
    from mpm_mmpose.converters.stores import Conversion


def add_pair_options(parser: argparse.ArgumentParser, train: str, test: str) -> None:
    """Add where the stores go, and what is done about bad recordings; train, test: whose recordings they hold."""
    parser.add_argument("--out-train", type=Path, metavar="STORE", help=f"directory to write {train} to")
    parser.add_argument("--out-test", type=Path, metavar="STORE", help=f"directory to write {test} to")
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without recordings that cannot be read, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a STORE that is there already")


def check_pair(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Leave with status 2 unless there is a store to write, and it may be written."""
    stores = [store for store in (args.out_train, args.out_test) if store is not None]
    if not stores:
        parser.error("give --out-train, --out-test, or both")
    if len(set(stores)) < len(stores):
        parser.error("--out-train and --out-test are the same directory")
    for store in stores:
        if is_there(parser, store) and not args.overwrite:
            parser.error(f"{store}: exists already; give another directory, or --overwrite to replace it")


def run_pair(
    args: argparse.Namespace,
    load: Callable[[Path, str], Callable[[], Conversion]],
    hint: Callable[[Exception], str],
) -> int:
    """Convert to the stores that are asked for, until one fails, and return the exit status.

    load: makes, for a store and the name of its subjects, what :func:`~converter_command.run` runs. hint: as there.
    """
    for out, which in ((args.out_train, "TRAIN_SUBJECTS"), (args.out_test, "TEST_SUBJECTS")):
        if out is None:
            continue
        status = run(
            partial(load, out, which),
            out,
            lambda report, seconds: (
                f"{report.store}: {report.clips} recordings of {report.frames} frames, "
                f"{len(report.skipped)} skipped, {seconds:.1f} s; {report.agreement}"
            ),
            hint=hint,
        )
        if status:
            return status
    return 0
