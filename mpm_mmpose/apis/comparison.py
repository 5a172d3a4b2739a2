"""Predictions of one clip from several files, put side by side in a scene."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..pose.geometry import root_relative
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson, Scene
from ..version import __version__
from .clip_files import ClipFile, Results, find_clip, open_clips

#: Ground truths of one clip may differ by rounding, m.
SAME = 1e-3
#: Where no file says how many frames a second there are.
USUAL_FPS = 30.0


def compare(
    predictions: Mapping[str, Path],
    ground_truth: Path | None = None,
    *,
    clip: str | None = None,
    person: str | None = None,
    fps: float | None = None,
) -> Scene:
    """A scene with a person for each prediction, called as ``predictions`` calls its file.

    ground_truth: a file or store with the true 3D, and perhaps 2D; by default that of the first prediction that has it.
    clip: which clip of dumps and stores; person: which person of our results; neither is needed where there is only
    one. fps: frames a second, needed where no file says them. Raises ValueError for files that hold no poses, or not of
    one clip, keypoint set and rate, OSError for what cannot be read.
    """
    files = {name: open_clips(path) for name, path in predictions.items()}
    ground_truth_file = None if ground_truth is None else open_clips(ground_truth)
    chosen = _choose([*files.values(), *([ground_truth_file] if ground_truth_file else [])], clip, person)
    clips = {name: file.clip(chosen[id(file)]) for name, file in files.items()}
    true = ground_truth_file.clip(chosen[id(ground_truth_file)]) if ground_truth_file else None
    _check_alike(
        {str(files[name].path): scene for name, scene in clips.items()} | ({str(ground_truth): true} if true else {})
    )
    if true is not None and true.people[0].ground_truth is None:
        raise ValueError(
            f"{ground_truth}: holds no ground truth; give an evaluation's dump, a pose store, or results with it"
        )
    notes = [f"{name}: {files[name].path.name}" for name in clips]
    notes += [f"Ground truth: {ground_truth.name}"] if ground_truth is not None else []
    rates = [scene.fps for scene in (*clips.values(), *([true] if true else [])) if not math.isnan(scene.fps)]
    if fps is None and not rates:
        notes.append(f"No file says how many frames a second there are; shown as if {USUAL_FPS:g}.")
    fps = fps or (rates[0] if rates else USUAL_FPS)
    sources = [*([true] if true else []), *clips.values()]
    return _together(clips, sources, _name(clips, chosen, files), fps, notes)


def _choose(files: Sequence[ClipFile], clip: str | None, person: str | None) -> dict[int, str]:
    """The clip of each file, by its id()."""
    chosen = {}
    for file in files:
        wanted, option = (person, "--person") if isinstance(file, Results) else (clip, "--clip")
        if wanted is None and len(file.names) > 1:
            wanted = _only_common(files) if option == "--clip" else None
        if wanted is None and len(file.names) > 1:
            some = ", ".join(file.names[:6]) + ", ..." * (len(file.names) > 6)
            raise ValueError(f"{file.path}: holds {len(file.names)} clips; choose one with {option}: {some}")
        chosen[id(file)] = file.names[0] if wanted is None else find_clip(file, wanted)
    names = {chosen[id(file)]: file for file in files if not isinstance(file, Results)}
    if len(names) > 1:
        said = ", ".join(f"{file.path} {name!r}" for name, file in names.items())
        raise ValueError(f"these are not of one clip: {said}")
    return chosen


def _only_common(files: Sequence[ClipFile]) -> str | None:
    """The clip that all files with clips have, if it is the only one."""
    common = set.intersection(*(set(file.names) for file in files if not isinstance(file, Results)))
    return common.pop() if len(common) == 1 else None


def _name(clips: Mapping[str, Scene], chosen: Mapping[int, str], files: Mapping[str, ClipFile]) -> str:
    named = [chosen[id(file)] for file in files.values() if not isinstance(file, Results)]
    return named[0] if named else next(iter(clips.values())).name


def _check_alike(clips: Mapping[str, Scene]) -> None:
    """ValueError where two files cannot be of one clip."""
    (first, scene), *others = clips.items()
    for path, other in others:
        mine, theirs = scene.people[0].keypoint_set, other.people[0].keypoint_set
        if mine != theirs:
            raise ValueError(f"{first} has the keypoint set {mine}, {path} {theirs}; compare predictions of one set")
        if abs(scene.fps / other.fps - 1) > 0.01:
            raise ValueError(f"{first} has {scene.fps:g} frames a second, {path} {other.fps:g}; these are not one clip")
    ground_truths = [
        (path, scene.people[0]) for path, scene in clips.items() if scene.people[0].ground_truth is not None
    ]
    for path, person in ground_truths[1:]:
        off = _difference(ground_truths[0][1], person)
        if off is None:
            raise ValueError(f"{ground_truths[0][0]} and {path} have no frame in common; these are not one clip")
        if off > SAME:
            raise ValueError(
                f"{ground_truths[0][0]} and {path} have other ground truths, up to {1000 * off:.0f} mm apart; "
                "these are not one clip"
            )
    for path, clip in clips.items():
        if ground_truths and clip.people[0].ground_truth is None:
            _check_frames(path, clip.people[0], *ground_truths[0])


def _check_frames(path: str, person: LiftedPerson, ground_truth_path: str, ground_truth: LiftedPerson) -> None:
    beyond = np.setdiff1d(person.frames, ground_truth.frames)
    if len(beyond) > max(1, 0.02 * len(person.frames)):
        raise ValueError(
            f"{path} has {len(beyond)} frames, such as {beyond[0]}, that {ground_truth_path} has not; "
            "these are not one clip"
        )


def _difference(a: LiftedPerson, b: LiftedPerson) -> float | None:
    """Largest distance of two ground truths in their common frames, root-relative m; None without such frames."""
    common, mine, theirs = np.intersect1d(a.frames, b.frames, return_indices=True)
    if len(common) == 0:
        return None
    root = get_keypoint_set(a.keypoint_set).root
    relative = [person.ground_truth[rows] for person, rows in ((a, mine), (b, theirs))]
    first, second = (root_relative(poses, root) for poses in relative)
    distances = np.linalg.norm(first - second, axis=-1)
    return float(np.nanmax(distances)) if np.isfinite(distances).any() else 0.0


def _together(clips: Mapping[str, Scene], sources: Sequence[Scene], name: str, fps: float, notes: list[str]) -> Scene:
    """The people of all clips in one scene, with the ground truth and the 2D of the first source that has them."""
    numbers = np.unique(np.concatenate([scene.people[0].frames for scene in clips.values()]))
    ground_truth = next((scene.people[0] for scene in sources if scene.people[0].ground_truth is not None), None)
    seen = next((scene for scene in sources if scene.people[0].keypoints_2d is not None), None)
    people = []
    for label, scene in clips.items():
        person = scene.people[0]
        fields = dict(name=label, frames=np.searchsorted(numbers, person.frames), trajectory=None)
        fields["ground_truth"] = None if ground_truth is None else _rows_of(ground_truth, "ground_truth", person.frames)
        fields |= dict(keypoints_2d=None, scores_2d=None, keypoint_set_2d=None)
        if seen is not None:
            owner = seen.people[0]
            fields |= dict(keypoints_2d=_rows_of(owner, "keypoints_2d", person.frames))
            fields |= dict(keypoint_set_2d=owner.keypoint_set_2d)
            if owner.scores_2d is not None:
                fields["scores_2d"] = np.nan_to_num(_rows_of(owner, "scores_2d", person.frames))
        people.append(replace(person, **fields))
    steps = np.diff(numbers)
    step = int(np.median(steps)) if len(steps) else 1
    size = dict(width=seen.width, height=seen.height) if seen else {}
    return Scene(name, people, numbers / fps, fps / step, made_by=f"mpm_mmpose {__version__}", notes=notes, **size)


def _rows_of(owner: LiftedPerson, field: str, frames: np.ndarray) -> np.ndarray:
    """A field (N, ...) of a person in the rows of ``frames`` (M,); NaN in frames that the person lacks."""
    values = np.asarray(getattr(owner, field), np.float64)
    rows = np.clip(np.searchsorted(owner.frames, frames), 0, len(owner.frames) - 1)
    there = owner.frames[rows] == frames
    return np.where(there.reshape(-1, *[1] * (values.ndim - 1)), values[rows], np.nan)
