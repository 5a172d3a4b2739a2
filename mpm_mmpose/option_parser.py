"""Command lines that name the nearest option to one that is misspelt; needs nothing beyond Python."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NoReturn

from .format_names import DETECTOR_SETS, KEYPOINT_FORMATS

_UNKNOWN = "unrecognized arguments: "
_ANGLES = re.compile(r"-[\d.]+,-?[\d.]+")


def positive(kind: type) -> Callable[[str], float]:
    """For `type=` of an argument: a number of this kind above 0."""

    def convert(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    convert.__name__ = f"{kind.__name__} above 0"
    return convert


def score(text: str) -> float:
    """For `type=` of an argument: a number of 0 or more that is one."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


score.__name__ = "score of 0 or more"


def add_image_size(parser: argparse.ArgumentParser) -> None:
    """The size of the images, where a file of keypoints does not say it."""
    parser.add_argument("--width", type=positive(int), default=0, help="of the video, px; needed unless the file says")
    parser.add_argument("--height", type=positive(int), default=0, help="of the video, px; needed unless the file says")


def add_detector_keypoints(parser: argparse.ArgumentParser) -> None:
    """Which keypoints a file has."""
    parser.add_argument(
        "--keypoint-set",
        choices=("auto", *DETECTOR_SETS),
        default="auto",
        help="of the detector; default: by what the file says or the number of its keypoints",
    )
    parser.add_argument(
        "--keypoint-map",
        metavar="MAP",
        help="JSON file of our names of keypoints and those, or the numbers, of the file, for other detectors",
    )


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """What all commands that lift files of 2D keypoints have on these."""
    add_image_size(parser)
    parser.add_argument(
        "--keypoint-format", choices=("auto", *KEYPOINT_FORMATS), default="auto", help="default: as it looks"
    )
    add_detector_keypoints(parser)
    parser.add_argument("--sequence", help="of a store; default: all of them")
    parser.add_argument(
        "--ids",
        choices=("file", "mend", "ignore"),
        default="file",
        help="of people: those of the file, these with exchanges undone, or tracked anew; default: %(default)s",
    )


def add_person_options(parser: argparse.ArgumentParser) -> None:
    """What all commands that lift people have on their sides, size, place and motion."""
    parser.add_argument(
        "--level",
        nargs="?",
        const="people",
        default="camera",
        type=_tilt,
        metavar="DOWN,CLOCKWISE",
        help="turn what BVH, GLB, SMPL, C3D and TRC hold until people stand upright; or how the camera was held: how "
        "many degrees it looks down, and is turned clockwise",
    )
    parser.add_argument(
        "--character", metavar="GLB", help="a character of yours, whose skeleton moves in the format glb"
    )
    parser.add_argument(
        "--leave-out-unseen",
        action="store_true",
        help="BVH, GLB, C3D and TRC are without keypoints that were never seen, which are else the model's guess",
    )
    parser.add_argument("--mend-sides", action="store_true", help="undo exchanges of left and right for some frames")
    parser.add_argument(
        "--person-height",
        type=positive(float),
        metavar="M",
        help="how tall people are, m; default: as the model makes them",
    )
    parser.add_argument("--trajectory", action="store_true", help="add where people are, relative to the camera")
    parser.add_argument(
        "--raw-trajectory", action="store_true", help="the same without smoothing how far away they are"
    )
    parser.add_argument(
        "--lock-feet",
        action="store_true",
        help="keep feet where they stand, if the camera stands; adds --trajectory",
    )
    parser.add_argument(
        "--focal", type=positive(float), metavar="PX", help="focal length of the camera, with --trajectory"
    )
    parser.add_argument(
        "--focal-35mm",
        type=positive(float),
        metavar="MM",
        help="the same in 35 mm equivalent, as photos and videos say it",
    )
    parser.add_argument(
        "--filter",
        choices=("one_euro", "savitzky_golay"),
        help="smooth the 3D over time; default: as the model gives it",
    )


def _tilt(text: str) -> str | tuple[float, ...]:
    if text in ("camera", "people"):
        return text
    angles = tuple(float(part) for part in text.split(","))
    if len(angles) != 2 or not (abs(angles[0]) < 90 and abs(angles[1]) <= 180):
        raise ValueError
    return angles


_tilt.__name__ = "pair of degrees like 20,-5"


class OptionParser(argparse.ArgumentParser):
    """argparse's parser; of an option that it does not know it says which is meant, of several files which are left."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 after saying what is wrong."""
        if message.startswith(_UNKNOWN):
            known = [option for action in self._actions for option in action.option_strings]
            given = [word.partition("=")[0] for word in message.removeprefix(_UNKNOWN).split()]
            near = {word: get_close_matches(word, known, n=1) for word in given if word.startswith("-")}
            meant = [f"{found[0]} for {word}" for word, found in near.items() if found]
            message += f"; did you mean {' and '.join(meant)}?" if meant else "; --help lists the options"
            if angles := [word for word in given if _ANGLES.fullmatch(word)]:
                message += f"; angles that begin with a minus go behind '=': --level={angles[0]}"
        super().error(message)
