"""From a video, images, a webcam or 2D keypoints to people in 3D, in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError, unknown_name
from ..format_names import DEFAULT_FORMATS, FORMATS
from ..lifting.people import PeopleDetector
from ..lifting.person_lifting import AS_LIFTED, PersonLifting
from ..lifting.pose_completer import PoseCompleter
from ..lifting.track_lifter import Progress, TrackLifter
from ..lifting.tracks import Track2D, Track3D
from .lifting_model import load_lifting_model
from .progress import progress_bar
from .results import (
    AS_WRITTEN,
    OF_SOMEBODY,
    InferenceResult,
    WritingOptions,
    result_path,
    write_keypoints_2d,
)
from .sources import Recording, is_keypoint_source, read_recordings, recordings_of_poses

if TYPE_CHECKING:
    import torch

    from .images import Images
    from .live_view import LiveView

TASKS = ("lift", "complete")
#: The 2D stage that needs no network and no PyTorch.
BLAZEPOSE = "blazepose"
_log = logging.getLogger("mpm_mmpose")


class MPMInferencer:
    """Lifts the people of a source to 3D, in the manner of MMPose's inferencers.

    PyTorch, MMPose and OpenCV are imported where one of their models, or images, are asked for, and not otherwise.

    Args:
        model: a name of the model index (configs/mpm/metafile.yml), or a config file, which is Python and is executed;
            to overrule what weights say of themselves, or for those that say nothing. By default, without weights, the
            exported model that is in this package.
        weights: the model's: path or address; by default the published ones of ``model``. Nothing in them is executed.
            With backend 'onnx' what tools/deployment/export_onnx.py wrote.
        pose2d: what finds people in images: 'blazepose' (:class:`~mpm_mmpose.blazepose.BlazePose`), or a 2D model or
            alias that MMPose knows, with its published weights; or a detector, as
            :class:`~mpm_mmpose.apis.pose2d.Pose2D` makes it of other weights.
        device: of PyTorch's models; by default the GPU where there is one.
        backend: 'pytorch', or 'onnx' for an exported model; by default what the weights' name says.
        providers: of ONNX Runtime, by name; by default the GPU's where there is one.
        **lifting: arguments of :class:`TrackLifter`: fps, mode, threshold, maskings, flip_test, batch_size, seed; of
            these a model that takes 3D has flip_test and batch_size.

    Raises UsageError for names that are not known, with the nearest, and for weights that are missing.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        weights: str | Path | None = None,
        pose2d: str | Path | PeopleDetector = BLAZEPOSE,
        device: str | torch.device | None = None,
        backend: str | None = None,
        providers: Sequence[str] | None = None,
        **lifting: object,
    ) -> None:
        predictor = load_lifting_model(model, weights, backend, providers, device)
        #: The model behind it: a PoseLifter, or what runs an exported one.
        self.model = getattr(predictor, "model", predictor)
        self._mask_tokens = predictor.mask_tokens
        # Models of 3D complete it, and cannot lift.
        lifts = "2d" in predictor.inputs
        self.lifter = TrackLifter(predictor, **lifting) if lifts else None
        own = {name: lifting[name] for name in ("flip_test", "batch_size") if name in lifting}
        self.completer = None if lifts else PoseCompleter(predictor, **own)
        #: What finds people in images; BlazePose is loaded when there are images.
        self.pose2d = _pose2d(pose2d, device)
        #: Files that the calls so far have written, those of a call that failed as well.
        self.kept: list[Path] = []

    def __call__(
        self,
        source: str | Path | np.ndarray | Iterable[Recording],
        task: str = "lift",
        *,
        out_dir: str | Path | None = None,
        formats: Sequence[str] = DEFAULT_FORMATS,
        fps: float | None = None,
        track: str = "iou",
        show: bool = False,
        progress: bool = False,
        people: PersonLifting = AS_LIFTED,
        writing: WritingOptions = AS_WRITTEN,
        **reading: object,
    ) -> Iterator[InferenceResult]:
        """Yield a result for each recording of the source; most sources are one.

        source: a video, 'webcam' or 'webcam:N', an image or a folder of images, an array of images (uint8, BGR); a file
        or folder of 2D keypoints, a pose store, an array (N, K, 2) px, or recordings as ``read_recordings`` gives them;
        for models that take 3D, an array (N, K, 3) m, camera axes, NaN where masked. task: 'lift', where a model
        without mask tokens is shown a guess for what was not found; 'complete' takes a model that knows what is masked.
        out_dir: where to leave ``formats``, and the 2D before anything is lifted. fps: frames a second, where the
        source does not say it or says it wrongly. track: 'iou' or 'oks'. show: in a window, while it is made. progress:
        bars with the time left. people: their sides, size, place and motion. writing: how results are written. reading:
        of a source of keypoints, as ``read_recordings`` takes it: width, height, keypoint_set, ...

        Raises UsageError for what cannot be meant, at once; ValueError or OSError for a source that cannot be read,
        KeyboardInterrupt; ``kept`` then says what there is. Where a source ends early, its recording has a ``problem``;
        what could not be written, ``unwritten`` of the result says, and the next recording is lifted all the same.
        """
        self._check_task(source, task)
        if reading and (_are_recordings(source) or _is_3d(source) or not is_keypoint_source(source)):
            raise UsageError(f"{', '.join(reading)}: are of a source of 2D keypoints, which this is none; leave it out")
        if unknown := [format for format in formats if format not in FORMATS]:
            raise unknown_name("format", unknown[0], FORMATS)
        writing.check()
        if show:
            from .live_view import check_display, show_drawn

            check_display()
        if out_dir is not None:
            _check_writable(Path(out_dir))
        if _is_3d(source):
            recordings = recordings_of_poses(source, fps, self.completer.keypoint_set.name)
        elif _are_recordings(source):
            recordings = iter(source)
        elif is_keypoint_source(source):
            recordings = read_recordings(source, fps=fps, track=track, **reading)
        else:
            from .images import open_images

            recordings = self._watch(open_images(source, fps), track, people if show else None, progress, out_dir)

        def lift(track: Track2D, report: Progress, notes: list[str]) -> Track3D:
            if self.lifter is None:
                return self._complete(source, track, report)
            return people(self.lifter, track, report, notes)

        show_video = show_drawn if show else None
        finish = partial(
            self._finish, lift=lift, writing=writing, out=out_dir, formats=formats, progress=progress, show=show_video
        )
        return map(finish, recordings)

    def _check_task(self, source: object, task: str) -> None:
        """UsageError where this model cannot do that with this source."""
        if task not in TASKS:
            raise unknown_name("task", task, TASKS)
        if (self.completer is not None) != _is_3d(source):
            raise UsageError(
                "this model completes 3D: give an array (frames, keypoints, 3) and task='complete'"
                if self.completer
                else "this model lifts 2D: give images or 2D keypoints, or a model that completes 3D"
            )
        if self.completer is not None and task == "lift":
            raise UsageError("task 'lift': this model takes 3D; give task='complete'")
        if task == "complete" and not self._mask_tokens:
            raise UsageError(
                "task 'complete': this model has no mask tokens, so it cannot be told what is masked; give one that "
                "was trained with them, as mpm_h36m_27_occluded"
            )

    def _complete(self, poses: np.ndarray, track: Track2D, report: Progress) -> Track3D:
        completed = self.completer.complete(poses, track.fps, report)
        return Track3D(track, completed, track.keypoint_set, ~np.isfinite(poses).all(-1))

    def _watch(
        self, images: Images, track: str, shown: PersonLifting | None, progress: bool, out: str | Path | None
    ) -> Iterator[Recording]:
        """The one recording of a source of images; shown: how people are lifted who are shown while it works."""
        from .camera_recording import RecordedImages
        from .people_2d import Stopped, find_people

        if self.pose2d is None:
            from ..blazepose import BlazePose

            self.pose2d = BlazePose()
        path = None if out is None else result_path(out, images.name)
        record = path.with_name(f"{path.name}_images.mp4") if path and images.live else None
        try:
            view = self._view(images, shown) if shown is not None else None
            with progress_bar("2D", "image", progress) as report, view or nullcontext():
                recording = find_people(images, self.pose2d, track, view, report, record)
        except Stopped as stopped:
            self.kept += [record] if record and record.is_file() else []
            if path is not None and len(stopped.recording.times):
                self._keep_2d(path, stopped.recording)
            raise stopped.__cause__ from None
        if record is not None and record.is_file():
            self.kept.append(record)
            recording = replace(recording, images=RecordedImages(record, recording.times))
        if path is not None:
            self._keep_2d(path, recording)
        yield recording

    def _view(self, images: Images, people: PersonLifting) -> LiveView:
        from .live_view import LiveView

        return LiveView(images, self.lifter, self.pose2d.keypoint_set, people.intrinsics(images.width, images.height))

    def _keep_2d(self, path: Path, recording: Recording) -> None:
        self.kept.append(write_keypoints_2d(path.with_name(f"{path.name}_2d.json"), recording))

    def _finish(
        self,
        recording: Recording,
        lift: Callable[[Track2D, Progress, list[str]], Track3D],
        writing: WritingOptions,
        out: str | Path | None,
        formats: Sequence[str],
        progress: bool,
        show: Callable[[np.ndarray], None] | None,
    ) -> InferenceResult:
        """Lift everybody and write the files; what is lifted is kept whatever happens to the rest."""
        people: list[Track3D] = []
        notes = list(recording.notes)
        notes += [] if recording.tracks else [f"{recording.name}: nobody was found in {len(recording.times)} frames"]
        result = InferenceResult(recording, people, notes, writing)
        try:
            for number, track in enumerate(recording.tracks, 1):
                with progress_bar(f"3D of person {number}/{len(recording.tracks)}", "window", progress) as report:
                    try:
                        people.append(lift(track, report, notes))
                    except UsageError:
                        raise
                    except ValueError as error:  # this person has no usable keypoints
                        notes.append(str(error))
        except BaseException:
            # Drawing takes long, which nobody wants who has just stopped this.
            problems = self._save(result, out, set(formats) - {"video"}, progress, show) if people else []
            for problem in problems:
                _log.warning(problem)
            raise
        result.unwritten.extend(self._save(result, out, formats, progress, show))
        return result

    def _save(
        self,
        result: InferenceResult,
        out: str | Path | None,
        formats: Collection[str],
        progress: bool,
        show: Callable[[np.ndarray], None] | None,
    ) -> list[str]:
        """Write the files, and return what is wrong with those that cannot be written."""
        problems: list[str] = []
        if out is None:
            return problems
        if not result.people:  # a note says so
            formats = set(formats) - set(OF_SOMEBODY)
        with progress_bar("video", "frame", progress and "video" in formats) as report:
            for format in (format for format in FORMATS if format in formats):
                try:
                    self.kept += result.save(out, [format], report, show)
                except (ValueError, OSError) as error:  # what one format cannot hold, another can
                    problems.append(str(error))
        return problems


def _pose2d(pose2d: str | Path | PeopleDetector, device: str | torch.device | None) -> PeopleDetector | None:
    """The 2D stage; None for BlazePose, which is loaded when there are images."""
    if pose2d == BLAZEPOSE:
        return None
    if isinstance(pose2d, PeopleDetector):
        return pose2d
    from .pose2d import Pose2D

    return Pose2D(pose2d, device=device)


def _are_recordings(source: object) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, str | np.ndarray)


def _is_3d(source: str | Path | np.ndarray) -> bool:
    return isinstance(source, np.ndarray) and source.dtype.kind == "f" and source.shape[-1:] == (3,)


def _check_writable(out: Path) -> None:
    """Make the folder; UsageError where nothing can be put there, before hours are spent on what is to be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Of a name that no other program has: several may begin in one folder at once.
        TemporaryFile(dir=out).close()
    except OSError as error:
        raise UsageError(f"{out}: nothing can be written there ({error.strerror}); give another --out") from None
