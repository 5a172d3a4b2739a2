"""What the quickstart reports: the mean-pose row, the table, the curves, the picture and the GIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpose.registry import DATASETS
from torch import nn

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.data.window_dataset import PoseWindowDataset
from mpm_mmpose.evaluation.metric import ERRORS, MILLIMETRES, TITLES
from mpm_mmpose.pose.geometry import root_relative

from ..curves import draw_loss_curves, read_scalars
from .comparison import animate_comparison, draw_comparison

STAGES = {
    "pretrain": "pre-training, masked 2D and 3D",
    "lift_scratch": "lifter from scratch",
    "lift_pretrained": "lifter from pre-trained weights",
}
ROWS = {"mean_pose": "mean pose of the labelled clips"} | STAGES
BATCH = 512
PICTURE_FRAMES, GIF_SECONDS = 5, 4.0


def target_poses(dataset: PoseWindowDataset) -> np.ndarray:
    """Root-relative poses (N, K, 3) of all target frames, metres."""
    batches = [range(start, min(start + BATCH, len(dataset))) for start in range(0, len(dataset), BATCH)]
    frames = [dataset.__getitems__(batch)["keypoints_3d"][:, dataset.window // 2] for batch in batches]
    return root_relative(torch.cat(frames)).numpy()


def mean_pose_errors(cfg: Config) -> dict[str, float]:
    """Errors in millimetres of always predicting the mean pose of the lifters' training windows."""
    ground_truth = target_poses(DATASETS.build(cfg.test_dataloader.dataset))
    mean = target_poses(DATASETS.build(cfg.train_dataloader.dataset)).mean(0)
    prediction = np.broadcast_to(mean, ground_truth.shape)
    return {name: float(MILLIMETRES * error(prediction, ground_truth).mean()) for name, error in ERRORS.items()}


def format_table(
    table: dict[str, dict[str, float]], plan: dict[str, Config], stores: dict[str, Path], minutes: float, lifter: Path
) -> str:
    """The table as Markdown, what it was measured on, what pre-training changed, and the next command."""
    frames = {name: PoseStore(path) for name, path in stores.items()}
    best = plan["lift_pretrained"]
    lines = [
        "# Quickstart",
        "",
        f"Errors in mm on {_size(frames['test'])}, held out. Pre-trained on {_size(frames['train'])}, without any pair "
        f"of 2D and 3D; both lifters learn from the pairs of {_size(frames['labelled'])} of them. "
        "Every clip is seen by 4 virtual cameras; the 2D input is exact.",
        "",
        "| model | " + " | ".join(TITLES[name] for name in ERRORS) + " |",
        "|---|" + "---:|" * len(ERRORS),
    ]
    for row, errors in table.items():
        lines.append(f"| {ROWS[row]} | " + " | ".join(f"{errors[name]:.1f}" for name in ERRORS) + " |")
    verdict = _verdict(*(table[row]["mpjpe"] for row in ("mean_pose", "lift_scratch", "lift_pretrained")))
    lines += [
        "",
        f"{verdict} One run each with the same budget of fine-tuning, before which the pre-trained one had its "
        "pre-training; --seed N repeats it with other weights, masks "
        "and held-out clips. What pre-training is for is few labels; where all clips have them (--labelled 1) the same "
        "steps are better spent on lifting: docs/results.md.",
        "",
        f"All steps took {minutes:.1f} minutes.",
        "Loss curves are in losses.png, one held-out clip in comparison.png and comparison.gif.",
        "",
        "Next: test again and see the errors by action,",
        "",
        f"    uv run tools/test.py {best.filename} {lifter} \\",
        f"        --cfg-options test_dataloader.dataset.store={stores['test']}",
        "",
        "with your own motion (BVH, or folders of ASF/AMC), or lift your own video with the model in the package,",
        "",
        "    uv run tools/quickstart.py --motion DIR",
        "    uv run demo/video_to_3d.py my_video.mp4 --out out",
        "",
    ]
    return "\n".join(lines)


def _verdict(mean_pose: float, scratch: float, pretrained: float) -> str:
    """What the MPJPEs (mm) of the mean pose and of the two lifters say about pre-training."""
    if min(scratch, pretrained) >= mean_pose:
        return (
            "Neither lifter is better than the mean pose: neither has learned anything yet, so this says nothing "
            "about pre-training; give a larger --budget."
        )
    change = f"{abs(scratch - pretrained):.1f} mm ({abs(scratch - pretrained) / scratch:.0%})"
    if pretrained < scratch:
        return f"Pre-training took {change} off the MPJPE of the lifter."
    return f"Pre-training did not help at this size: it added {change} to the MPJPE of the lifter."


def _size(store: PoseStore) -> str:
    clips = len(set(store.sources))
    return f"{clips} clip{'' if clips == 1 else 's'} ({store.num_frames} frames)"


@torch.no_grad()
def predict_sequence(model: nn.Module, dataset: PoseWindowDataset, sequence: int) -> dict[str, np.ndarray]:
    """What a lifter makes of every window of one sequence of a data set.

    Returns target frames: keypoints (N, K, 2) normalised, prediction and ground_truth (N, K, 3) root-relative metres.
    """
    ends = dataset.window_ends
    windows = range(ends[sequence] - dataset.window_counts[sequence], ends[sequence])
    model.eval()
    results = [
        model.test_step(dataset.__getitems__(windows[start : start + BATCH]))[0]
        for start in range(0, len(windows), BATCH)
    ]

    def column(instances: str, field: str) -> np.ndarray:
        return torch.cat([getattr(result, instances)[field] for result in results]).cpu().numpy()

    return dict(
        keypoints=column("gt_instances", "keypoints"),
        prediction=column("pred_instances", "keypoints"),
        ground_truth=column("gt_instances", "lifting_target"),
    )


def draw(out: Path, model: nn.Module, dataset: PoseWindowDataset, plan: dict[str, Config]) -> None:
    """Write losses.png, comparison.png and comparison.gif; the clip is the middle one of the test store."""
    histories = {STAGES[name]: read_scalars(Path(cfg.work_dir)) for name, cfg in plan.items()}
    draw_loss_curves(histories, out / "losses.png")
    clip = predict_sequence(model, dataset, len(dataset.table) // 2)
    poses = (clip["keypoints"], clip["prediction"], clip["ground_truth"])
    draw_comparison(*poses, out / "comparison.png", frames=PICTURE_FRAMES)
    first = slice(0, round(GIF_SECONDS * dataset.metainfo["fps"]))
    animate_comparison(*(pose[first] for pose in poses), out / "comparison.gif", fps=dataset.metainfo["fps"])
