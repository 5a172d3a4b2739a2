"""Keypoint sets by name: order, left and right, skeleton, limbs, and how to get from one set to another; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np


@dataclass(frozen=True)
class KeypointSet:
    """Names and structure of K keypoints; every index is derived from a name.

    The same name means the same place in every set, whatever a data set calls it. ``parent_of`` names each keypoint's
    parent (None for the root); ``limb_names`` the keypoints of a limb from the trunk outwards. Names that differ in
    left and right alone pair up.
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
    def root(self) -> int:
        """Index of the keypoint without a parent, the origin of root-relative poses."""
        return self.parents.index(-1)

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Indices on the person's left, in the order of the names."""
        return tuple(i for i, name in enumerate(self.names) if "left" in name.split("_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Indices on the person's right, each the partner of the same entry of ``left``."""
        return tuple(self.index(self.names[i].replace("left", "right")) for i in self.left)

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
    def outwards(self) -> tuple[int, ...]:
        """Indices of all keypoints, the root first, each after its parent."""
        order = [self.root]
        for above in order:
            order += [child for child, parent in enumerate(self.parents) if parent == above]
        return tuple(order)

    @cached_property
    def limbs(self) -> dict[str, tuple[int, ...]]:
        """Indices by limb: right_leg, left_leg, right_arm, left_arm; from the trunk outwards."""
        return {limb: tuple(map(self.index, names)) for limb, names in self.limb_names}

    def indices_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """Indices of keypoints and whole limbs by name; KeyError names what is neither."""
        found: list[int] = []
        for name in names:
            if name not in self.limbs and name not in self.names:
                known = ", ".join((*self.limbs, *self.names))
                raise KeyError(f"keypoint set {self.name} has no keypoint or limb {name!r}; it has {known}")
            found += self.limbs.get(name) or [self.index(name)]
        return tuple(found)

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


def _read(name: str, skeleton: str) -> KeypointSet:
    """A set from its keypoints in order, each written ``name<parent``."""
    pairs = [keypoint.partition("<")[::2] for keypoint in skeleton.split()]
    return KeypointSet(name, tuple(pair[0] for pair in pairs), tuple(pair[1] or None for pair in pairs), _LIMBS)


# MPI-INF-3DHP's `annot.mat`. What it calls neck is Human3.6M's thorax: its authors chose the 17 "relevant" keypoints to
# be those of Human3.6M, but for the head, which is inside the skull and not on the face.
MPI_INF_3DHP_28 = _read(
    "mpi_inf_3dhp_28",
    """spine3<spine spine4<spine3 spine2<pelvis spine<spine2 pelvis thorax<spine4 head<thorax head_top<head
    left_clavicle<spine4 left_shoulder<left_clavicle left_elbow<left_shoulder left_wrist<left_elbow left_hand<left_wrist
    right_clavicle<spine4 right_shoulder<right_clavicle right_elbow<right_shoulder right_wrist<right_elbow
    right_hand<right_wrist left_hip<pelvis left_knee<left_hip left_ankle<left_knee left_foot<left_ankle
    left_toe<left_foot right_hip<pelvis right_knee<right_hip right_ankle<right_knee right_foot<right_ankle
    right_toe<right_foot""",
)
# The 17 "relevant" ones, in the order of its test set's `annot_data.mat`.
MPI_INF_3DHP_17 = _read(
    "mpi_inf_3dhp_17",
    """head_top<head thorax<spine right_shoulder<thorax right_elbow<right_shoulder right_wrist<right_elbow
    left_shoulder<thorax left_elbow<left_shoulder left_wrist<left_elbow right_hip<pelvis right_knee<right_hip
    right_ankle<right_knee left_hip<pelvis left_knee<left_hip left_ankle<left_knee pelvis spine<pelvis head<thorax""",
)
COCO_17 = _read(
    "coco_17",
    """nose left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye left_shoulder<nose right_shoulder<nose
    left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow right_wrist<right_elbow
    left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip left_ankle<left_knee
    right_ankle<right_knee""",
)
# AlphaPose's Halpe body: COCO's, then what it calls head, neck and hip. Its neck is between the shoulders.
HALPE_26 = _read(
    "halpe_26",
    """nose<neck left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye left_shoulder<neck
    right_shoulder<neck left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow
    right_wrist<right_elbow left_hip<pelvis right_hip<pelvis left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee head_top<neck neck<pelvis pelvis left_big_toe<left_ankle
    right_big_toe<right_ankle left_small_toe<left_ankle right_small_toe<right_ankle left_heel<left_ankle
    right_heel<right_ankle""",
)
# OpenPose's; its neck is between the shoulders, its MidHip the pelvis.
BODY_25 = _read(
    "body_25",
    """nose<neck neck<pelvis right_shoulder<neck right_elbow<right_shoulder right_wrist<right_elbow left_shoulder<neck
    left_elbow<left_shoulder left_wrist<left_elbow pelvis right_hip<pelvis right_knee<right_hip right_ankle<right_knee
    left_hip<pelvis left_knee<left_hip left_ankle<left_knee right_eye<nose left_eye<nose right_ear<right_eye
    left_ear<left_eye left_big_toe<left_ankle left_small_toe<left_ankle left_heel<left_ankle right_big_toe<right_ankle
    right_small_toe<right_ankle right_heel<right_ankle""",
)

# OpenPose's BODY_25B: COCO's, then MPII's upper neck (at the base of the skull) and head top, and the feet.
BODY_25B = _read(
    "body_25b",
    """nose<upper_neck left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye left_shoulder<upper_neck
    right_shoulder<upper_neck left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow
    right_wrist<right_elbow left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee upper_neck head_top<upper_neck left_big_toe<left_ankle
    left_small_toe<left_ankle left_heel<left_ankle right_big_toe<right_ankle right_small_toe<right_ankle
    right_heel<right_ankle""",
)
# OpenPose's COCO model (``--model_pose COCO``) and ControlNet: COCO's in an order of its own, and a neck.
OPENPOSE_18 = _read(
    "openpose_18",
    """nose<neck neck right_shoulder<neck right_elbow<right_shoulder right_wrist<right_elbow left_shoulder<neck
    left_elbow<left_shoulder left_wrist<left_elbow right_hip<neck right_knee<right_hip right_ankle<right_knee
    left_hip<neck left_knee<left_hip left_ankle<left_knee right_eye<nose left_eye<nose right_ear<right_eye
    left_ear<left_eye""",
)
# MPII's; its thorax is between the shoulders, its upper neck at the base of the skull.
MPII_16 = _read(
    "mpii_16",
    """right_ankle<right_knee right_knee<right_hip right_hip<pelvis left_hip<pelvis left_knee<left_hip
    left_ankle<left_knee pelvis thorax<pelvis upper_neck<thorax head_top<upper_neck right_wrist<right_elbow
    right_elbow<right_shoulder right_shoulder<thorax left_shoulder<thorax left_elbow<left_shoulder
    left_wrist<left_elbow""",
)
# PoseTrack 2017 and 2018: from the shoulders on as COCO; its "head bottom" is MPII's upper neck.
POSETRACK_17 = _read(
    "posetrack_17",
    """nose<upper_neck upper_neck head_top<nose left_ear<nose right_ear<nose left_shoulder<upper_neck
    right_shoulder<upper_neck left_elbow<left_shoulder right_elbow<right_shoulder left_wrist<left_elbow
    right_wrist<right_elbow left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee""",
)
# MediaPipe's pose landmarks (BlazePose), by its own names.
BLAZEPOSE_33 = _read(
    "blazepose_33",
    """nose left_eye_inner<nose left_eye<left_eye_inner left_eye_outer<left_eye right_eye_inner<nose
    right_eye<right_eye_inner right_eye_outer<right_eye left_ear<left_eye_outer right_ear<right_eye_outer
    mouth_left<nose mouth_right<nose left_shoulder<nose right_shoulder<nose left_elbow<left_shoulder
    right_elbow<right_shoulder left_wrist<left_elbow right_wrist<right_elbow left_pinky<left_wrist
    right_pinky<right_wrist left_index<left_wrist right_index<right_wrist left_thumb<left_wrist right_thumb<right_wrist
    left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip left_ankle<left_knee
    right_ankle<right_knee left_heel<left_ankle right_heel<right_ankle left_foot_index<left_heel
    right_foot_index<right_heel""",
)

_ALL = (H36M_17, COMMON_16, MPI_INF_3DHP_28, MPI_INF_3DHP_17, COCO_17, HALPE_26, BODY_25)
_ALL += (BODY_25B, OPENPOSE_18, MPII_16, POSETRACK_17, BLAZEPOSE_33)
_SETS = {keypoint_set.name: keypoint_set for keypoint_set in _ALL}


#: How the name of a set begins that is a choice of keypoints: ``custom:nose,left_hip,...``.
CUSTOM = "custom:"


def _find_ancestors() -> dict[str, tuple[str, ...]]:
    """Of every keypoint of any set those that it may hang on in a skeleton, the nearest first."""
    ancestors: dict[str, tuple[str, ...]] = {}
    for keypoint_set in _ALL:
        parent_of = dict(zip(keypoint_set.names, keypoint_set.parent_of, strict=True))
        for name in keypoint_set.names:
            chain = [name]
            while (parent := parent_of[chain[-1]]) is not None:
                chain.append(parent)
            ancestors[name] = tuple(dict.fromkeys((*ancestors.get(name, ()), *chain[1:])))
    return ancestors


_ANCESTORS = _find_ancestors()


def other_side(name: str) -> str:
    """The name of the same keypoint on the other side of the body; one in the middle is its own."""
    return name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")


@cache
def custom_keypoint_set(names: tuple[str, ...]) -> KeypointSet:
    """A set of any keypoints that the sets here have, in this order, called ``custom:<name>,<name>,...``.

    Raises KeyError for a name that none of them has, one that is there twice, or a left one without its right one.
    """
    for name in names:
        if name not in _ANCESTORS:
            raise KeyError(f"keypoint {name!r} is not known; there are {', '.join(sorted(_ANCESTORS))}")
        if (other := other_side(name)) not in names:
            raise KeyError(f"keypoint {name!r} is there and {other!r} is not; give both")
        if names.count(name) > 1:
            raise KeyError(f"keypoint {name!r} is there twice; give it once")
    above = {name: [parent for parent in _ANCESTORS[name] if parent in names] for name in names}
    root = next(name for name in names if not above[name])  # there is no ring of ancestors
    parents = tuple(None if name == root else (above[name] or [root])[0] for name in names)
    limbs = tuple((limb, parts) for limb, parts in _LIMBS if set(parts) <= set(names))
    return KeypointSet(CUSTOM + ",".join(names), names, parents, limbs)


def get_keypoint_set(name: str) -> KeypointSet:
    """The keypoint set called ``name``, also a ``custom:`` one; KeyError lists those there are."""
    if isinstance(name, str) and name.startswith(CUSTOM):
        return custom_keypoint_set(tuple(name.removeprefix(CUSTOM).split(",")))
    try:
        return _SETS[name]
    except KeyError:
        raise KeyError(f"keypoint set {name!r} is not known; use one of {', '.join(sorted(_SETS))}") from None


def known_sets(number: int) -> tuple[str, ...]:
    """Names of the sets of so many keypoints."""
    return tuple(name for name, keypoint_set in _SETS.items() if len(keypoint_set) == number)


_SHOULDERS = {"left_shoulder": 0.5, "right_shoulder": 0.5}
#: How to put a keypoint where a source lacks it: affine combinations (weights add up to 1) of keypoints it may have,
#: the first that it has. All are the same seen in a mirror.
APPROXIMATIONS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "pelvis": ({"left_hip": 0.5, "right_hip": 0.5},),
    "thorax": (_SHOULDERS,),
    "neck": (_SHOULDERS,),
    "spine": ({"left_shoulder": 0.25, "right_shoulder": 0.25, "left_hip": 0.25, "right_hip": 0.25},),
    # In the middle of the head for its front, and the other way round: some centimetres off.
    "nose": ({"head": 1.0}, {"upper_neck": 0.5, "head_top": 0.5}),
    "head": ({"nose": 1.0}, {"left_ear": 0.5, "right_ear": 0.5}),
    # Beyond the ears: shoulders, ears and head top are at about 0.82, 0.93 and 1 of the height of a person.
    "head_top": ({"left_ear": 0.85, "right_ear": 0.85, "left_shoulder": -0.35, "right_shoulder": -0.35},),
}


@dataclass(frozen=True)
class Remap:
    """How to get the keypoints of ``target`` from those of ``source``; call it with poses.

    exact: names that both have; approximated: the names and weights of the source's keypoints that stand in, by name;
    missing: what the source has nothing for.
    """

    source: KeypointSet
    target: KeypointSet
    exact: tuple[str, ...]
    approximated: Mapping[str, Mapping[str, float]]
    missing: tuple[str, ...]

    @cached_property
    def available(self) -> np.ndarray:
        """(K,) of bool, False for what is missing: mask these keypoints (masks are True where masked: its negation)."""
        return np.array([name not in self.missing for name in self.target.names])

    def __call__(self, poses: np.ndarray, scores: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Poses (..., K, C) and scores (..., K) in ``target`` of those in ``source``, any space and unit.

        Exact keypoints are copied; an approximated one has the lowest score of those it is made of; missing ones are 0
        with score 0. Without scores, those of the source count as 1. Raises ValueError for another number of keypoints.
        """
        number = len(self.source)
        scores = np.ones(poses.shape[:-1], np.float32) if scores is None else scores
        if poses.shape[-2:-1] != (number,) or scores.shape != poses.shape[:-1]:
            given = f"poses of shape {poses.shape} with scores of shape {scores.shape}"
            raise ValueError(f"{given} are not of {self.source.name}; give (..., {number}, C) and (..., {number})")
        new_poses = np.zeros((*poses.shape[:-2], len(self.target), poses.shape[-1]), poses.dtype)
        new_scores = np.zeros(new_poses.shape[:-1], scores.dtype)
        there, here = ([keypoints.index(name) for name in self.exact] for keypoints in (self.source, self.target))
        new_poses[..., here, :], new_scores[..., here] = poses[..., there, :], scores[..., there]
        for name, weights in self.approximated.items():
            here, there = self.target.index(name), [self.source.index(part) for part in weights]
            weight = np.array(list(weights.values()), poses.dtype)
            new_poses[..., here, :] = (poses[..., there, :] * weight[:, None]).sum(-2)
            new_scores[..., here] = scores[..., there].min(-1)
        return new_poses, new_scores


#: The pelvis is the middle of the hips by what it is; other approximations are where most people have the keypoint.
BY_DEFINITION = ("pelvis",)


def remap(source: str | KeypointSet, target: str | KeypointSet, approximate: bool | Collection[str] = True) -> Remap:
    """How to get ``target`` from ``source``; what is not exact is missing.

    approximate: whether, or of which keypoints, others stand in by :data:`APPROXIMATIONS`.
    """
    source, target = (get_keypoint_set(name) if isinstance(name, str) else name for name in (source, target))
    exact = tuple(name for name in target.names if name in source.names)
    approximated = {}
    wanted = approximate if isinstance(approximate, Collection) else target.names if approximate else ()
    for name in (name for name in target.names if name in wanted):
        rules = (rule for rule in APPROXIMATIONS.get(name, ()) if set(rule) <= set(source.names))
        if name not in exact and (rule := next(rules, None)):
            approximated[name] = rule
    missing = tuple(name for name in target.names if name not in exact and name not in approximated)
    return Remap(source, target, exact, approximated, missing)


def released_mpi_inf_3dhp_16(poses: np.ndarray) -> np.ndarray:
    """MPI-INF-3DHP (..., 17, C) in the 16 slots of MPM's released code; only for checkpoints converted from it.

    Not :data:`COMMON_16`: the slot of the thorax holds the head, that of the head top the middle of head and head top.
    """
    index = MPI_INF_3DHP_17.index
    order = [{"thorax": "head"}.get(name, name) for name in COMMON_16.names]
    released = poses[..., list(map(index, order)), :]
    middle = (poses[..., index("head_top"), :] + poses[..., index("head"), :]) / 2
    released[..., COMMON_16.index("head_top"), :] = middle
    return released
