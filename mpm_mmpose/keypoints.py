"""Keypoint sets by name: order, left and right, skeleton, limbs, and how to get from one set to another; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class KeypointSet:
    """Names and structure of K keypoints; every index is derived from a name.

    ``parent_of`` names each keypoint's parent (None for the root, which is keypoint 0); ``limb_names`` the keypoints of
    a limb from the trunk outwards. Names that start with ``left_`` and ``right_`` pair up.
    """

    name: str
    names: tuple[str, ...]
    parent_of: tuple[str | None, ...]
    limb_names: tuple[tuple[str, tuple[str, ...]], ...]

    def __post_init__(self) -> None:
        if len(self.parent_of) != len(self.names):
            raise ValueError(f"keypoint set {self.name}: {len(self.parent_of)} parents for {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, keypoint: str) -> int:
        """Index of a keypoint; KeyError names the set and what it has."""
        try:
            return self.names.index(keypoint)
        except ValueError:
            raise KeyError(f"keypoint set {self.name} has no {keypoint!r}; it has {', '.join(self.names)}") from None

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Indices on the person's left, in the order of the names."""
        return tuple(i for i, name in enumerate(self.names) if name.startswith("left_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Indices on the person's right, each the partner of the same entry of ``left``."""
        return tuple(self.index("right_" + self.names[i].removeprefix("left_")) for i in self.left)

    @cached_property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) pairs."""
        return tuple(zip(self.left, self.right, strict=True))

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """(K,) permutation: a mirrored pose is ``pose[..., flip_indices, :]`` with x negated; its own inverse."""
        order = list(range(len(self)))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return tuple(order)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """(K,) index of each keypoint's parent in the skeleton, -1 for the root."""
        return tuple(-1 if parent is None else self.index(parent) for parent in self.parent_of)

    @cached_property
    def limbs(self) -> dict[str, tuple[int, ...]]:
        """Indices by limb: right_leg, left_leg, right_arm, left_arm; from the trunk outwards."""
        return {limb: tuple(map(self.index, names)) for limb, names in self.limb_names}

    def indices_in(self, other: KeypointSet) -> tuple[int, ...]:
        """(K,) where this set's keypoints are in ``other``: ``poses_other[..., indices, :]`` is in this set's order."""
        return tuple(map(other.index, self.names))


_H36M_SKELETON = {
    "pelvis": None,
    "right_hip": "pelvis",
    "right_knee": "right_hip",
    "right_ankle": "right_knee",
    "left_hip": "pelvis",
    "left_knee": "left_hip",
    "left_ankle": "left_knee",
    "spine": "pelvis",
    "thorax": "spine",
    "nose": "thorax",
    "head_top": "nose",
    "left_shoulder": "thorax",
    "left_elbow": "left_shoulder",
    "left_wrist": "left_elbow",
    "right_shoulder": "thorax",
    "right_elbow": "right_shoulder",
    "right_wrist": "right_elbow",
}
_LIMBS = tuple(
    (f"{side}_{limb}", tuple(f"{side}_{part}" for part in parts))
    for limb, parts in (("leg", ("hip", "knee", "ankle")), ("arm", ("shoulder", "elbow", "wrist")))
    for side in ("right", "left")
)

H36M_17 = KeypointSet("h36m_17", tuple(_H36M_SKELETON), tuple(_H36M_SKELETON.values()), _LIMBS)

# What Human3.6M, MPI-INF-3DHP and AMASS have in common: without the "nose", which each of them puts elsewhere.
_COMMON_SKELETON = {name: parent for name, parent in _H36M_SKELETON.items() if name != "nose"} | {"head_top": "thorax"}
COMMON_16 = KeypointSet("common_16", tuple(_COMMON_SKELETON), tuple(_COMMON_SKELETON.values()), _LIMBS)

_SETS = {keypoint_set.name: keypoint_set for keypoint_set in (H36M_17, COMMON_16)}


def get_keypoint_set(name: str) -> KeypointSet:
    """The keypoint set called ``name``; KeyError lists those there are."""
    try:
        return _SETS[name]
    except KeyError:
        raise KeyError(f"keypoint set {name!r} is not known; use one of {', '.join(sorted(_SETS))}") from None
