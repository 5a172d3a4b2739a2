"""The result of an evaluation as text: first the choices, then the figures with their intervals, then the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .accumulator import MASKED
from .bootstrap import LEVEL
from .pck import GROUPS, THRESHOLDS, TOTAL
from .pose_error import ERRORS, TITLES
from .protocol import ROOTS, Protocol
from .smoothness import ERRORS as SMOOTHNESS

_GROUND_TRUTH = {
    "annot3": "annot3, true 3D: every person in their own size",
    "univ_annot3": "univ_annot3, universal 3D: all scaled to the height of one skeleton",
}
NOTHING = "no visible keypoints"
MOST_ROWS = 40
Row = Mapping[str, float]
_TITLES = TITLES | {
    **{masked: f"{TITLES[name]}, masked" for name, masked in zip(ERRORS, MASKED, strict=True)},
    "mpjve": "MPJVE",
    "acceleration": "acceleration error",
    "pck": "PCK",
    "auc": "AUC",
    "poses": "poses",
}


def protocol_lines(
    protocol: Protocol, meta: Mapping, keypoints: str | None, poses: str, masked: Sequence[str]
) -> list[str]:
    """Every choice, one a line, and what the data set says of itself. masked: the pattern that was given, if any."""
    sequences = len(meta["sequences"]) if "sequences" in meta else "unknown"
    fps = f", {meta['fps']:g} frames a second" if meta.get("fps") else ""
    chosen = {None: "all", 14: "14, those of the PCK groups", 16: "16, without nose or middle of the head"}
    choices = {
        "protocol": protocol.name,
        "data set": f"{meta.get('stores') or meta.get('dataset_name', 'unnamed')}, {sequences} sequences{fps}; {poses}",
        "keypoints": f"{chosen.get(protocol.keypoints, protocol.keypoints)} of {keypoints or 'an unnamed set'}",
        "root": f"{'counted' if protocol.root else 'not counted'}; {ROOTS[protocol.root_alignment]}",
        "headline": f"{', '.join(_TITLES[name] for name in protocol.headline)}, mean over {protocol.average}",
        "ground truth": _GROUND_TRUTH.get(meta.get("annotation"), "not said by the data set (MPI-INF-3DHP has several)")
        + ("" if protocol.annotation is None else f"; expected: {protocol.annotation}"),
        "block list": ", ".join(protocol.block_list) or "empty",
        "frames": ("all that were predicted" if protocol.frames == "all" else "target frames only")
        + ("" if protocol.frame_step == 1 else f", one in {protocol.frame_step} of a sequence")
        + ", of them those that the data set marks as visible",
        "PCK, AUC": f"below {THRESHOLDS[-1]} mm; mean over {THRESHOLDS[0]}, {THRESHOLDS[1]}, ..., {THRESHOLDS[-1]} mm; "
        f"{sum(map(len, GROUPS.values()))} keypoints in {len(GROUPS)} groups",
        "masked": ", ".join(masked) or "as the samples say",
        "intervals": f"{LEVEL} %, {protocol.resamples} resamples of {protocol.resample}, seed {protocol.seed}",
        "arithmetic": "ours, and the released one beside it" if protocol.released else "ours",
    }
    return ["Evaluation", *(f"  {name:<14}{value}" for name, value in choices.items())]


def headline_lines(
    protocol: Protocol, frames: Row, actions: Row, intervals: Mapping[str, Mapping], missing: Mapping[str, str]
) -> list[str]:
    """The quoted figures with intervals, and then the others; missing: figure to the reason why there is none."""
    names = [
        *protocol.headline,
        *(name for name in (*ERRORS, *SMOOTHNESS, "pck", "auc") if name not in protocol.headline),
        *(name for name in MASKED if np.isfinite(frames.get(name, np.nan))),
    ]
    step = "frame" if protocol.frame_step == 1 else f"({protocol.frame_step} frames)"
    units = {"mpjve": f"mm/{step}", "acceleration": f"mm/{step}^2", "pck": "%", "auc": "%"}
    lines = [f"{'Result':<22}{'mean over frames':<36}mean over actions"]
    for name in names:
        if name in missing:
            lines.append(f"  {_TITLES[name]:<20}left out: {missing[name]}")
            continue
        unit = units.get(name, "mm")
        cells = [
            _with_interval(row[name], intervals[over].get(name), unit)
            for over, row in (("frames", frames), ("actions", actions))
        ]
        quoted = f"   <- headline: {protocol.average}" if name in protocol.headline else ""
        lines.append(f"  {_TITLES[name]:<20}{cells[0]:<36}{cells[1]}{quoted}")
    if "intervals" in missing:
        lines.append(f"  no intervals: {missing['intervals']}")
    else:
        lines.append(f"  [ ]: {LEVEL} % interval; where two overlap widely, this set does not tell which is better")
    return lines


def error_table(title: str, first: str, rows: Mapping[str, Row], last: Mapping[str, Row] | None = None) -> list[str]:
    """The three errors a row, and the number of poses."""
    columns = [*ERRORS, "poses"]
    return _table(f"{title}, mm", first, [_TITLES[name] for name in columns], columns, rows, last)


def masked_table(total: Row) -> list[str]:
    """Error on masked keypoints beside the error on all: {row: errors}."""
    rows = {
        "all keypoints": {name: total[name] for name in ERRORS},
        "masked keypoints": {name: total[masked] for name, masked in zip(ERRORS, MASKED, strict=True)},
        "given keypoints": {name: total[f"given/{name}"] for name in ERRORS},
    }
    return _table("Masked and given keypoints, mm", "", [_TITLES[name] for name in ERRORS], list(ERRORS), rows)


def keypoint_table(rows: Mapping[str, Row], masked: bool) -> list[str]:
    """Errors, PCK and AUC of every keypoint."""
    columns = [*ERRORS, "pck", "auc", *(MASKED if masked else ()), "number"]
    titles = [*(_TITLES[name] for name in columns[:-1]), "counted"]
    return _table("By keypoint, mm and %", "keypoint", titles, columns, rows)


def pck_tables(title: str, first: str, rows: Mapping[str, Row], total: Row) -> list[str]:
    """PCK and AUC by keypoint group, in per cent."""
    lines = []
    for name in ("pck", "auc"):
        columns = [*(f"{name}/{group}" for group in GROUPS), name, "mpjpe"]
        heads = [*GROUPS, TOTAL, "MPJPE"]
        lines += _table(f"{_TITLES[name]} {title}, % (MPJPE in mm)", first, heads, columns, rows, {"all": total})
    return lines


def released_table(ours: Row, ours_frames: Row, released: Row) -> list[str]:
    """The released arithmetic beside ours."""
    pairs = {
        "MPJPE, mean over actions, mm": (released["mpjpe"], ours["mpjpe"]),
        "P-MPJPE, mean over actions, mm": (released["p_mpjpe"], ours["p_mpjpe"]),
        "MPJPE, mean over frames, mm": (released["mpjpe_frames"], ours_frames["mpjpe"]),
        "PCK, %": (released["pck"], ours_frames.get("pck", np.nan)),
        "AUC, %": (released["auc"], ours_frames.get("auc", np.nan)),
    }
    rows = {name: dict(released=a, ours=b) for name, (a, b) in pairs.items()}
    return _table("Released arithmetic beside ours", "", ["released", "ours"], ["released", "ours"], rows)


def _with_interval(value: float, interval: tuple[float, float] | None, unit: str) -> str:
    if not np.isfinite(value):
        return NOTHING
    between = "" if interval is None or not np.isfinite(interval).all() else f" [{interval[0]:.2f}, {interval[1]:.2f}]"
    return f"{value:.2f} {unit}{between}"


def _table(
    title: str,
    first: str,
    heads: Sequence[str],
    columns: Sequence[str],
    rows: Mapping[str, Row],
    last: Mapping[str, Row] | None = None,
) -> list[str]:
    shown = dict(list(rows.items())[:MOST_ROWS])
    everything = [(name or "(no name)", row) for name, row in [*shown.items(), *(last or {}).items()]]
    width = max(len(name) for name in (first, *(name for name, _ in everything)))
    lines = ["", title, f"{first:<{width}}" + "".join(f"{head:>{max(10, len(head) + 2)}}" for head in heads)]
    for name, row in everything:
        if not np.isfinite([row.get(column, np.nan) for column in columns if column not in ("poses", "number")]).any():
            lines.append(f"{name:<{width}}  {NOTHING}")
            continue
        cells = (
            _cell(row.get(column)).rjust(max(10, len(head) + 2)) for column, head in zip(columns, heads, strict=True)
        )
        lines.append(f"{name:<{width}}" + "".join(cells))
    if len(rows) > len(shown):
        lines.append(f"... and {len(rows) - len(shown)} more: see the attributes of PoseErrorMetric")
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if np.isfinite(value) else "-"
