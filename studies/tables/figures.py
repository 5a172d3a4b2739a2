"""Figure 5 of the paper: test frames as a previous method, MPM and the ground truth have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mpm_mmpose.apis.clip_files import open_clips
from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.evaluation.pose_error import MILLIMETRES, keypoint_errors
from mpm_mmpose.pose.scene import LiftedPerson, Scene
from mpm_mmpose.visualization.paper_figure import draw_figure

from .budget import Budget
from .data import Stores, stores_of
from .plan import Planner, Step
from .reproduce import differences, stores_read
from .running import Executor
from .tables import TABLES

ROWS = 5
#: Columns of the figure and the rows of table 6 that are drawn in them.
METHODS = {"no pre-training": "scratch", "MPM": "2d_3d"}
DUMP = "poses.npz"


def reproduce_figure_5(stores: Stores, budget: Budget, root: Path, out: Path, gpus: int = 1, command: str = "") -> str:
    """Run what figure 5 needs and is not done yet; write figure_5.md, .png and .pdf and return the Markdown.

    root: folder that has configs/mpm and tools; out: folder of all results. Its trainings are those of table 6.

    Raises:
        ValueError: stores that nothing reads, or one that is trained on and tested on.
        MissingDataError: a store is not there.
        FailedStepError: a training in other processes failed.
    """
    planner = Planner(budget, stores, root / "configs/mpm")
    tests = {method: _dumping(planner, row, out) for method, row in METHODS.items()}
    stores.check_names()
    steps = [step for test in tests.values() for step in test.before()]
    read = stores_read(steps)
    executor = Executor(out, root / "tools/dist_train.sh", gpus)
    executor.run(steps)

    dumps = {method: test.folder(out) / DUMP for method, test in tests.items()}
    errors = {method: frame_errors(path) for method, path in dumps.items()}
    chosen = evenly_spaced(len(next(iter(errors.values()))), ROWS)
    # Both are of one test, so their rows are the same frames.
    frames = clips_and_frames(next(iter(dumps.values())), chosen)
    letters = [chr(ord("a") + i) for i in range(len(frames))]
    scene = scene_of(dumps, list(stores_of(next(iter(tests.values())).cfg, ["test"])), frames)
    for suffix in ("png", "pdf"):
        draw_figure(scene, out / f"figure_5.{suffix}", range(len(frames)), letters)

    results = {method: executor.result(test) for method, test in tests.items()}
    text = "\n".join(
        [
            "# Figure 5: qualitative comparison",
            "",
            "![figure 5](figure_5.png)",
            "",
            *_caption(results, errors, len(frames)),
            "",
            *_lines(letters, frames, {method: error[chosen] for method, error in errors.items()}),
            "",
            *(f"- {said}" for said in differences(read, stores, budget, 1, command)),
            "",
        ]
    )
    write_atomically(out / "figure_5.md", lambda path: path.write_text(text, encoding="utf-8"))
    return text


def evenly_spaced(number: int, wanted: int) -> np.ndarray:
    """Middles of ``wanted`` equal parts of 0 to ``number`` - 1, without repeats."""
    return np.unique(((np.arange(wanted) + 0.5) * number / wanted).astype(int))


def frame_errors(dump: Path) -> np.ndarray:
    """MPJPE of each pose of a dump (P,), mm."""
    with np.load(dump, allow_pickle=False) as arrays:
        prediction, ground_truth, counted = (arrays[name] for name in ("prediction", "ground_truth", "counted"))
    return MILLIMETRES * np.nanmean(keypoint_errors(prediction, ground_truth, counted, names=("mpjpe",))["mpjpe"], -1)


def clips_and_frames(dump: Path, rows: np.ndarray) -> list[tuple[str, int]]:
    """Name of the clip and frame in it of some poses of a dump."""
    with np.load(dump, allow_pickle=False) as arrays:
        names, clips, frames = arrays["sequences"], arrays["sequence"][rows], arrays["frame"][rows]
    return [(str(names[clip]), int(frame)) for clip, frame in zip(clips, frames, strict=True)]


def scene_of(dumps: Mapping[str, Path], stores: Sequence[str], frames: Sequence[tuple[str, int]]) -> Scene:
    """A person for each dump, with one row for each (clip, frame); the 2D is that of the stores, of size 1."""
    files = [open_clips(Path(path)) for path in stores]
    seen = []
    for clip, frame in frames:
        owner = next(file for file in files if clip in file.names).clip(clip).people[0]
        # The people of several clips are near and far; px of one scale would leave some too small to see.
        keypoints = owner.keypoints_2d[frame]
        seen.append((keypoints / (np.nanmax(keypoints, 0) - np.nanmin(keypoints, 0)).max(), owner.keypoint_set_2d))
    people = []
    for method, path in dumps.items():
        dump = open_clips(path)
        found = [(dump.clip(clip).people[0], frame) for clip, frame in frames]
        rows = [(person, int(np.searchsorted(person.frames, frame))) for person, frame in found]
        people.append(
            LiftedPerson(
                method,
                found[0][0].keypoint_set,
                np.arange(len(frames)),
                np.stack([person.keypoints_3d[row] for person, row in rows]),
                keypoints_2d=np.stack([keypoints for keypoints, _ in seen]),
                keypoint_set_2d=seen[0][1],
                ground_truth=np.stack([person.ground_truth[row] for person, row in rows]),
            )
        )
    return Scene("figure 5", people, np.arange(len(frames)) / 1.0, 1.0)


def _dumping(planner: Planner, row: str, out: Path) -> Step:
    """The test of a row of table 6 that leaves its poses in the step's folder."""
    experiment = TABLES["6"].rows[row].tests[""]
    # A change of the config, so that it is another step than the table's test, which leaves none.
    changes = {**experiment.changes, "test_evaluator.dump": DUMP}
    step = planner.test(replace(experiment, changes=changes), 0)
    step.cfg.test_evaluator.dump = str(step.folder(out) / DUMP)
    return step


def _caption(results: Mapping[str, dict], errors: Mapping[str, np.ndarray], drawn: int) -> list[str]:
    scratch, ours = errors.values()
    means = ", ".join(f"{method} {found['figures']['mpjpe']:.1f}" for method, found in results.items())
    average = next(iter(results.values()))["average"]
    return [
        "The paper shows a previous method here, which this project has not: the same lifter without pre-training "
        "stands in for it. MPM is row `2d_3d` of table 6 (2D + 3D). Both are refined, as in that table, with the true "
        "depth of the root. 2D is drawn at one size. Predictions lie over the ground truth (grey); numbers are the "
        "frame's MPJPE, mm.",
        "",
        f"The {drawn} frames are evenly spaced over the {len(ours)} tested ones, in the order of clips and frames, and "
        f"not chosen by their errors. Over all of them: MPJPE, mean over {average}, mm: {means}; "
        f"MPM is nearer than the other in {100 * np.mean(ours < scratch):.0f} % of the frames.",
    ]


def _lines(letters: Sequence[str], frames: Sequence[tuple[str, int]], errors: Mapping[str, np.ndarray]) -> list[str]:
    lines = [f"| row | clip | frame | {', mm | '.join(errors)}, mm |", "|---|---|---:|" + "---:|" * len(errors)]
    for i, (letter, (clip, frame)) in enumerate(zip(letters, frames, strict=True)):
        values = " | ".join(f"{error[i]:.1f}" for error in errors.values())
        lines.append(f"| {letter} | {clip} | {frame} | {values} |")
    return lines
