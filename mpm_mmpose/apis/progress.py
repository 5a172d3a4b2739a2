"""Bars with the time left."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress_bar(what: str, unit: str, progress: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A function (done, of how many) that moves a bar with the time left; warnings have lines of their own.

    None is shown where tqdm, which the smallest set of the light command is without, is not installed.
    """
    if not progress or find_spec("tqdm") is None:
        yield lambda done, total: None
        return
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    with (
        logging_redirect_tqdm([logging.getLogger("mpm_mmpose")]),
        tqdm(desc=what, unit=unit, file=sys.stderr, dynamic_ncols=True, leave=False) as bar,
    ):

        def report(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
