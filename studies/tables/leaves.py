"""The trainings of a table's rows as config files, for whoever wants to change or run one alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .experiment import Experiment
from .table import Table


def write_configs(table: Table, rows: Sequence[str], configs: Path, out: Path) -> list[Path]:
    """Write ``<out>/<name>.py``, whole, of every training and test of some rows and of what comes before it.

    configs: the folder of the leaves. The paths of checkpoints in them are where `tools/train.py` leaves those of the
    others. Raises OSError where they cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = {one.name: one for row in rows for test in table.rows[row].tests.values() for one in _with_before(test)}
    for name, experiment in found.items():
        experiment.config(configs).dump(out / f"{name}.py")
    return [out / f"{name}.py" for name in found]


def _with_before(experiment: Experiment | None) -> Iterator[Experiment]:
    """An experiment and those it starts from, the first of them first."""
    if experiment is not None:
        yield from _with_before(experiment.after)
        yield experiment
