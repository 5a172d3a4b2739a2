"""AMASS archives to a pose store: posed in batches, resampled, seen by virtual cameras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from ..data.store_writer import write_store
from ..pose.pose_sequence import PoseSequence
from ..readers.amass import find_amass_files, read_amass
from ..readers.amass_body import BodyModelError, BodyModels
from .stores import Conversion, read_sequences
from .virtual_camera import LIKE_HUMAN36M, CameraRanges, project_views


def convert_amass(
    paths: Sequence[str | Path],
    out: str | Path,
    body_models: str | Path,
    *,
    fps: float = 50.0,
    cameras: int = 4,
    split: str = "all",
    seed: int = 0,
    ranges: CameraRanges = LIKE_HUMAN36M,
    regressor: str | Path | None = None,
    device: str = "auto",
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Write the store ``out`` from AMASS archives and folders of them, each clip seen by ``cameras`` virtual cameras.

    body_models, regressor: see ``BodyModels``. split: 'train', 'val', 'test' or 'all'. ranges: what the cameras are
    drawn from. device: 'auto' is the GPU where there is one. Raises ValueError or OSError (file, reason) for a file
    that cannot be read; with ``skip_bad`` such files are left out and listed. A body model that is missing or wrong
    ends the conversion either way.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    elif device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda: there is no GPU that torch can use; take cpu, or auto")
    bodies = BodyModels(body_models, regressor, device)
    models = bodies.folder.resolve()
    files = [file for file in find_amass_files(paths, split) if models not in file.resolve().parents]
    report = Conversion(Path(out))
    meta = dict(
        made_by="tools/dataset_converters/amass.py",
        made_from=[str(path) for path in paths],
        files=len(files),
        split=split,
        fps=fps,
        cameras=cameras,
        seed=seed,
        camera_ranges=asdict(ranges),
        keypoints_from="approximation" if regressor is None else f"regressor {regressor}",
        skipped=report.skipped,  # filled while the sequences stream into the store, which writes meta at its end
    )
    results = ((str(file), _convert_file(file, bodies, fps, cameras, seed, ranges)) for file in files)
    results = tqdm(results, total=len(files), unit="clip", desc=f"Converting to {out}", disable=not progress)
    write_store(out, _named_once(read_sequences(results, report, skip_bad)), meta, overwrite)
    return report


def _convert_file(
    file: Path, bodies: BodyModels, fps: float, cameras: int, seed: int, ranges: CameraRanges
) -> list[PoseSequence] | Exception:
    try:
        return list(project_views(read_amass(file, bodies).resampled(fps), cameras, seed, ranges))
    except BodyModelError:
        raise
    except (ValueError, OSError) as error:
        return error


def _named_once(sequences: Iterator[PoseSequence]) -> Iterator[PoseSequence]:
    sources: dict[str, str] = {}
    for sequence in sequences:
        if (first := sources.setdefault(sequence.name, sequence.source)) != sequence.source:
            raise ValueError(
                f"{sequence.source}: is called {sequence.name}, as {first} is; give one copy or format of a subset"
            )
        yield sequence
