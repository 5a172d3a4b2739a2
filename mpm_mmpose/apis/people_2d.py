"""The 2D stage over a whole recording: images in, people over time out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..lifting.people import PeopleDetector
from ..readers.tracking import PersonTracker
from .camera_recording import Recorder
from .images import Images
from .read_ahead import read_ahead
from .sources import Recording, split_tracks

if TYPE_CHECKING:
    from .live_view import LiveView


class Stopped(Exception):
    """The 2D stage did not come to its end, because of ``__cause__``; ``recording`` is what was found until then."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(f"stopped after {len(recording.times)} frames")
        self.recording = recording


def find_people(
    images: Images,
    pose2d: PeopleDetector,
    track: str = "iou",
    view: LiveView | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    record: Path | None = None,
) -> Recording:
    """The people of a recording. A camera is stopped with Ctrl-C, or, where it is shown, with q.

    view: to show them in. progress: called with the images done and those there are. record: a file for the images of a
    camera, which come only once. Raises Stopped, from Ctrl-C too.
    """
    tracker, find = PersonTracker(track), pose2d.begin(images.fps)
    times: list[float] = []
    rows: list[tuple[int, int, np.ndarray, np.ndarray]] = []  # frame, id, keypoints, scores
    recorder, cause = None, None
    try:
        for time, image in read_ahead(images):
            if record is not None:
                recorder = recorder or Recorder(record, images.fps, images.width, images.height)
                recorder.write(time, image)
            people = find(image)
            ids = tracker.update(time, *people)
            rows += [(len(times), *one) for one in zip(ids, people.keypoints, people.scores, strict=True)]
            times.append(time)
            if progress is not None:
                progress(len(times), images.total)
            if view is not None and not view.show(time, image, people, ids):
                break
    except KeyboardInterrupt as error:
        cause = None if images.live else error
    except Exception as error:
        cause = error
    finally:
        if recorder is not None:
            recorder.release()
    recording = _recording(images, times, rows, pose2d)
    if cause is not None:
        raise Stopped(recording) from cause
    return recording


def _recording(images: Images, times: list[float], rows: list[tuple], pose2d: PeopleDetector) -> Recording:
    tracks = []
    if rows:
        frames, ids, keypoints, scores = (np.array(column) for column in zip(*rows, strict=True))
        tracks = split_tracks(
            ids,
            np.array(times)[frames],
            keypoints,
            scores.clip(0),
            keypoint_set=pose2d.keypoint_set,
            width=images.width,
            height=images.height,
            fps=images.fps,
        )
        tracks = [pose2d.mend(track) for track in tracks]
    return Recording(
        images.name, tracks, np.array(times), images.fps, images, problem=images.problem, notes=list(images.notes)
    )
