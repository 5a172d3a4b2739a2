"""What a table is: rows with what is run for them, and the figures that are printed beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .experiment import Experiment

_POSE = {
    "mpjpe": "MPJPE, mm",
    "p_mpjpe": "P-MPJPE, mm",
    "masked/mpjpe": "MPJPE of masked keypoints, mm",
    "pck": "PCK, %",
    "auc": "AUC, %",
}
#: Every figure of a table by name, and its title. A part before a slash is that of `Row.tests`, or of the metric's.
FIGURES = (
    _POSE
    | {f"lifter/{name}": f"{title.replace(',', ' before refinement,')}" for name, title in _POSE.items()}
    | {f"3dhp/{name}": f"3DHP {title}" for name, title in _POSE.items()}
    | {
        "parameters_k": "parameters, K",
        "parameters_m": "parameters, M",
        "flops_m": "FLOPs, M",
        "used/parameters_k": "parameters as used, K",
        "used/flops_m": "FLOPs as used, M",
    }
)


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    title: str
    tests: Mapping[str, Experiment] = field(default_factory=dict)
    """What is tested, by the part before the names of its figures: '' or for example 'lifter/'."""
    printed: Mapping[str, float] = field(default_factory=dict)
    """The paper's figures."""
    actions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The paper's figures by action."""
    count: Callable[[], dict[str, float]] | None = None
    """Gives figures that are counted and not measured."""


@dataclass(frozen=True)
class Table:
    """One table of the paper, or a study."""

    number: str
    title: str
    rows: Mapping[str, Row]
    figures: tuple[str, ...] = ("mpjpe",)
    """Of `FIGURES`; the first one is drawn."""
    notes: tuple[str, ...] = ()
    plot: str = "bars"
    """'bars', 'line', 'surface', or '' for no picture."""
