"""What comes out of an inference, and the files that it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import UsageError, unknown_name
from ..format_names import DEFAULT_FORMATS, FORMATS, suffix_of
from ..formats import LiftedPerson, Scene, mmpose_json, write_scene
from ..formats.character import read_character
from ..formats.files import safe_name
from ..lifting.track_lifter import Progress
from ..lifting.tracks import Track3D
from ..lifting.vertical import check_tilt, choose_up
from ..pose.floor import scene_up
from ..pose.keypoints import remap
from .sources import Recording

#: What cannot be left where there is nobody.
OF_SOMEBODY = ("bvh", "trc", "c3d", "glb", "smpl")


@dataclass(frozen=True)
class WritingOptions:
    """How a result is written.

    level: which way is up in formats whose floor is level: 'camera', as the camera says, or the floor that trajectories
    show; 'people', as they stand; or how the camera was held, see :func:`~mpm_mmpose.lifting.vertical.choose_up`.
    character: a .glb whose skeleton moves as the people do, in the format glb. leave_out_unseen: formats that cannot
    mark what is a guess are without keypoints that were never seen.
    """

    level: str | Sequence[float] = "camera"
    character: str | Path | None = None
    leave_out_unseen: bool = False

    def check(self) -> None:
        """UsageError for what cannot be meant."""
        if self.level not in ("camera", "people"):
            check_tilt(self.level)
        if self.character is not None:
            try:
                read_character(self.character)
            except (ValueError, OSError) as error:
                raise UsageError(str(error)) from None


#: Results as the camera sees them.
AS_WRITTEN = WritingOptions()


@dataclass(frozen=True)
class InferenceResult:
    """The people of a recording in 3D.

    notes: who or what was left out, and why; writing: how it is written; unwritten: files of ``out_dir`` that could not
    be written, and why.
    """

    recording: Recording
    people: list[Track3D]
    notes: list[str] = field(default_factory=list)
    writing: WritingOptions = AS_WRITTEN
    unwritten: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The recording's name."""
        return self.recording.name

    def save(
        self,
        out: str | Path,
        formats: Sequence[str] | None = None,
        progress: Progress | None = None,
        show: Callable[[np.ndarray], None] | None = None,
    ) -> list[Path]:
        """Write one file, ``walk.bvh``, or one a format into a folder, ``<out>/<name>.json`` ...; returns the files.

        Each is there as a whole or not at all. A path with a suffix that is no folder is one file, unless formats are
        given; else DEFAULT_FORMATS are left in the folder. BVH, TRC, GLB and SMPL hold one person: of several people it
        is a file each, ``walk_<person>.bvh``. ``notes`` get what the format could not hold. progress: called with the
        frames of the video done and those there are; show: with each frame of it. Raises UsageError for an unknown
        format or suffix, ValueError for a result that a format cannot hold, OSError where nothing can be written.
        """
        out = Path(out)
        if formats is None and out.suffix and not out.is_dir():
            known = [suffix_of(format) for format in FORMATS]
            if out.suffix.lower() not in known:
                say = f"suffix {out.suffix!r} is not known; give a folder, or a file with one of {', '.join(known)}"
                raise UsageError(f"{out}: {say}")
            paths = [out]
        else:
            formats = DEFAULT_FORMATS if formats is None else formats
            for format in formats:
                if format not in FORMATS:
                    raise unknown_name("format", format, FORMATS)
            stem = result_path(out, self.recording.file or self.name)
            paths = [stem.with_name(stem.name + suffix_of(format)) for format in FORMATS if format in formats]
        written = []
        for path in paths:
            if path.suffix.lower() == suffix_of("video"):
                written.append(write_video(path, self, progress, show))
            elif path.suffix.lower() == suffix_of("html"):
                written.append(write_html(path, self))
            else:
                done = write_scene(path, scene_of(self))
                written += done.paths
                self.notes.extend(note for note in done.notes if note not in self.notes)
        return written


def result_path(out: str | Path, name: str) -> Path:
    """Where a recording's files go, without suffix; its name may be that of a folder and a video in it."""
    return Path(out, safe_name(name))


def scene_of(result: InferenceResult) -> Scene:
    """The result as the writers of :mod:`mpm_mmpose.formats` take it."""
    recording = result.recording
    people = [
        LiftedPerson(
            name=person.track.person,
            keypoint_set=person.keypoint_set,
            frames=recording.frames_of(person.track),
            keypoints_3d=person.keypoints_3d,
            trajectory=person.trajectory,
            masked=person.masked,
            spread=person.spread,
            keypoints_2d=person.track.keypoints,
            scores_2d=person.track.scores,
            keypoint_set_2d=person.track.keypoint_set,
            ground_truth=_ground_truth(recording, person),
            misfit=person.misfit,
            trajectory_spread=person.trajectory_spread,
            ignored=person.ignored,
        )
        for person in result.people
    ]
    writing = result.writing
    scene = Scene(
        recording.name,
        people,
        recording.times,
        recording.fps,
        *_size(recording),
        notes=list(result.notes),
        character=None if writing.character is None else Path(writing.character),
        leave_out_unseen=writing.leave_out_unseen,
    )
    if writing.level == "camera" or not result.people:
        return scene
    up, source = choose_up(result.people, None if writing.level == "people" else writing.level)
    return replace(scene, up=up, up_source=source)


def write_keypoints_2d(path: str | Path, recording: Recording) -> Path:
    """The 2D stage in MMPose's layout, which ``demo/keypoints_to_3d.py`` reads."""
    people = [
        LiftedPerson(
            name=track.person,
            keypoint_set=track.keypoint_set,
            frames=recording.frames_of(track),
            keypoints_3d=np.empty((len(track), 0, 3)),
            keypoints_2d=track.keypoints,
            scores_2d=track.scores,
            keypoint_set_2d=track.keypoint_set,
        )
        for track in recording.tracks
    ]
    scene = Scene(recording.name, people, recording.times, recording.fps, *_size(recording))
    return mmpose_json.write_scene_2d(path, scene)


def write_video(
    path: str | Path,
    result: InferenceResult,
    progress: Progress | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> Path:
    """2D on the images beside 3D; see :func:`~mpm_mmpose.visualization.side_by_side.write_side_by_side`."""
    from ..visualization.side_by_side import write_side_by_side

    recording, scene = result.recording, scene_of(result)
    return write_side_by_side(
        path,
        scene.people,
        recording.times,
        _images(recording),
        fps=recording.fps,
        width=scene.width or 1280,
        height=scene.height or 720,
        up=scene_up(scene)[0],
        progress=progress,
        show=show,
    )


def write_html(path: str | Path, result: InferenceResult) -> Path:
    """A page that shows the result in 3D, on the images where there are any; see :mod:`mpm_mmpose.viewer`."""
    from ..viewer import write_page

    return write_page(Path(path), scene_of(result), _images(result.recording))


def _images(recording: Recording) -> Iterator[np.ndarray] | None:
    return None if recording.images is None else (image for _, image in recording.images)


def _size(recording: Recording) -> tuple[int, int]:
    """Width and height of the images, px, 0 where nobody knows."""
    size = recording.images or (recording.tracks[0] if recording.tracks else None)
    return (size.width, size.height) if size else (0, 0)


def _ground_truth(recording: Recording, person: Track3D) -> np.ndarray | None:
    """Ground truth (N, K, 3) in the keypoints of the poses; None where some of them are not known exactly."""
    ground_truth = recording.ground_truth.get(person.track.person)
    if ground_truth is None:
        return None
    mapping = remap(ground_truth.keypoint_set, person.keypoint_set, approximate=False)
    return None if mapping.missing else mapping(ground_truth.keypoints_3d)[0]
