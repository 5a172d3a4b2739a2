"""What is averaged over what: the named choices of an evaluation, their presets, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase

from ..pose.keypoints import KeypointSet
from .pck import GROUPED

# By keypoint name, so that the choice is the same for every data set's order.
_NOT_IN_16 = ("nose", "head")
KEYPOINTS = (14, 16, 17)
ROOTS = {
    "as_predicted": "as predicted",
    "subtracted": "subtracted from prediction and ground truth",
    "zeroed": "set to 0 in prediction and ground truth, the other keypoints stay",
}
CHOICES = {
    "keypoints": (None, *KEYPOINTS),
    "root_alignment": tuple(ROOTS),
    "average": ("frames", "actions"),
    "frames": ("all", "target"),
    "resample": ("sequences", "recordings"),
}
HEADLINES = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "acceleration", "pck", "auc")


@dataclass(frozen=True)
class Protocol:
    """The choices of one evaluation; every one of them is printed with the result.

    Raises ValueError (option, value, what there is) for an unknown value.
    """

    name: str = "plain"
    headline: tuple[str, ...] = ("mpjpe",)
    """The figures that are quoted: of `HEADLINES`."""
    keypoints: int | None = None
    """14 (those of the PCK groups), 16 (without the nose or the head's middle), 17, or None: all that the data have."""
    root: bool = True
    """Whether the pelvis counts; its error is 0 wherever poses are root-relative."""
    root_alignment: str = "as_predicted"
    """What is done to the root before errors are taken, see `ROOTS`."""
    average: str = "frames"
    """Of the headline: over 'frames' (all frames count the same), or 'actions' (the mean of the actions' means)."""
    annotation: str | None = None
    """Ground truth that is expected: MPI-INF-3DHP's 'annot3' (true) or 'univ_annot3' (universal); None: any."""
    block_list: tuple[str, ...] = ()
    """Sequences that are left out: names or patterns with * and ?."""
    frames: str = "all"
    """Of models that predict whole windows: 'all' frames, or the 'target' frame, the centre one, only."""
    frame_step: int = 1
    """Every so many frames of a sequence, from its frame 0; speed and acceleration are between those."""
    released: bool = False
    """Whether the authors' released arithmetic is reported beside ours (see released.py)."""
    resample: str = "sequences"
    """What intervals are made from: 'sequences', or 'recordings' (all cameras of one take stay together)."""
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("headline", "block_list"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"evaluation option {name}={getattr(self, name)!r}: give one of {allowed}")
        if unknown := set(self.headline) - set(HEADLINES):
            raise ValueError(f"evaluation option headline={sorted(unknown)}: give some of {HEADLINES}")
        for name, least in dict(frame_step=1, resamples=1).items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"evaluation option {name}={value!r}: give a whole number, {least} or more")

    def counts(self, keypoints: KeypointSet) -> list[bool]:
        """(K,) whether each keypoint of a set counts. Raises ValueError where the set is too small for the choice."""
        if self.keypoints == 14:
            counted = [name in GROUPED for name in keypoints.names]
        elif self.keypoints == 16:
            counted = [name not in _NOT_IN_16 for name in keypoints.names]
        else:
            counted = [True] * len(keypoints)
        if self.keypoints not in (None, sum(counted)):
            raise ValueError(
                f"evaluation option keypoints={self.keypoints}: the data set's {keypoints.name} has {sum(counted)} of "
                f"them ({len(keypoints)} keypoints in all); choose fewer, or None for all"
            )
        if not self.root:
            counted[keypoints.root] = False
        return counted

    def blocked(self, sequences: Sequence[str]) -> list[bool]:
        """Whether each sequence is on the block list. Raises ValueError for an entry that no sequence is called."""
        for pattern in self.block_list:
            if not any(fnmatchcase(name, pattern) for name in sequences):
                raise ValueError(
                    f"evaluation option block_list: no sequence is called {pattern!r}; the data set has "
                    f"{', '.join(sequences[:5])}{', ...' if len(sequences) > 5 else ''}"
                )
        return [any(fnmatchcase(name, pattern) for pattern in self.block_list) for name in sequences]

    def check_annotation(self, given: str | None) -> None:
        """Raise ValueError where the data set says that it has another ground truth than the one expected."""
        if None not in (given, self.annotation) and given != self.annotation:
            raise ValueError(
                f"evaluation option annotation={self.annotation!r}: the data set holds {given!r}. Convert the other "
                "ground truth, or say annotation=None to evaluate on this one."
            )


_H36M = Protocol(root_alignment="subtracted", average="actions", name="h36m_p1")
PRESETS = {
    preset.name: preset
    for preset in (
        Protocol(),
        _H36M,
        replace(_H36M, name="h36m_p2", headline=("p_mpjpe",)),
        Protocol(
            name="3dhp",
            headline=("pck", "auc", "mpjpe"),
            keypoints=17,
            root_alignment="subtracted",
            annotation="univ_annot3",
        ),
        Protocol(
            name="released_mpm",
            headline=("mpjpe", "p_mpjpe"),
            root_alignment="zeroed",
            average="actions",
            released=True,
        ),
    )
}


def get_protocol(name: str, /, **options: object) -> Protocol:
    """The preset called ``name`` with ``options`` changed; ValueError lists what there is."""
    if name not in PRESETS:
        raise ValueError(f"evaluation protocol {name!r} is not known; use one of {', '.join(PRESETS)}")
    known = {field.name for field in fields(Protocol)} - {"name"}
    if unknown := set(options) - known:
        raise ValueError(f"evaluation options {sorted(unknown)} are not known; there are {sorted(known)}")
    preset = PRESETS[name]
    chosen = replace(preset, **options)
    changed = [option for option in options if getattr(chosen, option) != getattr(preset, option)]
    return replace(chosen, name=f"{name}, changed: {', '.join(changed)}") if changed else chosen
