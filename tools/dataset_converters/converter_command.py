"""What the converters' commands share: numbers above 0, what to say at the end, one line for what goes wrong."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpm_mmpose.converters.stores import Conversion


def is_there(parser: argparse.ArgumentParser, path: Path) -> bool:
    """Whether the path exists; leaves with status 2 where that may not be known."""
    try:
        return path.exists()
    except PermissionError:
        parser.error(f"{path}: its folder may not be looked into; ask for permission to it (chmod +x)")


def run(
    load: Callable[[], Callable[[], Conversion]],
    out: Path,
    describe: Callable[[Conversion, float], str],
    hint: Callable[[Exception], str],
) -> int:
    """Convert to the store ``out`` and return the exit status: 0 done, 1 a file was refused, 130 interrupted.

    load: imports what takes seconds, which --help and wrong use need not, and returns the conversion. describe: the
    line at the end, from the report and the seconds it took. hint: what to add to an error of a file that is read.
    """
    try:
        convert = load()
        start = time.monotonic()
        report = convert()
    except KeyboardInterrupt:
        print(f"Interrupted; {out} is as it was before.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        from mpm_mmpose.data.store_writer import StoreWriteError

        # What is wrong with the place of the store is not helped by what helps with bad files.
        more = "" if isinstance(error, StoreWriteError | FileExistsError) else hint(error)
        print(f"error: {error}\n{out} is as it was before.{more}", file=sys.stderr)
        return 1
    except (MemoryError, BrokenExecutor) as error:
        print(
            f"error: memory ran out, or the system ended a worker ({error or 'MemoryError'}); convert fewer or shorter "
            f"files at once, in fewer processes\n{out} is as it was before.",
            file=sys.stderr,
        )
        return 1
    for _, reason in report.skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    of: dict[str, list[str]] = {}
    for clip, _, note in (note.partition(": ") for note in report.notes):
        of.setdefault(note, []).append(clip)
    for note, clips in of.items():  # what thousands of clips have in common is one line
        more = f" and {len(clips) - 3} more" if len(clips) > 3 else ""
        print(f"note: {', '.join(clips[:3])}{more}: {note}", file=sys.stderr)
    print(describe(report, time.monotonic() - start))
    return 0
