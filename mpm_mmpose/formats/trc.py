"""TRC: markers as text, for OpenSim."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..atomic_file import write_atomically
from ..pose.keypoints import get_keypoint_set
from ..pose.scene import LiftedPerson, Scene, plain_text
from .files import Written, paths_of
from .placing import every_frame, upright

UNIT = 1000.0  # mm


def write_trc(path: Path, scene: Scene) -> Written:
    """One file per person, ``<path>_<person>.trc`` if there are several, of all frames from their first to their last.

    mm, y up on the floor as :func:`~.placing.stand` puts them; frames from 1, time as in the recording; what is not
    known is blank. Raises ValueError for a scene without people.
    """
    if not scene.people:
        raise ValueError(f"{path}: there is nobody to write; the recording has no people")
    paths = paths_of(path, scene.people, ".trc")
    people, notes = upright(scene)
    for file, person, places in zip(paths, scene.people, people, strict=True):
        _write_person(file, person, places, scene)
    return Written(paths, notes)


def _write_person(path: Path, person: LiftedPerson, places: np.ndarray, scene: Scene) -> None:
    names = get_keypoint_set(person.keypoint_set).names
    frames = np.arange(person.frames[0], person.frames[-1] + 1)
    markers = UNIT * every_frame(person.frames, places).reshape(len(frames), -1)
    rate = f"{scene.fps:g}"
    made_by = f"made by {plain_text(scene.made_by)}; y up, z towards the camera"
    counts = f"{len(frames)}\t{len(names)}"
    header = (
        f"PathFileType\t4\t(X/Y/Z)\t{plain_text(path.name)}\t{made_by}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{counts}\tmm\t{rate}\t1\t{len(frames)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"),
        "",
    )

    def write(file: Path) -> None:
        with open(file, "w", encoding="utf-8", newline="\n") as text:
            text.writelines(line + "\n" for line in header)
            for frame, row in zip(frames, markers, strict=True):
                numbers = (f"{value:.4f}" if np.isfinite(value) else "" for value in row)
                text.write("\t".join((str(frame + 1), f"{scene.times[frame]:.6f}", *numbers)) + "\n")

    write_atomically(path, write)
