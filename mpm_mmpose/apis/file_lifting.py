"""From a file of 2D keypoints to people in 3D, with an exported model and without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..errors import UsageError
from ..lifting.person_lifting import AS_LIFTED, PersonLifting
from ..lifting.track_lifter import TrackLifter
from ..runtime.onnx_model import OnnxModel
from .results import AS_WRITTEN, InferenceResult, WritingOptions
from .sources import read_recordings

PersonProgress = Callable[[str, int, int], None]


def lift_file(
    source: str | Path,
    model: str | Path,
    *,
    providers: Sequence[str] | None = None,
    fps: float | None = None,
    width: int = 0,
    height: int = 0,
    format: str = "auto",
    keypoint_set: str = "auto",
    sequence: str | None = None,
    ids: str = "file",
    people: PersonLifting = AS_LIFTED,
    writing: WritingOptions = AS_WRITTEN,
    progress: PersonProgress | None = None,
    **lifting: object,
) -> Iterator[InferenceResult]:
    """Yield the result of each recording of a file or folder of 2D keypoints, or of a pose store; save it as you like.

    model: what tools/deployment/export_onnx.py wrote. providers: of ONNX Runtime. fps to ids: of the source, as
    :func:`~mpm_mmpose.apis.sources.read_recordings`. people: their sides, size and place. writing: how results are
    written. lifting: arguments of :class:`~mpm_mmpose.lifting.track_lifter.TrackLifter`. progress: called with the
    person, the windows done and those there are. People who cannot be lifted are left out, and the result's notes say
    why. Raises UsageError for wrong use, ValueError or OSError for a file that cannot be read.
    """
    writing.check()
    onnx_model = OnnxModel(model, providers)
    if "2d" not in onnx_model.inputs:
        raise UsageError(f"{model}: completes 3D, where keypoints of images are 2D; export a model that takes 2D")
    lifter = TrackLifter(onnx_model, **lifting)
    recordings = read_recordings(
        source,
        fps=fps,
        width=width,
        height=height,
        format=format,
        keypoint_set=keypoint_set,
        sequence=sequence,
        ids=ids,
    )
    for recording in recordings:
        result = InferenceResult(recording, [], list(recording.notes), writing)
        for track in recording.tracks:

            def report(done: int, total: int, person: str = track.person) -> None:
                if progress is not None:
                    progress(person, done, total)

            try:
                result.people.append(people(lifter, track, report, result.notes))
            except UsageError:
                raise
            except ValueError as error:  # this person has no usable keypoints
                result.notes.append(str(error))
        yield result
