"""C3D: markers of a whole recording, for motion capture and biomechanics software; ezc3d writes it."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..atomic_file import write_atomically
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson, Scene, plain_text
from .files import Written
from .placing import upright

UNIT = 1000.0  # mm
MISSING = -1.0  # residual of a marker that is not there
FRAMES_OF_C3D = 2**16 - 1  # C3D's header counts them in 16 bits
BLOCK = 512  # bytes, of which C3D's header says where data begins


def write_c3d(path: str | Path, scene: Scene) -> Written:
    """All people in one file: points called as the keypoints, of several people ``<person>:<keypoint>``.

    mm, y up on the floor as :func:`~.placing.stand` puts them; all frames of the recording, counted from 1; a keypoint
    that is not known has residual -1. What the model was shown has camera 1 in its mask, what is a guess has none, and
    a point's description says how often that is, where it is known. Raises ValueError without the ezc3d package, for a
    scene without people or of more frames than C3D counts; OSError where the disk is full.
    """
    try:
        import ezc3d
    except ImportError:
        raise ValueError("C3D needs the ezc3d package: pip install 'mpm_mmpose[c3d]' (or pip install ezc3d)") from None
    path, frames = Path(path), len(scene.times)
    if not scene.people:
        raise ValueError(f"{path}: there is nobody to write; the recording has no people")
    if frames > FRAMES_OF_C3D:
        raise ValueError(
            f"{path}: C3D holds at most {FRAMES_OF_C3D} frames, and there are {frames}; write them in parts"
        )
    labels, places, shown, descriptions = [], [], [], []
    people, notes = upright(scene)
    for person, keypoints in zip(scene.people, people, strict=True):
        prefix = f"{person.name}:" if len(scene.people) > 1 else ""
        labels += [prefix + name for name in get_keypoint_set(person.keypoint_set).names]
        everywhere = np.full((frames, *keypoints.shape[1:]), np.nan)
        everywhere[person.frames] = keypoints
        places.append(everywhere)
        seen = np.zeros(everywhere.shape[:2], bool)
        if person.masked is not None:
            seen[person.frames] = ~person.masked
        shown.append(seen)
        descriptions += [_description(person, index) for index in range(keypoints.shape[1])]
    points = UNIT * np.concatenate(places, axis=1)
    known = np.isfinite(points).all(-1)
    file = ezc3d.c3d()
    for group, name, value in (
        ("POINT", "RATE", [float(scene.fps)]),
        ("POINT", "UNITS", ["mm"]),
        ("POINT", "LABELS", labels),
        ("POINT", "DESCRIPTIONS", descriptions),
        ("POINT", "X_SCREEN", ["+X"]),
        ("POINT", "Y_SCREEN", ["+Y"]),
        ("MANUFACTURER", "SOFTWARE", [plain_text(scene.made_by)]),
        ("SUBJECTS", "NAMES", [person.name for person in scene.people]),
    ):
        file.add_parameter(group, name, value)
    file["data"]["points"] = np.concatenate((np.where(known[..., None], points, 0).T, np.ones((1, *known.T.shape))))
    cameras = np.zeros((7, *known.T.shape), bool)
    cameras[0] = (np.concatenate(shown, axis=1) & known).T
    file["data"]["meta_points"] = dict(residuals=np.where(known, 0.0, MISSING).T[None], camera_masks=cameras)

    def write(place: Path) -> None:
        # Elsewhere where the folder is no UTF-8, which is all that ezc3d takes.
        with TemporaryDirectory(prefix=".c3d-", dir=place.parent if _is_text(place.parent) else None) as folder:
            own = Path(folder, "scene.c3d")  # ezc3d adds .c3d to a name that does not end so, as .C3D
            file.write(str(own))
            _check_whole(own, path, known.size)
            shutil.move(own, place)

    return Written([write_atomically(path, write)], notes)


def _description(person: LiftedPerson, keypoint: int) -> str:
    """How often a keypoint was masked, '' where that is not known or never was."""
    times = 0 if person.masked is None else int(person.masked[:, keypoint].sum())
    return f"masked in {times} of {len(person.frames)} frames; a guess there" if times else ""


def _is_text(path: Path) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def _check_whole(place: Path, path: Path, points: int) -> None:
    """OSError for a file that breaks off, of which ezc3d says nothing; points: of all frames, 16 bytes each."""
    content = place.stat().st_size
    with open(place, "rb") as file:
        header = file.read(BLOCK)
    begin = (struct.unpack_from("<H", header, 16)[0] - 1) * BLOCK if len(header) == BLOCK else BLOCK
    if content < begin + 16 * points:
        raise OSError(f"{path}: only {content} of {begin + 16 * points} bytes could be written; is the disk full?")
