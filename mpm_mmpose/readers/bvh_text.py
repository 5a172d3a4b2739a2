"""What is written in BVH files: the hierarchy, which bvhio parses, and the numbers, read here in one go.

bvhio joins numbers joint by joint in Python (some 1,300 frames a second) and waits for ever at the end of a truncated
file. It is given the hierarchy alone, with names of joints that are one word.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..limits import HIGHEST_FPS, LOWEST_FPS, is_fps
from ..messages import shortened
from .files import read_bytes

if TYPE_CHECKING:
    from bvhio import BvhJoint

_HEADER = re.compile(
    r"^\s*MOTION\s*^\s*Frames\s*:\s*(\d+)\s*^\s*Frame\s*Time\s*:\s*(\S+)[^\S\n]*\n", re.MULTILINE | re.IGNORECASE
)
_CHANNEL = re.compile("[XYZ](position|rotation)")
_JOINT = re.compile(r"^([^\S\n]*)(ROOT|JOINT)[^\S\n]+(.*?)[^\S\n]*(\{?)[^\S\n]*$", re.MULTILINE)
# UTF-8 with or without its mark; what Japanese programs write; what is left, in which every byte is a letter
_ENCODINGS = ("utf-8-sig", "cp932", "latin-1")


def parse(path: Path) -> tuple[list[tuple[BvhJoint, int]], np.ndarray, float]:
    """Joints in file order with the index of their parent (-1: none), channel values (T, C), seconds a frame.

    Raises ValueError or OSError (file, line or field, fix).
    """
    text = _decimal_points(_text(path))
    header = _HEADER.search(text)
    if not text.lstrip().startswith("HIERARCHY") or header is None:
        missing = "'HIERARCHY' at the start" if header else "'MOTION', 'Frames: N', 'Frame Time: s' after the hierarchy"
        raise ValueError(f"{path}: has no {missing}; it is cut off or no BVH file, fetch it again or leave it out")
    try:
        root = _hierarchy(text[: header.start()])
        seconds = float(header[2])
    except (SyntaxError, ValueError, IndexError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(
            f"{path}: hierarchy or frame time is not as BVH has it ({shortened(str(reason))}); repair the file"
        ) from None
    joints: list[tuple[BvhJoint, int]] = []

    left = [(root, -1)]
    while left:
        joint, parent = left.pop()
        joints.append((joint, parent))
        left += [(child, len(joints) - 1) for child in reversed(joint.Children)]
    if not (seconds > 0 and is_fps(round(1 / seconds, 3))):
        raise ValueError(
            f"{path}: 'Frame Time' is {header[2][:40]}; write the seconds a frame, {1 / HIGHEST_FPS:g} to "
            f"{1 / LOWEST_FPS:g}"
        )
    channels = [channel for joint, _ in joints for channel in joint.Channels]
    unknown = sorted(channel for channel in set(channels) if not _CHANNEL.fullmatch(channel))
    if unknown:
        raise ValueError(
            f"{path}: CHANNELS has {shortened(', '.join(unknown))}; only X, Y, Z position and rotation can be read"
        )
    return joints, _numbers(path, text, header, len(channels)), seconds


def _text(path: Path) -> str:
    content = read_bytes(path)
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise ValueError(f"{path}: is no text; it is cut off or no BVH file, fetch it again or leave it out")


def _decimal_points(text: str) -> str:
    """Text with points where its numbers have commas, and blanks where commas part them."""
    if "," not in text:
        return text
    if re.search(r"\d\.\d", text):
        return text.replace(",", " ")
    return re.sub(r"(\d),(\d)", r"\1.\2", text)


def _hierarchy(text: str) -> BvhJoint:
    from bvhio import readAsBvh  # here, because reading other formats does not need it

    names: list[str] = []

    def rename(match: re.Match) -> str:
        names.append(match[3])
        opening = "\n{" if match[4] else ""
        return f"{match[1]}{match[2]} joint{len(names) - 1}{opening}"

    text = _JOINT.sub(rename, text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hierarchy.bvh"
        path.write_text(f"{text.rstrip()}\nMOTION\nFrames: 0\nFrame Time: 1\n", encoding="ascii", errors="replace")
        root = readAsBvh(str(path), loadKeyFrames=False).Root
    left = [root]
    while left:
        joint = left.pop()
        joint.Name = names[int(joint.Name.removeprefix("joint"))]
        left += joint.Children
    return root


def _numbers(path: Path, text: str, header: re.Match, channels: int) -> np.ndarray:
    frames = int(header[1])
    if frames == 0:
        raise ValueError(f"{path}: 'Frames' is 0; leave this file out")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # how numpy says that a word is not a number
        try:
            numbers = np.fromstring(text[header.end() :], sep=" ")
        except (DeprecationWarning, ValueError):
            numbers = np.empty(0)
    if numbers.size == frames * channels and np.isfinite(numbers).all():
        return numbers.reshape(frames, channels)
    lines = [line.split() for line in text[header.end() :].splitlines()]
    first = text.count("\n", 0, header.end()) + 1
    for number, words in enumerate(lines, first):
        if words and (len(words) != channels or not all(map(_is_number, words))):
            raise ValueError(
                f"{path}: line {number} has {len(words)} values, not {channels} finite numbers as the hierarchy's "
                "channels ask for; the file is cut off or damaged there, fetch it again or leave it out"
            )
    raise ValueError(
        f"{path}: 'Frames' says {frames}, but there are {sum(map(bool, lines))}; fetch the file again or leave it out"
    )


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
