"""One table of the paper: plan, run, print."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import torch

from mpm_mmpose.atomic_file import write_atomically

from .budget import Budget
from .data import Stores, describe, stores_of
from .plan import MissingDataError, Planner, Step
from .plots import draw
from .report import RowResult, comma_separated, markdown
from .running import Executor
from .tables import TABLES


def reproduce(
    number: str,
    rows: Sequence[str],
    stores: Stores,
    budget: Budget,
    root: Path,
    out: Path,
    seeds: int = 1,
    gpus: int = 1,
    command: str = "",
) -> str:
    """Run what a table's rows need and is not done yet; write table_<number>.md, .csv and .png and return the Markdown.

    rows: names, of the table; one whose stores are not there is printed with the reason. root: folder that has
    configs/mpm and tools. seeds: 0 to seeds - 1.

    Raises:
        ValueError: stores that no row reads, or one that is trained on and tested on.
        MissingDataError: no row has its stores.
        FailedStepError: a training in other processes failed.
    """
    table = TABLES[number]
    planner = Planner(budget, stores, root / "configs/mpm")
    tests: dict[str, list[dict[str, Step]]] = {}
    results = [RowResult(row) for row in rows]
    for result in results:
        row = table.rows[result.row]
        result.counted = row.count() if row.count else {}
        try:
            tests[result.row] = [
                {prefix: planner.test(experiment, seed) for prefix, experiment in row.tests.items()}
                for seed in range(seeds)
            ]
        except MissingDataError as error:
            result.missing = str(error)
    stores.check_names()
    if not tests and not any(result.counted for result in results):
        raise MissingDataError(results[0].missing)
    steps = [step for row in tests.values() for test in row[0].values() for step in test.before()]
    read = stores_read(steps)
    executor = Executor(out, root / "tools/dist_train.sh", gpus)
    # Seed by seed, so that an interrupted run has all rows of the first ones.
    executor.run(
        step for seed in range(seeds) for row in tests.values() for test in row[seed].values() for step in test.before()
    )
    for result in results:
        for of_seed in tests.get(result.row, []):
            result.tests.append({prefix: executor.result(test) for prefix, test in of_seed.items()})
            trainings = {step.key: step for test in of_seed.values() for step in test.before() if step.kind != "test"}
            result.trainings += map(executor.result, trainings.values())

    out.mkdir(parents=True, exist_ok=True)
    name = f"table_{number.lower()}"
    (out / f"{name}.png").unlink(missing_ok=True)
    picture = draw(table, results, out / f"{name}.png")
    said = differences(read, stores, budget, seeds, command)
    text = markdown(table, results, said, picture.name if picture else None)
    for suffix, content in (("md", text), ("csv", comma_separated(table, results))):
        write_atomically(
            out / f"{name}.{suffix}", lambda path, content=content: path.write_text(content, encoding="utf-8")
        )
    return text


def stores_read(steps: Sequence[Step]) -> dict[str, list[str]]:
    """Paths that steps train on ('train') and test on ('test'). Raises ValueError for one that is in both."""
    read = {
        split: list(dict.fromkeys(path for step in steps for path in stores_of(step.cfg, [split])))
        for split in ("train", "test")
    }
    if both := set(read["train"]) & set(read["test"]):
        raise ValueError(f"{', '.join(sorted(both))}: trained on and tested on; give different stores")
    return read


def differences(read: dict[str, list[str]], stores: Stores, budget: Budget, seeds: int, command: str) -> list[str]:
    """What differs from the paper's training and data, and how it was made: sentences."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    made = f"Made with `{command}` on {datetime.date.today()}, {device}, torch {torch.__version__}."
    if not read["test"]:
        return [made]
    said = budget.differences()
    data = f"trained on {describe(read['train'])}; tested on {describe(read['test'])}."
    said.append(("Other data than the paper's: " if stores.given else "Data: ") + data)
    if stores.train:
        said.append("Rows that differ only in the paper's data or detector are one and the same run here.")
        said.append("Figures are means over all frames (Human3.6M's papers: over actions).")
    if seeds == 1:
        said.append("One seed: whether rows differ by more than repetitions would is not known.")
    else:
        said.append(f"Means over {seeds} seeds; ends of intervals are means over seeds too.")
    return [*said, made]
