"""Files of 2D detectors to a pose store without 3D: one sequence per person and stretch of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ..data.store_writer import write_store
from ..pose.consistency import describe_keypoints
from ..pose.pose_sequence import PoseSequence
from ..readers.detections import Detections
from ..readers.keypoint_choice import KeypointMap
from ..readers.keypoints_2d import find_keypoint_files, read_keypoints_2d
from ..readers.normalised import in_pixels
from ..readers.person_tracks import image_size, stated_size_fits, track_sequences
from ..readers.track_ids import settle_ids
from .stores import Conversion, clip_names


def _notes(detections: Detections, width: int = 0, height: int = 0) -> list[str]:
    """What is uncertain in a file: its ids and scores, the size of the image, and whether these are people."""
    *_, on_size = image_size(detections, width, height)
    on_keypoints = describe_keypoints(detections.keypoints, detections.scores > 0, detections.keypoint_set)
    return [*detections.notes, *on_size, *([on_keypoints] if on_keypoints else [])]


@dataclass
class KeypointConversion(Conversion):
    """As :class:`Conversion`, a clip being a sequence; too_short: stretches left out."""

    too_short: int = 0


def convert_keypoints_2d(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    fps: float,
    width: int = 0,
    height: int = 0,
    format: str = "auto",
    keypoint_set: str | KeypointMap = "auto",
    min_frames: int = 10,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> KeypointConversion:
    """Write the store ``out`` of 17 Human3.6M keypoints in px with scores from files of 2D detectors.

    fps: of the frames' numbers in the files. width, height: px of the videos whose files do not say, or say what many
    keypoints are outside of. format, keypoint_set: see
    ``read_keypoints_2d``. min_frames: shorter stretches are left out, and counted. Videos are called as ``clip_names``
    does, sequences as ``track_sequences`` does. Raises ValueError or OSError (file, place, field, fix) for a file that
    cannot be read; with ``skip_bad`` such files are left out and listed, and ValueError is raised only if nothing is
    left. See also ``find_keypoint_files``, ``write_store``.
    """
    files = find_keypoint_files(paths, format)
    names = {file: name.removeprefix("results_") for file, name in clip_names(files).items()}
    report = KeypointConversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/keypoints_2d.py",
        made_from=[str(path) for path in paths],
        files=len(files),
        format=format,
        keypoint_set=keypoint_set if isinstance(keypoint_set, str) else dict(keypoint_set),
        min_frames=min_frames,
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
    )

    def read(file: Path) -> list[PoseSequence]:
        sequences = []
        for detections in read_keypoints_2d(file, names[file], format, keypoint_set):
            detections = settle_ids(in_pixels(detections, width, height))
            # A size that is given for other files does not replace one that is right.
            size = {} if stated_size_fits(detections) else dict(width=width, height=height)
            made, too_short = track_sequences(detections, fps=fps, min_frames=min_frames, **size)
            report.notes += [f"{detections.name}: {note}" for note in _notes(detections, **size)]
            sequences += made
            report.too_short += too_short
        return sequences

    def stream() -> Iterator[PoseSequence]:
        reason = None
        for file in tqdm(files, unit="file", desc=f"Converting to {out}", disable=not progress):
            try:
                sequences = read(file)
            except (ValueError, OSError) as error:
                if not skip_bad:
                    raise
                reason = error
                report.skipped.append((str(file), str(error)))
                continue
            report.clips += len(sequences)
            report.frames += sum(map(len, sequences))
            yield from sequences
        if not report.clips and reason:
            raise ValueError(
                f"nothing is left of {len(files)} files, {len(report.skipped)} skipped; the last: {reason}"
            )
        if not report.clips:
            raise ValueError(
                f"{', '.join(map(str, paths))}: nobody is followed for {min_frames} frames, {report.too_short} "
                "stretches are shorter; ask for fewer, or give files of videos and not of single images"
            )

    write_store(out, stream(), meta, overwrite)
    return report
