"""The sequences chosen from one store or several, as columns: what a window needs to know beside its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..pose.geometry import normalize_intrinsics
from .pose_store import PoseStore

WORLD_DOWN = np.array([0.0, 0.0, -1.0], dtype=np.float32)  # worlds of stores have z up


@dataclass(frozen=True)
class SequenceTable:
    """S sequences; names and subjects as they stand in their stores.

    stores (S,) index of the store; starts, lengths (S,) frames in that store; fps (S,); names (S,) text; widths,
    heights (S,) px, 0 where unknown; intrinsics (S, 9) normalised, down (S, 3) unit vector to the ground in camera
    space, aspect (S,) height / width, all float32 and NaN where unknown. actions: their names in order. Frame t of
    sequence s is of action ``actions[action_ids[i]]``, i the last of (M,) stretches ``stretches`` = (sequence, first
    frame), in order, that begins no later.
    """

    stores: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    fps: np.ndarray
    names: np.ndarray
    widths: np.ndarray
    heights: np.ndarray
    intrinsics: np.ndarray
    down: np.ndarray
    aspect: np.ndarray
    actions: tuple[str, ...]
    action_ids: np.ndarray
    stretches: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def action_of(self, sequence: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Index into ``actions`` of frames (...) of sequences (...), counted from the sequence's first."""
        return self.action_ids[np.searchsorted(self.stretches, _key(sequence, frame), side="right") - 1]


def find_sequences(stores: Sequence[PoseStore], wanted: Mapping[str, Sequence[str] | None]) -> np.ndarray:
    """Indices (S,) of the sequences whose ``subjects``, ``actions``, ``names`` are among the wanted ones; None is all.

    They count through all stores. Raises ValueError for a name that is not there and for a choice that leaves nothing.
    """
    where = ", ".join(str(store.path) for store in stores)
    keep = []
    for column, names in wanted.items():
        there = np.array([text for store in stores for text in getattr(store, column)], dtype=object)
        if isinstance(names, str):
            raise ValueError(f"{where}: {column} is the text {names!r}; give a list of names")
        missing = set(names or ()) - set(there)
        if missing:
            known = ", ".join(sorted(set(there))[:20])
            raise ValueError(f"{where}: no {column} {sorted(missing)}; there are {known}")
        keep.append(np.ones(len(there), bool) if names is None else np.isin(there, list(names)))
    found = np.flatnonzero(np.logical_and.reduce(keep))
    if not len(found):
        raise ValueError(f"{where}: no sequence is of all of {wanted}; loosen the choice")
    return found


def choose_sequences(stores: Sequence[PoseStore], wanted: Mapping[str, Sequence[str] | None]) -> SequenceTable:
    """The sequences that :func:`find_sequences` finds.

    A store whose ``meta['activities']`` names the stretches of a sequence (MPI-INF-3DHP's test) has these as actions.
    """
    keep = find_sequences(stores, wanted)

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(store, name) for store in stores])[keep]

    owners = np.repeat(np.arange(len(stores)), [len(store) for store in stores])[keep]
    widths, heights = column("widths").astype(np.float32), column("heights").astype(np.float32)
    intrinsics = np.full((len(keep), 9), np.nan, dtype=np.float32)
    aspect = np.full(len(keep), np.nan, dtype=np.float32)
    if (seen := np.flatnonzero(widths > 0)).size:
        intrinsics[seen] = normalize_intrinsics(column("intrinsics")[seen], widths[seen], heights[seen])
        aspect[seen] = heights[seen] / widths[seen]
    actions, action_ids, stretches = _actions(stores, owners, column("names"), column("actions"))
    return SequenceTable(
        stores=owners,
        starts=column("starts"),
        lengths=column("lengths"),
        fps=column("fps"),
        names=column("names"),
        widths=widths,
        heights=heights,
        intrinsics=intrinsics,
        down=(column("rotations") @ WORLD_DOWN).astype(np.float32),
        aspect=aspect,
        actions=actions,
        action_ids=action_ids,
        stretches=stretches,
    )


def _actions(
    stores: Sequence[PoseStore], owners: np.ndarray, names: np.ndarray, actions: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    texts, stretches = [], []
    for sequence, (owner, name, action) in enumerate(zip(owners, names, actions, strict=True)):
        activities = stores[owner].meta.get("activities", {}).get(name) or [(0, action)]
        for first, activity in activities:
            texts.append(str(activity))
            stretches.append(_key(sequence, first))
    found, ids = np.unique(np.array(texts), return_inverse=True)
    return tuple(map(str, found)), ids.reshape(-1), np.array(stretches, dtype=np.int64)


def _key(sequence: np.ndarray | int, frame: np.ndarray | int) -> np.ndarray | int:
    """One number that orders frames by sequence, then by frame; clips are shorter than 2 ** 31 frames."""
    return (sequence << 31) + frame
