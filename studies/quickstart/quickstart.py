"""The whole road on a small budget: motion, pre-training, fine-tuning, test, table and pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS
from tqdm import tqdm

from mpm_mmpose.converters.stores import convert_mocap
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import PoseSequence, write_store
from mpm_mmpose.readers import find_motion_files

from ..file_runner import FileRunner
from .report import STAGES, draw, format_table, mean_pose_errors
from .synthetic_motion import KINDS, generate_motion

FPS = 30
CAMERAS = 4
TEST_SHARE = 0.15
LABELLED = 0.03
RESULTS = ("results.md", "losses.png", "comparison.png", "comparison.gif")
SYNTHETIC_CLIPS, SYNTHETIC_SECONDS = 160, 8.0


def quickstart(
    out: Path,
    configs: Path,
    motion: Sequence[Path] | None = None,
    budget: float = 1.0,
    seed: int = 0,
    labelled: float = LABELLED,
) -> dict[str, dict[str, float]]:
    """Run all steps and return the errors in millimetres, {row: {error: value}}.

    configs: folder of quickstart_*.py. motion: folders or files of clips, the built-in generator where None. budget:
    share of the configs' training. labelled: share of the training clips that both lifters learn from; pre-training
    takes all of them. Leaves in ``out``: stores/, the three work directories with logs and checkpoints,
    results.md, losses.png, comparison.png, comparison.gif.
    Raises ValueError or FileNotFoundError for clips that cannot be read or are too few to hold some out.
    """
    started = time.monotonic()
    for name in RESULTS:  # of an earlier run: an interrupted one must not look finished
        (out / name).unlink(missing_ok=True)
    stores = make_stores(out / "stores", motion, seed, labelled)
    plan = {name: _config(configs, out, name, stores, budget, seed) for name in STAGES}
    plan["lift_pretrained"].model.backbone.init_cfg = dict(
        type="Pretrained", checkpoint=str(_last_checkpoint(plan["pretrain"])), prefix="backbone."
    )
    table = {"mean_pose": mean_pose_errors(plan["lift_scratch"])}
    with _Progress(plan) as progress:
        progress.train("pretrain")
        for name in ("lift_scratch", "lift_pretrained"):
            runner = progress.train(name)
            table[name] = progress.test(runner)

    minutes = (time.monotonic() - started) / 60
    text = format_table(table, plan, stores, minutes, _last_checkpoint(plan["lift_pretrained"]))
    (out / "results.md").write_text(text, encoding="utf-8")
    print("drawing ...", flush=True)
    draw(out, runner.model, DATASETS.build(plan["lift_pretrained"].test_dataloader.dataset), plan)
    print("\n" + text)
    return table


def make_stores(folder: Path, motion: Sequence[Path] | None, seed: int, labelled: float = LABELLED) -> dict[str, Path]:
    """Write stores "train", "labelled" (that share of "train") and "test" of whole clips; return their paths.

    Raises:
        ValueError: fewer than two clips.
    """
    rng = np.random.default_rng(seed)
    stores = {name: folder / name for name in ("train", "labelled", "test")}
    clips = find_motion_files(motion) if motion else list(range(SYNTHETIC_CLIPS))
    if len(clips) < 2:
        raise ValueError(
            f"{', '.join(map(str, motion or ()))}: {len(clips)} clip found; give at least two, one is held out"
        )
    order = rng.permutation(len(clips)).tolist()
    held_out, rest = np.split(order, [max(1, round(TEST_SHARE * len(clips)))])
    parts = dict(train=rest, labelled=rest[: max(1, round(labelled * len(rest)))], test=held_out)
    chosen = {name: [clips[i] for i in sorted(part)] for name, part in parts.items()}
    for name, path in stores.items():
        print(f"{name}: {len(chosen[name])} clips -> {path}", flush=True)
        if motion:
            convert_mocap(chosen[name], path, fps=FPS, cameras=CAMERAS, seed=seed, overwrite=True)
        else:
            meta = dict(made_by="synthetic motion", seed=seed)
            write_store(path, _synthetic(chosen[name], seed), meta=meta, overwrite=True)
    return stores


def _synthetic(clips: Sequence[int], seed: int) -> Iterator[PoseSequence]:
    for index in tqdm(clips, desc="  making motion", unit="clip", leave=False):
        motion = generate_motion(KINDS[index % len(KINDS)], SYNTHETIC_SECONDS, FPS, (seed, index))
        yield from project_views(motion, cameras=CAMERAS, seed=index)


def _config(configs: Path, out: Path, name: str, stores: dict[str, Path], budget: float, seed: int) -> Config:
    """The config of one stage, with stores, budget and folder put in.

    A budget below 1 takes fewer windows, one above 1 more epochs, and so do labels of fewer windows than wanted.
    """
    kind = "pretrain" if name == "pretrain" else "lift"
    cfg = Config.fromfile(configs / f"quickstart_{kind}.py")
    cfg.work_dir = str(out / name)
    cfg.experiment_name = f"quickstart_{name}"  # mmengine keeps the Runners of one process apart by this name
    cfg.randomness = dict(seed=seed)
    cfg.model.data_preprocessor.seed = seed
    train = cfg.train_dataloader.dataset
    for windows in [train.dataset_2d, train.dataset_3d] if kind == "pretrain" else [train]:
        windows.store = str(stores["train" if kind == "pretrain" else "labelled"])
        windows.max_windows = max(cfg.train_dataloader.batch_size, round(windows.max_windows * min(budget, 1)))
    if kind == "lift":
        cfg.test_dataloader.dataset.store = str(stores["test"])
        for key in ("val_dataloader", "val_evaluator", "val_cfg"):
            cfg[key] = None
        cfg.train_cfg.pop("val_interval")
    wanted = windows.max_windows * cfg.train_cfg.max_epochs * max(budget, 1)
    cfg.train_cfg.max_epochs = round(wanted / _windows(train))
    return cfg


def _last_checkpoint(cfg: Config) -> Path:
    return Path(cfg.work_dir, f"epoch_{cfg.train_cfg.max_epochs}.pth")


class _Progress:
    """One bar over the training steps of all stages; what the stages log goes to files."""

    def __init__(self, plan: dict[str, Config]) -> None:
        self.plan = plan
        self.steps = {name: _steps(cfg) for name, cfg in plan.items()}

    def __enter__(self) -> _Progress:
        self.bar = tqdm(total=sum(self.steps.values()), unit="step", dynamic_ncols=True, smoothing=0.05)
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def train(self, name: str) -> Runner:
        """Train one stage and return its Runner."""
        self.bar.set_description(STAGES[name])
        runner = FileRunner.from_cfg(self.plan[name])
        runner.register_hook(_BarHook(self.bar))
        runner.train()
        return runner

    def test(self, runner: Runner) -> dict[str, float]:
        """Errors in millimetres on the held-out clips."""
        return {key.removeprefix("pose/"): value for key, value in runner.test().items()}


class _BarHook(Hook):
    def __init__(self, bar: tqdm) -> None:
        self.bar = bar

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        self.bar.update()


def _steps(cfg: Config) -> int:
    return cfg.train_cfg.max_epochs * -(-_windows(cfg.train_dataloader.dataset) // cfg.train_dataloader.batch_size)


def _windows(dataset: Config) -> int:
    init_default_scope("mmpose")
    return len(DATASETS.build(dataset))
