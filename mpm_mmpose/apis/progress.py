"""Bars with the time left."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


@contextmanager
def progress_bar(what: str, unit: str, progress: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A function (done, of how many) that moves a bar with the time left; warnings have lines of their own."""
    whole_lines = logging_redirect_tqdm([logging.getLogger("mpm_mmpose")]) if progress else nullcontext()
    with (
        whole_lines,
        tqdm(desc=what, unit=unit, disable=not progress, file=sys.stderr, dynamic_ncols=True, leave=False) as bar,
    ):

        def report(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
