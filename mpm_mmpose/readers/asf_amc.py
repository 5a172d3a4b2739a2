"""AMC trials with their ASF skeleton (CMU motion capture) to motion of the 17 Human3.6M keypoints."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import numpy as np

from ..messages import brief
from ..pose.keypoints import H36M_17
from .asf import AsfSkeleton, ordered_rotation, read_asf
from .cmu import recorded_fps
from .files import read_text
from .kinematics import y_up_to_z_up
from .motion import Motion, check_size

# comments, and keywords such as :DEGREES; their line ends stay, for line numbers
_NOT_FRAMES = re.compile(r"#.*|^[^\S\n]*:.*", re.MULTILINE)

# keypoint: the bone it is an end of, 'start' being where the bone's parent ends
_KEYPOINTS = {
    "right_hip": ("rfemur", "start"),
    "right_knee": ("rfemur", "end"),
    "right_ankle": ("rtibia", "end"),
    "left_hip": ("lfemur", "start"),
    "left_knee": ("lfemur", "end"),
    "left_ankle": ("ltibia", "end"),
    "spine": ("lowerback", "end"),
    "thorax": ("lowerneck", "end"),
    "nose": ("upperneck", "end"),
    "head_top": ("head", "end"),
    "left_shoulder": ("lhumerus", "start"),
    "left_elbow": ("lhumerus", "end"),
    "left_wrist": ("lradius", "end"),
    "right_shoulder": ("rhumerus", "start"),
    "right_elbow": ("rhumerus", "end"),
    "right_wrist": ("rradius", "end"),
}


def read_asf_amc(path: str | Path, fps: float | None = None) -> Motion:
    """Motion of an AMC file and the ASF skeleton beside it (the folder's only one, or ``01.asf`` for ``01_05.amc``).

    Keypoints are ends of CMU's bones, chosen for the proportions of Human3.6M's skeleton: pelvis is the middle of the
    hip joints (the root is 10 cm higher); spine the end of lowerback; thorax the end of lowerneck, a little above the
    shoulders; nose the end of upperneck (the base of the skull); head top the end of head.
    fps: by default that at which CMU recorded the trial, because AMC files do not say it.
    subject is the folder's name and action the trial's, because CMU's files do not say what is done in them.
    Raises ValueError or FileNotFoundError (file, line or field, fix).
    """
    path = Path(path)
    recorded, note = recorded_fps(path)
    asf = find_skeleton(path)
    skeleton = read_asf(asf)
    starts, ends = _place(skeleton, _read_channels(path, skeleton))
    missing = {bone for bone, _ in _KEYPOINTS.values()} - set(ends)
    if missing:
        raise ValueError(f"{asf}: has no bone {sorted(missing)}; CMU's names are needed")
    points = {name: (starts if end == "start" else ends)[bone] for name, (bone, end) in _KEYPOINTS.items()}
    points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
    keypoints = np.stack([points[name] for name in H36M_17.names], axis=1) * skeleton.metres_per_unit
    check_size(f"{asf}: section :units, 'length'", keypoints, skeleton.metres_per_unit)
    return Motion(
        name=path.stem,
        keypoints_3d=y_up_to_z_up(keypoints),
        fps=recorded if fps is None else fps,
        subject=path.parent.name,
        action=path.stem,
        source=str(path),
        notes=(note,) if note and fps is None else (),
    )


def find_skeleton(path: Path) -> Path:
    """The ASF file that belongs to an AMC file; FileNotFoundError where that is not clear."""
    skeletons = sorted(path.parent.glob("*.asf"))
    named = [skeleton for skeleton in skeletons if skeleton.stem == path.stem.split("_")[0]]
    for choice in (named, skeletons):
        if len(choice) == 1:
            return choice[0]
    raise FileNotFoundError(
        f"{path}: {len(skeletons)} .asf files are in its folder; add its skeleton as {path.stem.split('_')[0]}.asf"
    )


def _read_channels(path: Path, skeleton: AsfSkeleton) -> dict[str, np.ndarray]:
    """Values (T, channels) by bone, angles in the skeleton's unit.

    The layout of the first frame is taken for all, so that the numbers are converted in one go.
    """
    text = _NOT_FRAMES.sub("", read_text(path))
    words = text.split()
    period, layout = _first_frame(words)
    expected = {name: len(bone.channels) for name, bone in skeleton.bones.items() if bone.channels}
    per_frame = 1 + sum(1 + expected.get(name, 0) for name in layout)
    regular = layout and period == per_frame and len(words) % period == 0 and set(layout) == set(expected)
    values, column = {}, 1
    for name in layout if regular else ():
        regular = regular and set(words[column::period]) == {name}
        columns = [words[column + 1 + channel :: period] for channel in range(expected[name])]
        try:
            values[name] = np.array(columns, dtype=np.float64).T
        except ValueError:
            regular = False
            break
        column += 1 + expected[name]
    if not regular or not all(np.isfinite(array).all() for array in values.values()):
        raise _find_fault(path, text, expected)
    return values


def _first_frame(words: list[str]) -> tuple[int, list[str]]:
    """Number of words of the first frame, and the bones in it."""
    layout = []
    for index, word in enumerate(words):
        if word[0].isalpha():
            if layout and word == layout[0]:
                return index - 1, layout
            layout.append(word)
    return len(words), layout


def _find_fault(path: Path, text: str, expected: dict[str, int]) -> ValueError:
    """The error that names the first line that is not as it should be."""
    fix = "the file is cut off, damaged or of another skeleton: fetch it again or leave it out"
    frame = 0
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for is_number, group in groupby(lines, lambda line: len(line[1]) == 1 and line[1][0].isdigit()):
        group = list(group)
        if is_number:
            frame = int(group[-1][1][0])
            continue
        seen = {}
        for number, (name, *values) in group:
            if frame == 0 or name not in expected or name in seen:
                return ValueError(
                    f"{path}: line {number}: {brief(name)} is no bone of the skeleton that is due here; {fix}"
                )
            if len(values) != expected[name] or not _finite(values):
                return ValueError(f"{path}: line {number}: {name} needs {expected[name]} finite numbers; {fix}")
            seen[name] = number
        if set(seen) != set(expected):
            missing = ", ".join(sorted(set(expected) - set(seen)))
            return ValueError(f"{path}: line {group[-1][0]}: frame {frame} ends without {missing}; {fix}")
    return ValueError(f"{path}: has no frames, or frames that list the bones in different orders; {fix}")


def _finite(words: list[str]) -> bool:
    try:
        return bool(np.isfinite([float(word) for word in words]).all())
    except ValueError:
        return False


def _place(skeleton: AsfSkeleton, values: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Start and end (T, 3) of every bone in file units and axes.

    A bone turns by axes @ rotation @ axes^-1 in its parent's frame; its offset is given in the file's axes.
    """
    starts, ends, turns = {}, {}, {}
    for name, bone in skeleton.bones.items():
        channels = dict(zip(bone.channels, values[name].T, strict=True)) if bone.channels else {}
        angles = {
            channel[1]: value * skeleton.radians_per_unit for channel, value in channels.items() if channel[0] == "r"
        }
        turn = bone.axes @ ordered_rotation(bone.order, angles) @ bone.axes.T
        if bone.parent is None:
            starts[name] = ends[name] = np.stack([channels[axis] for axis in ("tx", "ty", "tz")], -1)
            turns[name] = turn
        else:
            turns[name] = turns[bone.parent] @ turn
            starts[name] = ends[bone.parent]
            ends[name] = starts[name] + turns[name] @ bone.offset
    return starts, ends
