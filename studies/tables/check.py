"""Whether the stores that tables need are there and are what the paper trains and tests on, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mpm_mmpose.data.pose_store import PoseStore

from . import paper
from .data import Stores, stores_of, why_missing
from .experiment import Experiment
from .tables import TABLES

#: Subjects of the paper's data, by name of the store (section 4.1).
_H36M = paper.contents()["recipe"]["subjects"]
SUBJECTS = {
    "h36m_train": _H36M["train"],
    "h36m_gt_train": _H36M["train"],
    "h36m_test": _H36M["test"],
    "h36m_gt_test": _H36M["test"],
    "mpi_inf_3dhp_train": [f"S{number}" for number in range(1, 9)],
    "mpi_inf_3dhp_test": [f"TS{number}" for number in range(1, 7)],
}


@dataclass
class Needed:
    """A store that tables need."""

    path: str
    name: str
    """That of the configs, whatever is taken instead."""
    tables: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    found: str = ""


def check_data(numbers: Sequence[str], stores: Stores, configs: Path) -> tuple[str, bool]:
    """What the tables' stores are and what is missing or another one than the paper's, as text; whether all is well.

    configs: folder of the config leaves. Stores that were given by path alone are not held against the paper.
    """
    needed: dict[str, Needed] = {}
    for number in numbers:
        # Of the many that differ in the model alone one is enough.
        for experiment in {_reads(experiment): experiment for experiment in _experiments(number)}.values():
            cfg = experiment.config(configs)
            names = list(stores_of(cfg))
            stores.put_into(cfg)
            for name in names:
                for path in stores.instead_of(name):
                    store = needed.setdefault(path, Needed(path, Path(name).name))
                    store.tables += [] if number in store.tables else [number]
    for store in needed.values():
        _look_at(store, by_name=not stores.train)
    stores.check_names()
    lines = []
    for store in needed.values():
        wanted = f"{store.path} (tables {', '.join(store.tables)})"
        lines += [f"{'there' if not store.problems else 'NOT RIGHT':<9} {wanted}{store.found}"]
        lines += [f"{'':<9} {problem}" for problem in store.problems]
    good = not any(store.problems for store in needed.values())
    lines += ["All data are there." if good else "Make or mend what is not right, then run this again."]
    return "\n".join(lines), good


def _experiments(number: str) -> Iterator[Experiment]:
    for row in TABLES[number].rows.values():
        for experiment in row.tests.values():
            while experiment is not None:
                yield experiment
                experiment = experiment.after


def _reads(experiment: Experiment) -> str:
    """The same for experiments that read the same stores."""
    data = {name: value for name, value in experiment.changes.items() if "dataset" in name}
    return f"{experiment.leaf or experiment.name} {data}"


def _look_at(needed: Needed, by_name: bool) -> None:
    if reason := why_missing([needed.path]):
        needed.problems.append(reason)
        return
    store = PoseStore(needed.path)
    size = sum(file.stat().st_size for file in store.path.iterdir() if file.is_file())
    rates = "/".join(f"{rate:g}" for rate in sorted(set(store.fps.tolist())))
    needed.found = (
        f": {len(set(store.sources))} recordings, {store.num_frames:,} frames at {rates} Hz, {size / 1e6:,.0f} MB"
    )
    if store.keypoints is None or store.keypoints_3d is None:
        needed.problems.append(f"{needed.path}: has no {'2D' if store.keypoints is None else '3D'}; the rows need both")
    if not by_name or needed.name not in SUBJECTS:
        return
    subjects, expected = sorted(set(store.subjects)), sorted(SUBJECTS[needed.name])
    if subjects != expected:
        needed.problems.append(
            f"{needed.path}: subjects are {', '.join(subjects)}; the paper's are {', '.join(expected)}: convert again"
        )
    annotation = store.meta.get("annotation")
    if needed.name.startswith("mpi_inf_3dhp") and annotation not in (None, "univ_annot3"):
        needed.problems.append(f"{needed.path}: holds {annotation}; the protocol is of univ_annot3: convert again")
