"""The section of a page that says how fast inference is, and what the blended mode costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.lifting.track_lifter import TrackLifter

from .fake_detector import detect
from .figures import ClipSums, table
from .filters import motion_errors
from .held_out import Clip, read_clips
from .machine import describe_machine
from .speed import MMPoseLifter, Speed, first_frames, join_clips, speed_of_lifter, speed_of_mmpose

TITLE = "## Speed of inference"
#: Configs in MMPose's package, and how many frames are enough to time them.
MMPOSE = {
    "MMPose's MotionBERT, windows end to end": ("motionbert/h36m/motionbert_dstformer-243frm_8xb32-240e_h36m.py", 486),
    "MMPose's VideoPose3D, one window per frame": (
        "video_pose_lift/h36m/video-pose-lift_tcn-243frm-supv_8xb128-160e_h36m.py",
        600,
    ),
}
AIM = 20  # times the released evaluation
FULL = "lift_h36m_243"
EXACT, BLENDED = "exact, one window per frame", "blended"


@dataclass(frozen=True)
class SpeedInputs:
    """What is timed, as the command line says it: a store, our configs beside ``configs``, a trained lifter."""

    store: Path
    configs: Path
    trained: Callable[..., TrackLifter] | None
    frames: int
    clips: int
    device: str


def measure_speed(inputs: SpeedInputs, command: str, say: Callable[[str], None]) -> str:
    """Markdown of the section; the mirrored input's row is what lifting does by default."""
    store = PoseStore(inputs.store)
    track = join_clips(store, inputs.frames)
    rows: dict[str, list[Speed]] = {}
    for name, exact_frames in ((FULL, 400), ("lift_mocap_27", 2000)):
        for mode, frames in (("exact", exact_frames), ("blended", inputs.frames)):
            title = f"MPM, {name}, {EXACT if mode == 'exact' else BLENDED}"
            say(title)
            rows[title] = [
                speed_of_lifter(
                    TrackLifter(
                        untrained(inputs.configs / f"{name}.py"), mode=mode, flip_test=flip, device=inputs.device
                    ),
                    first_frames(track, frames),
                    repeats=3 if mode == "blended" else 1,
                    single=mode == "exact",
                )
                for flip in (False, True)
            ]
    for title, (config, frames) in MMPOSE.items():
        say(title)
        lifter = MMPoseLifter(config, inputs.device)
        rows[title] = [speed_of_mmpose(lifter, first_frames(track, frames), flip) for flip in (False, True)]
    parts = [
        TITLE,
        f"```\n{command}\n```",
        f"{describe_machine()} {HOW.format(frames=f'{inputs.frames:,}')}",
        _speed_table(rows),
        _ratio(rows),
    ]
    if inputs.trained is not None:
        say("error of the blended mode")
        parts.append(_blending(read_clips(store, inputs.clips), inputs.trained))
    return "\n\n".join(parts) + "\n"


HOW = """A track of {frames} frames with 17 keypoints; slow rows are timed on its beginning, as each frame takes as \
long as the next. Weights are random, which takes as long as trained ones. MPM's rows are all that `TrackLifter` and \
`MPMStream` do; MMPose's are the network alone. *Mirrored*: the mirrored input is lifted too and averaged in, as \
`TrackLifter` does unless told otherwise. *Live*: a frame that comes alone, median."""


def _speed_table(rows: dict[str, list[Speed]]) -> str:
    lines = []
    for title, found in rows.items():
        speeds = [f"{speed.frames_per_second:,.0f}" for speed in found]
        single = ["-" if speed.single_ms is None else f"{speed.single_ms:,.0f}" for speed in found]
        lines.append([title, *speeds, *single])
    return table(["", "frames/s", "mirrored", "live, ms a frame", "mirrored"], lines)


def _ratio(rows: dict[str, list[Speed]]) -> str:
    exact, blended = (rows[f"MPM, {FULL}, {mode}"][0].frames_per_second for mode in (EXACT, BLENDED))
    return (
        f"The released evaluation lifts each frame from a full window of 243 frames, as the first row does without the "
        f"mirrored input: {exact:,.0f} windows a second. Blended is {blended / exact:,.0f} times as fast; the aim is "
        f"{AIM} times."
    )


def _blending(clips: Sequence[Clip], build: Callable[..., TrackLifter]) -> str:
    """How far the two modes of one trained lifter are from the ground truth."""
    sums = ClipSums()
    inputs = {"true 2D": None, "detector's noise": "nothing occluded"}
    lifters = {EXACT: build(mode="exact"), BLENDED: build(mode="blended")}
    for name, occlusion in inputs.items():
        for seed, clip in enumerate(clips):
            track = clip.track if occlusion is None else detect(clip.track, occlusion, seed).track
            for mode, lifter in lifters.items():
                for error, values in motion_errors(lifter.lift(track).keypoints_3d, clip.ground_truth).items():
                    sums.add(f"{name}/{mode}/{error}", values)
    rows = []
    for name in inputs:
        for error in ("mpjpe", "mpjve"):
            pair = [f"{name}/{mode}/{error}" for mode in (BLENDED, EXACT)]
            figures = [sums.mean(pair[1]), sums.mean(pair[0]), sums.difference(*pair)]
            unit = "MPJPE, mm" if error == "mpjpe" else "MPJVE, mm a frame"
            rows.append([f"{name}: {unit}", *(figure.text() for figure in figures)])
    frames = sum(len(clip.track) for clip in clips)
    return (
        f"**What blending costs in accuracy**, of a trained lifter of {lifters[EXACT].window} frames on {len(clips)} "
        f"clips ({frames:,} frames) that it was not trained on; in brackets 95 % intervals over clips. Blended poses "
        "are those of the model's other output, which may be the better one.\n\n"
        + table(["", "exact", "blended", "blended, more than exact"], rows)
    )


def write_section(page: Path, section: str) -> Path:
    """Put a section into a Markdown page, in the place of the one with its title, else at the end."""
    title = section.partition("\n")[0]
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, found, after = f"\n{text}".partition(f"\n{title}\n")
    _, mark, rest = after.partition("\n## ")
    parts = [before.strip("\n"), section.strip("\n"), f"## {rest}".strip("\n") if mark else ""]
    whole = "\n\n".join(part for part in parts if part) + "\n"
    return write_atomically(page, lambda file: file.write_text(whole, encoding="utf-8"))


def untrained(config: Path) -> object:
    """The model of a config with random weights."""
    cfg = Config.fromfile(str(config))
    init_default_scope("mmpose")
    cfg.model.backbone.init_cfg = None  # weights that nobody needs here
    return MODELS.build(cfg.model)
